"""The fleet as one document: plain data for scripts, with the unit of every number in its key.

A value that was not observed is null, and `unknown` beside it says why, by the same key. Names are given as
`namespace/name`; times are RFC 3339 in UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from gwtui.model.gateway_api import BackendRef, ParentRef, Route, Rule
from gwtui.model.ids import ExternalKey, GatewayKey, ObjectKey, ServiceKey
from gwtui.model.kgateway import KGATEWAY
from gwtui.model.known import Known, Unknown
from gwtui.model.kubernetes import Condition
from gwtui.model.names import backend_cluster, service_cluster
from gwtui.model.resources import ROUTES
from gwtui.model.shape import MeshMembership
from gwtui.model.shares import ObservedShares, Share
from gwtui.model.snapshot import ClusterView, ProxyView, Snapshot
from gwtui.model.topology import RouteShare, ShareRole
from gwtui.model.traffic import ProxyTraffic, no_traffic
from gwtui.views import judge, stage, text
from gwtui.views.fleet import Fleet, Flow, GatewayFigures, fleet

Json = dict[str, Any]

_KIND_OF_TARGET: Mapping[type, str] = {GatewayKey: "gateway", ServiceKey: "service", ExternalKey: "external"}

BackendShares = dict[tuple[ObjectKey, int, str], list[Share]]
"""Observed shares by (route, rule, Envoy cluster), one per gateway the route is attached to."""


def fleet_document(snapshot: Snapshot, *, now: datetime) -> Json:
    """Return everything known of the fleet, in the shape of `gwtui snapshot -o json`.

    Args:
        snapshot: What is known.
        now: The moment ages are counted from, aware UTC.
    """
    figures = fleet(snapshot, now)
    views = [snapshot.clusters[name] for name in sorted(snapshot.clusters)]
    document: Json = {
        "observed_at": utc(now),
        "patterns": [_pattern(view, found.id, found.evidence) for view in views for found in view.topology.patterns],
        "clusters": [cluster_entry(snapshot, view, now) for view in views],
        "gateways": [gateway_entry(figures.gateways[key]) for key in sorted(figures.gateways)],
        "proxies": [_proxy(view, figures, now) for view in figures.proxies],
        "routes": [],
        "hops": [],
        "sources": [_source(view.name, name, now, view) for view in views for name in sorted(view.sources)],
    }
    flows = {id(flow.hop): flow for flow in figures.flows}
    for view in views:
        shares = _shares(view, figures)
        backends: BackendShares = {}
        document["hops"].extend(hop_entry(flows[id(hop)], shares, backends) for hop in view.topology.hops)
        document["routes"].extend(_routes(view, backends))
    return document


def utc(moment: datetime | None) -> str | None:
    """A time as documents write it, RFC 3339 in UTC; None stays None."""
    return None if moment is None else moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _observed(values: Mapping[str, Known[Any] | Unknown], digits: int = 6) -> Json:
    """The values by key, unknown ones as null with the reasons under `unknown`."""
    known: Json = {
        key: (round(value.value, digits) if isinstance(value.value, float) else value.value)
        if isinstance(value, Known)
        else None
        for key, value in values.items()
    }
    unknown = {key: value.reason for key, value in values.items() if isinstance(value, Unknown)}
    return {**known, "unknown": unknown} if unknown else known


def _traffic(traffic: ProxyTraffic) -> dict[str, Known[Any] | Unknown]:
    return {
        "rps": traffic.rps,
        "error_ratio": traffic.error_ratio,
        "p50_ms": traffic.p50_ms,
        "p99_ms": traffic.p99_ms,
    }


def _pattern(view: ClusterView, pattern: str, evidence: tuple[str, ...]) -> Json:
    return {"id": pattern, "cluster": view.name, "evidence": list(evidence)}


def cluster_entry(snapshot: Snapshot, view: ClusterView, now: datetime) -> Json:
    """One cluster: its name, whether it could be read, and what belongs to none of its gateways."""
    notice = next(iter(stage.notices(snapshot, (view.name,), now)), None)
    return {
        "name": view.name,
        "state": notice.stage.value if notice is not None else stage.Stage.READY.value,
        "detail": notice.detail if notice is not None else "",
        "hint": notice.hint if notice is not None else "",
        "problems": list(view.topology.problems),
    }


def gateway_entry(figures: GatewayFigures) -> Json:
    """One gateway: identity, what it serves, what runs it, and what its answering proxies do together."""
    node = figures.node
    if figures.answering:
        traffic = figures.traffic
    else:
        traffic = no_traffic(Unknown("none of its proxies answers" if figures.proxies else "it has no proxies"))
    return {
        "cluster": node.key.cluster,
        "namespace": node.key.namespace,
        "name": node.key.name,
        "class": node.class_name,
        "controller": node.controller,
        "data_plane": node.data_plane.value,
        "role": node.role.value,
        "mesh": _mesh(node.mesh),
        "tier": node.tier,
        "listeners": [{"name": name, "port": port, "protocol": protocol} for name, port, protocol in node.listeners],
        "hostnames": list(node.hostnames),
        "namespaces": list(node.namespaces),
        "proxies": [proxy.pod for proxy in node.proxies],
        "answering": figures.answering,
        **_observed(_traffic(traffic)),
        "problems": list(node.problems),
    }


def _mesh(mesh: MeshMembership | None) -> Json | None:
    if mesh is None:
        return None
    return {"mode": mesh.mode.value, "configured": mesh.configured, "captured": mesh.captured, "pods": mesh.pods}


def _proxy(view: ProxyView, figures: Fleet, now: datetime) -> Json:
    owner = figures.owners.get(view.key)
    is_current = judge.is_answering(view, now)
    if is_current:
        traffic = view.traffic
    elif view.answered_at is None:
        traffic = no_traffic(Unknown(view.reason or "never asked"))
    else:
        traffic = no_traffic(Unknown(view.reason or f"last answer {text.age_of(view.answered_at, now)} ago"))
    rejected: Known[int] | Unknown = Unknown("no sample yet")
    if view.samples:
        newest = view.samples[-1]
        rejected = Known(newest.update_rejected, newest.taken_at)
    return {
        "cluster": view.key.cluster,
        "namespace": view.key.namespace,
        "name": view.key.pod,
        "gateway": str(owner) if owner is not None else None,
        "state": view.state.value,
        "way": view.way,
        "reason": view.reason,
        "hint": view.hint,
        "observed_at": utc(view.answered_at),
        **_observed({**_traffic(traffic), "active_requests": traffic.active, "update_rejected": rejected}),
    }


def _source(cluster: str, name: str, now: datetime, view: ClusterView) -> Json:
    health = view.sources[name]
    return {
        "cluster": cluster,
        "source": name,
        "state": health.state.value,
        "detail": health.detail,
        "hint": health.hint,
        "age_s": round((now - health.since).total_seconds(), 1),
        "undecodable": list(health.undecodable),
    }


def _shares(view: ClusterView, figures: Fleet) -> ObservedShares:
    own = [figures.gateways[node.key] for node in view.topology.gateways]
    traffic = {found.node.key: found.traffic for found in own if found.answering}
    complete = {found.node.key for found in own if found.proxies and found.answering == len(found.proxies)}
    return ObservedShares(view, traffic, complete)


def hop_entry(flow: Flow, shares: ObservedShares, backends: BackendShares) -> Json:
    """One edge: its ends, the rule that found it, what flows over it, and the part of each route rule.

    Args:
        flow: The edge with its figures.
        shares: The observed shares of its cluster.
        backends: Where the observed share of each route rule's backend is added.
    """
    hop = flow.hop
    routes = []
    for share in hop.shares:
        observed = shares.of_rule(hop, share)
        if share.role is not ShareRole.MIRROR:
            backends.setdefault((share.route, share.rule_index, share.cluster), []).append(observed)
        routes.append(_branch(share, observed))
    return {
        "cluster": hop.source.cluster,
        "from": str(hop.source),
        "to": str(hop.target),
        "to_kind": _KIND_OF_TARGET[type(hop.target)],
        "rule": hop.rule,
        **_observed({"rps": flow.rps, "observed_share": shares.of_hop(hop), "error_ratio": flow.error_ratio}),
        "routes": routes,
    }


def _branch(share: RouteShare, observed: Share) -> Json:
    return {
        "kind": ROUTES[share.route.resource],
        "route": f"{share.route.namespace}/{share.route.name}",
        "rule": share.rule_index,
        "role": share.role.value,
        "hostnames": list(share.hostnames),
        "weight": share.weight,
        "intended_share": round(share.intended, 6),
        **_observed({"observed_share": observed}),
    }


def _routes(view: ClusterView, backends: BackendShares) -> Iterator[Json]:
    for resource, kind in ROUTES.items():
        objects: Mapping[tuple[str, str], Route] = view.objects.get(resource, {})
        for namespace, name in sorted(objects):
            key = ObjectKey(view.name, resource, namespace, name)
            yield _route(key, kind, objects[(namespace, name)], backends)


def _route(key: ObjectKey, kind: str, route: Route, backends: BackendShares) -> Json:
    claims = [(parent.parent_ref, _accepted(parent.conditions)) for parent in route.status.parents]
    rules: tuple[Rule, ...] = route.spec.rules
    parents = claims or [(ref, None) for ref in route.spec.parent_refs]
    document: Json = {
        "cluster": key.cluster,
        "kind": kind,
        "namespace": key.namespace,
        "name": key.name,
        "hostnames": list(route.spec.hostnames),
        "parents": [_parent(ref, key.namespace, accepted) for ref, accepted in parents],
        "rules": [
            {"index": index, "name": rule.name, "backends": _backends(key, index, rule.backend_refs, backends)}
            for index, rule in enumerate(rules)
        ],
        "accepted": None,
    }
    if claims and all(accepted is not None for _, accepted in claims):
        document["accepted"] = all(accepted for _, accepted in claims)
    else:
        document["unknown"] = {"accepted": "no controller has judged it yet"}
    return document


def _accepted(conditions: Iterable[Condition]) -> bool | None:
    """Whether the parent accepted the route; None when its controller has not said."""
    status = next((claim.status for claim in conditions if claim.type == "Accepted"), "Unknown")
    return {"True": True, "False": False}.get(status)


def _parent(ref: ParentRef, namespace: str, accepted: bool | None) -> Json:  # noqa: FBT001 - a value, not a switch
    return {
        "kind": ref.kind,
        "namespace": ref.namespace or namespace,
        "name": ref.name,
        "listener": ref.section_name,
        "accepted": accepted,
    }


def _backends(key: ObjectKey, index: int, refs: tuple[BackendRef, ...], known: BackendShares) -> list[Json]:
    total = sum(ref.weight for ref in refs)
    found = []
    for ref in refs:
        share = RouteShare(
            route=key,
            rule_index=index,
            hostnames=(),
            weight=ref.weight,
            weight_total=total,
            backends=len(refs),
        )
        observed = known.get((key, index, _cluster_of(ref, key.namespace)), [])
        found.append(
            {
                "kind": ref.kind,
                "namespace": ref.namespace or key.namespace,
                "name": ref.name,
                "port": ref.port or None,
                "weight": ref.weight,
                "intended_share": round(share.intended, 6),
                **_observed({"observed_share": _only(observed)}),
            }
        )
    return found


def _cluster_of(ref: BackendRef, namespace: str) -> str:
    if (ref.group, ref.kind) == (KGATEWAY, "Backend"):
        return backend_cluster(ref.namespace or namespace, ref.name)
    return service_cluster(ref.namespace or namespace, ref.name, ref.port)


def _only(shares: list[Share]) -> Share:
    if len(shares) == 1:
        return shares[0]
    return Unknown("no gateway sends to it" if not shares else "several gateways send to it: see hops")
