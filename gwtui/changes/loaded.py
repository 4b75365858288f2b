"""What a proxy holds of one route, and whether that is what the route says now.

Routes of Envoy are found by the names kgateway generates, never by taking names apart. Weights are compared with what
the route says; everything else shows as a difference to what the proxy held before.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from gwtui.changes.differences import differences
from gwtui.changes.documents import Backend, matches_of, parents_of, rules_of, targets_of
from gwtui.changes.plan import Document
from gwtui.model.inspection import ConfigKind, ConfigResource
from gwtui.model.kgateway import KGATEWAY
from gwtui.model.names import backend_cluster, route_core, service_cluster

L4_KINDS = frozenset({"TLSRoute", "TCPRoute"})
"""Kinds whose weights are in filter chains of listeners, not in route configurations."""

_POSITION = re.compile(r"-route-\d+-")
"""The place of an Envoy route among its siblings: it moves with every edit of any route."""


class Held(NamedTuple):
    """What one proxy holds of one route."""

    routes: tuple[tuple[str, Mapping[str, Any]], ...]
    """Envoy routes (or filter chains) by name without their position; sorted."""

    @property
    def fingerprint(self) -> str:
        """Equal for equal content."""
        return json.dumps(self.routes, sort_keys=True)


class Answer(NamedTuple):
    """Whether a proxy holds what a route says."""

    is_loaded: bool
    text: str
    """Why not; empty when it does."""


def where(object_kind: str) -> ConfigKind:
    """The kind of configuration that holds routes of a kind."""
    return ConfigKind.LISTENER if object_kind in L4_KINDS else ConfigKind.ROUTES


def held(resources: Iterable[ConfigResource], *, kind: str, namespace: str, name: str) -> Held:
    """Return what these resources of a proxy hold of a route.

    Args:
        resources: every resource of the kind `where` names.
        kind: `HTTPRoute`, …
        namespace: of the route.
        name: of the route.
    """
    found = _chains if kind in L4_KINDS else _routes
    mark = f"-{namespace}.{name}-rule-" if kind in L4_KINDS else f"-{kind.lower()}-{name}-{namespace}-"
    bodies = [each for resource in resources for each in found(resource.body, mark)]
    return Held(tuple(sorted(bodies, key=lambda each: (each[0], json.dumps(each[1], sort_keys=True)))))


def must_differ(before: Document, after: Document) -> bool:
    """Whether an edit changes more of the spec than weights, so that what proxies hold must differ afterwards."""
    return any(each.path.startswith("spec") and not each.is_weight for each in differences(before, after))


def judge(document: Document, now: Held, before: Held | None, *, must_differ: bool) -> Answer:
    """Say whether a proxy holds what the document says.

    Args:
        document: the route as it was written.
        now: what the proxy holds.
        before: what it held before the write; None where that could not be read.
        must_differ: whether the edit changes more than weights, so that what is held must differ from before.
    """
    for core, wanted in _expected(document):
        for name, body in now.routes:
            if core in name and (answer := _compare(wanted, body)):
                return Answer(is_loaded=False, text=answer)
    if must_differ and before is not None and now.fingerprint == before.fingerprint:
        return Answer(is_loaded=False, text="still holds what it held before")
    if not now.routes and (before is None or not before.routes):
        return Answer(is_loaded=False, text="holds nothing of this route")
    return Answer(is_loaded=True, text="")


def _routes(body: Mapping[str, Any], mark: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for host in body.get("virtual_hosts", ()):
        for route in host.get("routes", ()):
            name = route.get("name", "")
            if mark in name:
                yield _POSITION.sub("-", name, count=1), {**route, "name": "", "domains": host.get("domains", [])}


def _chains(body: Mapping[str, Any], mark: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for chain in body.get("filter_chains", ()):
        if mark in chain.get("name", ""):
            yield chain["name"], chain


def _expected(document: Document) -> Iterator[tuple[str, Counter[str]]]:
    """For each rule whose clusters have names we know: what marks its Envoy routes, and the weights they should have.

    Children of a delegation are left out: Envoy counts their rules anew for each parent.
    """
    metadata, kind, parents = document["metadata"], document.get("kind", ""), parents_of(document)
    if not parents or any(parent.get("kind", "Gateway") == "HTTPRoute" for parent in parents):
        return
    for index, rule in enumerate(rules_of(document)):
        targets = targets_of(document, index)
        clusters = [_cluster(target) for target in targets]
        if not targets or None in clusters:
            continue
        wanted: Counter[str] = Counter()
        for target, cluster in zip(targets, clusters, strict=True):
            # One backend alone gets everything, whatever its weight.
            wanted[str(cluster)] += 1 if len(targets) == 1 else target.weight
        if kind in L4_KINDS:
            yield f"-{metadata['namespace']}.{metadata['name']}-rule-{index}", wanted
            continue
        for match in range(max(1, len(matches_of(rule)))):
            core = route_core(
                kind=kind,
                namespace=metadata["namespace"],
                name=metadata["name"],
                rule=index,
                match=match,
                rule_name=rule.get("name", ""),
            )
            yield f"-{core}-matcher-", wanted


def _cluster(target: Backend) -> str | None:
    """The Envoy cluster of a backend, where its name is known."""
    if (target.group, target.kind) == (KGATEWAY, "Backend"):
        return backend_cluster(target.namespace, target.name)
    is_service = (target.group, target.kind) == ("", "Service")
    return service_cluster(target.namespace, target.name, target.port) if is_service and target.port else None


def _compare(wanted: Counter[str], body: Mapping[str, Any]) -> str:
    """What is wrong with the clusters of an Envoy route, or an empty text."""
    loaded = _weights(body)
    if loaded is None:
        direct = body.get("direct_response") or {}
        return f"answers {direct.get('status')} itself" if direct else ""
    lone = len(loaded) == 1 and len(wanted) == 1
    if (loaded.keys() != wanted.keys()) if lone else (+loaded != +wanted):
        return "holds " + ", ".join(f"{name} {weight}" for name, weight in sorted(loaded.items()))
    return ""


def _weights(body: Mapping[str, Any]) -> Counter[str] | None:
    """Weight by cluster of an Envoy route or of the TCP proxy of a filter chain; None where there is no cluster."""
    action = body.get("route") or _tcp_proxy(body)
    if action is None:
        return None
    if "cluster" in action:
        return Counter({action["cluster"]: 1})
    if "weighted_clusters" not in action:
        return None
    found: Counter[str] = Counter()
    for each in action["weighted_clusters"].get("clusters", ()):
        found[each["name"]] += each.get("weight", 0)
    return found


def _tcp_proxy(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    configs = (each.get("typed_config", {}) for each in body.get("filters", ()))
    return next((each for each in configs if str(each.get("@type", "")).endswith("TcpProxy")), None)
