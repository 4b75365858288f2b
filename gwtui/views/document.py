"""The fleet as one document: plain data for scripts, with the unit of every number in its key.

A value that was not observed is null, and `unknown` beside it says why, by the same key. Names are given as
`namespace/name`; times are RFC 3339 in UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gwtui.model.comparison import Oddity, oddities
from gwtui.model.cost import Cost, cost_of, total_cost
from gwtui.model.ids import ExternalKey, GatewayKey, ProxyKey, ServiceKey
from gwtui.model.inspection import Certificate, Inspection, config_digest
from gwtui.model.known import Known, Unknown
from gwtui.model.resources import ROUTES
from gwtui.model.shape import MeshMembership
from gwtui.model.shares import ObservedShares, Share
from gwtui.model.snapshot import ClusterView, ProxyView, Snapshot
from gwtui.model.topology import RouteShare, ShareRole
from gwtui.model.traffic import ProxyTraffic, no_traffic
from gwtui.views import judge, stage, text
from gwtui.views.document_routes import BackendShares, route_entries
from gwtui.views.document_values import Json, utc, written
from gwtui.views.fleet import Fleet, GatewayFigures, fleet
from gwtui.views.flows import Flow

_KIND_OF_TARGET: Mapping[type, str] = {GatewayKey: "gateway", ServiceKey: "service", ExternalKey: "external"}


def fleet_document(snapshot: Snapshot, *, now: datetime) -> Json:
    """Return everything known of the fleet, in the shape of `gwtui snapshot -o json`.

    Args:
        snapshot: What is known.
        now: The moment ages are counted from, aware UTC.
    """
    figures = fleet(snapshot, now)
    views = [snapshot.clusters[name] for name in sorted(snapshot.clusters)]
    odd = {key: each for found in figures.gateways.values() for key, each in oddities(found.proxies).items()}
    document: Json = {
        "observed_at": utc(now),
        "patterns": [_pattern(view, found.id, found.evidence) for view in views for found in view.topology.patterns],
        "clusters": [cluster_entry(snapshot, view, now) for view in views],
        "gateways": [gateway_entry(figures.gateways[key]) for key in sorted(figures.gateways)],
        "proxies": [_proxy(view, figures, odd, now) for view in figures.proxies],
        "routes": [],
        "hops": [],
        "cost": _cost(total_cost(cost_of(view, now) for view in figures.proxies), now),
        "sources": [_source(view.name, name, now, view) for view in views for name in sorted(view.sources)],
    }
    flows = {id(flow.hop): flow for flow in figures.flows}
    for view in views:
        shares = _shares(view, figures)
        backends: BackendShares = {}
        document["hops"].extend(hop_entry(flows[id(hop)], shares, backends) for hop in view.topology.hops)
        document["routes"].extend(route_entries(view, backends, figures))
    return document


def _traffic(traffic: ProxyTraffic) -> dict[str, Known[Any] | Unknown]:
    return {
        "rps": traffic.rps,
        "error_ratio": traffic.error_ratio,
        "client_error_ratio": traffic.client_error_ratio,
        "p50_ms": traffic.p50_ms,
        "p95_ms": traffic.p95_ms,
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
        **written(_traffic(traffic)),
        "problems": list(node.problems),
    }


def _mesh(mesh: MeshMembership | None) -> Json | None:
    if mesh is None:
        return None
    return {"mode": mesh.mode.value, "configured": mesh.configured, "captured": mesh.captured, "pods": mesh.pods}


def _proxy(view: ProxyView, figures: Fleet, odd: Mapping[ProxyKey, tuple[Oddity, ...]], now: datetime) -> Json:
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
        **written(
            {
                **_traffic(traffic),
                "active_requests": traffic.active,
                "update_rejected": rejected,
                **_held(view.inspection),
            }
        ),
        "differs_in": [oddity.aspect.value for oddity in odd.get(view.key, ())],
        "cost": _cost(cost_of(view, now), now),
    }


def _cost(cost: Cost, now: datetime) -> Json:
    """What our own questions of the last minute took."""
    share = Unknown("nothing was asked in the last minute") if cost.share is None else Known(cost.share, now)
    return {
        "requests": cost.questions,
        "bytes": cost.answer_bytes,
        "proxy_ms": round(cost.admin_ms, 3),
        **written({"proxy_share": share}),
    }


def _held(inspection: Inspection | None) -> dict[str, Known[Any] | Unknown]:
    """What a proxy told of itself when it was asked last."""
    if inspection is None:
        return dict.fromkeys(("version", "config", "certificate_expires_at"), Unknown("not inspected yet"))
    build, config = inspection.build, inspection.config
    return {
        "version": Known(build.value.version, build.observed_at) if isinstance(build, Known) else build,
        "config": Known(config_digest(config.value), config.observed_at) if isinstance(config, Known) else config,
        "certificate_expires_at": _first_expiry(inspection.certificates),
    }


def _first_expiry(certificates: Known[tuple[Certificate, ...]] | Unknown) -> Known[str | None] | Unknown:
    if isinstance(certificates, Unknown):
        return certificates
    ends = [one.expires_at for one in certificates.value if one.expires_at is not None and not one.is_authority]
    if not ends:
        return Unknown("it holds no certificate")
    return Known(utc(min(ends)), certificates.observed_at)


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
        **written({"rps": flow.rps, "observed_share": shares.of_hop(hop), "error_ratio": flow.error_ratio}),
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
        **written({"observed_share": observed}),
    }
