"""Gateways that are drained, or are being drained, as the objects and our journal tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gwtui.changes.drains.senders import is_by_name
from gwtui.changes.journal import Change
from gwtui.changes.plan import DrainKind, Verdict
from gwtui.model.gateway_api import Gateway
from gwtui.model.ids import GatewayKey, NamespacedName
from gwtui.model.istio import DRAINING_WEIGHT
from gwtui.model.resources import GATEWAYS
from gwtui.model.shape import ShareRole
from gwtui.model.snapshot import ClusterView

_WHOLE = frozenset({DrainKind.SHARD, DrainKind.CLUSTER})
"""What takes everything from a gateway."""

ALL = "100"
"""Percent of what other clusters send, all of it kept away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainedGateway:
    """A gateway that others send nothing to any more, or that is on the way there."""

    gateway: GatewayKey
    change: Change | None
    """What did it; None where our journal does not know."""
    is_done: bool
    """Whether the drain is over; False while it is under way or was cut off."""


def drained(view: ClusterView, changes: Sequence[Change]) -> tuple[DrainedGateway, ...]:
    """Return the gateways that are drained: weight 0 in every rule of others that names them, or a drain under way.

    One that joins clusters is drained when it is to be left out by the other clusters.

    Args:
        view: The cluster.
        changes: What our journal tells, oldest first.
    """
    return tuple(_drained(view, changes))


def _drained(view: ClusterView, changes: Sequence[Change]) -> Iterator[DrainedGateway]:
    own = {
        change.plan.drain.gateway: change
        for change in changes
        if change.plan.drain is not None and change.plan.drain.kind in _WHOLE and is_in_force(change)
    }
    idle = _idle(view) | _kept_away(view)
    for node in view.topology.gateways:
        change = own.get(node.key)
        is_open = change is not None and change.verdict is Verdict.OPEN
        if is_open or node.key in idle:
            yield DrainedGateway(gateway=node.key, change=change, is_done=not is_open)


def is_in_force(change: Change) -> bool:
    """Whether a change drains something, and what it wrote is, or may be, still there."""
    return change.plan.drain is not None and not change.plan.undoes and bool(change.applied or change.uncertain)


def _kept_away(view: ClusterView) -> frozenset[GatewayKey]:
    """The gateways by which other clusters are to send nothing."""
    objects: Mapping[NamespacedName, Gateway] = view.objects.get(GATEWAYS, {})
    weights = {name: each.metadata.annotations.get(DRAINING_WEIGHT) for name, each in objects.items()}
    peering = [node.key for node in view.topology.gateways if node.is_peering]
    return frozenset(key for key in peering if weights.get((key.namespace, key.name)) == ALL)


def _idle(view: ClusterView) -> frozenset[GatewayKey]:
    """The gateways to which every rule of others that names them gives weight 0, beside others that have one."""
    named: set[GatewayKey] = set()
    fed: set[GatewayKey] = set()
    for hop in view.topology.hops:
        if not isinstance(hop.target, GatewayKey) or not is_by_name(hop):
            continue
        for share in hop.shares:
            if share.role is ShareRole.PRIMARY:
                named.add(hop.target)
                if share.backends == 1 or share.weight or not share.weight_total:
                    fed.add(hop.target)
    return frozenset(named - fed)
