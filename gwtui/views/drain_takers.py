"""Who can take over what is drained: by name, with what each does now and would do then."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

from gwtui.changes.drains.wish import Backend, Moved, OneProxy, Shard, Target, cluster_of
from gwtui.changes.peaks import peak_of
from gwtui.changes.plan import Load
from gwtui.model.ids import GatewayKey, ObjectKey, ServiceKey
from gwtui.model.known import Known
from gwtui.model.shape import Hop
from gwtui.views import judge, text
from gwtui.views.fleet import GatewayFigures
from gwtui.views.flows import Flow
from gwtui.views.judge import Verdict
from gwtui.views.route_facts import RuleFacts, RuleKey, rules_of
from gwtui.views.scene import Scene

SHARERS = "those that share its load already"
"""In place of a name: nobody in particular takes over."""


OTHER_CLUSTERS = "the same services in other clusters"


class Taker(NamedTuple):
    """Somebody who can take over."""

    to: str
    """As a wish names it; empty: those that share the load already."""
    name: str
    verdict: Verdict | None
    """How it is; None where nobody observes it."""
    load: Load | None
    """What it takes now and would take then; None where that is not known of it at all."""
    answering: str
    """`2/2` proxies; empty where it has none of its own."""


def takers(scene: Scene, target: Target, drained: Collection[GatewayKey] = ()) -> tuple[Taker, ...]:
    """Return who can take over, the best first: well, then the least part of its peak.

    Args:
        scene: What is looked at.
        target: What is drained.
        drained: Gateways that are drained themselves: they take nothing.
    """
    match target:
        case Shard(gateway=key) if is_peering(scene, key):
            return (Taker("", OTHER_CLUSTERS, None, None, ""),)
        case Shard(gateway=key) | Moved(source=key):
            found = [_gateway(scene, entry, key) for entry in _beside(scene, key) if entry.node.key not in drained]
            found.sort(key=_order)
            return *found, Taker("", SHARERS, None, None, "")
        case OneProxy():
            return (_siblings(scene, target),)
        case Backend():
            names = {name: None for rule in _rules(scene, target.route) for name in _others(rule, target.backend)}
            return Taker("", SHARERS, None, None, ""), *(Taker(name, name, None, None, "") for name in names)


def is_peering(scene: Scene, gateway: GatewayKey) -> bool:
    """Whether other clusters reach this one through a gateway."""
    entry = scene.fleet.gateways.get(gateway)
    return entry is not None and entry.node.is_peering


def gateway_of(scene: Scene, target: Target) -> GatewayFigures | None:
    """Return the figures of the gateway that is drained, or that the proxy is of; None for a backend and for none."""
    match target:
        case Shard(gateway=key) | Moved(source=key):
            return scene.fleet.gateways.get(key)
        case OneProxy(proxy=proxy):
            owner = scene.fleet.owners.get(proxy)
            return scene.fleet.gateways.get(owner) if owner is not None else None
        case Backend():
            return None


def backends_of(scene: Scene, rule: RuleKey) -> tuple[Backend, ...]:
    """Return the backends of a rule as targets, in its order."""
    facts = next((each for each in _rules(scene, rule.route) if each.key == rule), None)
    return tuple(Backend(rule.route, name) for name in dict.fromkeys(facts.backends if facts else ()))


def _rules(scene: Scene, route: ObjectKey) -> Iterator[RuleFacts]:
    view = scene.snapshot.clusters.get(route.cluster)
    return (each for each in (rules_of(view) if view is not None else ()) if each.key.route == route)


def _others(rule: RuleFacts, backend: str) -> list[str]:
    """The other backends of a rule that sends to a backend."""
    return [name for name in rule.backends if name != backend] if backend in rule.backends else []


def flow_to(scene: Scene, target: Backend) -> Flow | None:
    """Return what is sent to a backend by whoever serves the route; None when nothing is known to be."""
    return next((flow for flow in scene.fleet.flows if _leads(flow.hop, target)), None)


def _leads(hop: Hop, target: Backend) -> bool:
    is_named = isinstance(hop.target, GatewayKey | ServiceKey) and str(hop.target) == target.backend
    return is_named and hop.source.cluster == cluster_of(target) and any(s.route == target.route for s in hop.shares)


def _beside(scene: Scene, key: GatewayKey) -> list[GatewayFigures]:
    own = scene.fleet.gateways.get(key)
    return [
        entry
        for other, entry in scene.fleet.gateways.items()
        if own is not None
        and other != key
        and other.cluster == key.cluster
        and entry.node.tier == own.node.tier
        and entry.node.is_managed
    ]


def _gateway(scene: Scene, entry: GatewayFigures, source: GatewayKey) -> Taker:
    now = _rps(entry)
    moved = _rps(scene.fleet.gateways[source])
    peak = peak_of(entry.proxies)
    load = Load(
        gateway=entry.node.key,
        now_rps=now,
        then_rps=now + moved if now is not None and moved is not None else None,
        peak_rps=peak.rps if peak else None,
        peak_window_s=peak.window_s if peak else 0.0,
    )
    answering = text.part_of(entry.answering, len(entry.proxies))
    return Taker(str(entry.node.key), str(entry.node.key), entry.verdict, load, answering)


def _siblings(scene: Scene, target: OneProxy) -> Taker:
    entry = gateway_of(scene, target)
    if entry is None:
        return Taker("", "the other proxies of its gateway", None, None, "")
    others = [view for view in entry.proxies if view.key != target.proxy]
    well = sum(view.key != target.proxy for view in entry.heard)
    name = f"the other {text.plural(len(others), 'proxy', 'proxies')} of {entry.node.key}"
    return Taker("", name, None, None, text.part_of(well, len(others)))


def _rps(entry: GatewayFigures) -> float | None:
    return entry.traffic.rps.value if entry.answering and isinstance(entry.traffic.rps, Known) else None


def _order(taker: Taker) -> tuple[bool, float, str]:
    share = taker.load.share_of_peak if taker.load else None
    is_well = taker.verdict is not None and taker.verdict.rank >= judge.OK.rank
    return not is_well, float("inf") if share is None else share, taker.name
