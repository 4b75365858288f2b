"""The routes of the fleet's document: parents, rules, backends with their shares, and traffic where it is counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from gwtui.model.exposure import Exposure
from gwtui.model.gateway_api import BackendRef, ParentRef, Route, Rule
from gwtui.model.ids import GatewayKey, ObjectKey
from gwtui.model.known import Unknown
from gwtui.model.kubernetes import Condition
from gwtui.model.relations.inventory import Inventory
from gwtui.model.resources import ROUTES
from gwtui.model.route_traffic import routes_of
from gwtui.model.shares import Share
from gwtui.model.snapshot import ClusterView
from gwtui.model.topology import RouteShare
from gwtui.model.traffic import RouteTraffic
from gwtui.views.document_values import Json, written
from gwtui.views.fleet import Fleet
from gwtui.views.route_backends import cluster_of

BackendShares = dict[tuple[ObjectKey, int, str], list[Share]]
"""Observed shares by (route, rule, Envoy cluster), one per gateway the route is attached to."""

RouteFigures = dict[ObjectKey, dict[GatewayKey, RouteTraffic]]
"""What each route does on each gateway it is attached to."""


def _route_traffic(view: ClusterView, figures: Fleet) -> RouteFigures:
    """The figures of each route on every gateway it is attached to."""
    exposure = Exposure(Inventory(view.name, view.objects, view.scopes))
    found: RouteFigures = {}
    for node in view.topology.gateways:
        own = figures.gateways[node.key]
        if own.answering:
            for key, traffic in routes_of(node, own.traffic, exposure).items():
                found.setdefault(key, {})[node.key] = traffic
    return found


def route_entries(view: ClusterView, backends: BackendShares, figures: Fleet) -> Iterator[Json]:
    """Return one entry for every route of a cluster.

    Args:
        view: The cluster.
        backends: Observed shares of the backends.
        figures: What its gateways do.
    """
    traffic = _route_traffic(view, figures)
    for resource, kind in ROUTES.items():
        objects: Mapping[tuple[str, str], Route] = view.objects.get(resource, {})
        for namespace, name in sorted(objects):
            key = ObjectKey(view.name, resource, namespace, name)
            yield _route(key, kind, objects[(namespace, name)], backends, traffic.get(key, {}))


def _route(
    key: ObjectKey, kind: str, route: Route, backends: BackendShares, traffic: Mapping[GatewayKey, RouteTraffic]
) -> Json:
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
        "traffic": [
            {
                "gateway": str(gateway),
                **written(
                    {
                        "rps": each.rps,
                        "error_ratio": each.error_ratio,
                        "client_error_ratio": each.client_error_ratio,
                    }
                ),
            }
            for gateway, each in sorted(traffic.items())
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
        observed = known.get((key, index, cluster_of(ref, key.namespace)), [])
        found.append(
            {
                "kind": ref.kind,
                "namespace": ref.namespace or key.namespace,
                "name": ref.name,
                "port": ref.port or None,
                "weight": ref.weight,
                "intended_share": round(share.intended, 6),
                **written({"observed_share": _only(observed)}),
            }
        )
    return found


def _only(shares: list[Share]) -> Share:
    if len(shares) == 1:
        return shares[0]
    return Unknown("no gateway sends to it" if not shares else "several gateways send to it: see hops")
