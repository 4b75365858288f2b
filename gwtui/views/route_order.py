"""Which rules are tried before a rule: what takes its requests, where that can be told."""

from __future__ import annotations

from collections.abc import Iterator

from gwtui.explain.matching import covers, words_of
from gwtui.explain.precedence import Candidate, reason
from gwtui.explain.virtual_hosts import VirtualHosts
from gwtui.model import resources
from gwtui.model.gateway_api import L4Rule
from gwtui.model.ids import GatewayKey
from gwtui.model.relations.inventory import Inventory
from gwtui.model.snapshot import ClusterView
from gwtui.views.remembered import ByIdentity
from gwtui.views.route_survey import RuleRow

_HOSTS: ByIdentity[GatewayKey, VirtualHosts] = ByIdentity(most=8)


def order_remarks(view: ClusterView, row: RuleRow) -> Iterator[str]:
    """Yield where a rule is tried, one line per virtual host, and what takes its matches before they are tried.

    Taken that every route is looked at by the precedence of the Gateway API; route weights count as kgateway has them.
    """
    if isinstance(row.facts.rule, L4Rule):
        return
    for gateway in row.place.gateways:
        hosts = _hosts(view, gateway)
        for place in hosts.of({row.key.route}) if hosts is not None else ():
            candidates = hosts.candidates(place) if hosts is not None else ()
            own = [position for position, each in enumerate(candidates) if each.rule == row.key]
            if own:
                where = f"{place.host} on {gateway} {place.listener}"
                tried = f"{where}: match {own[0] + 1} of {len(candidates)} in the order they are tried"
                yield "; ".join((tried, *_beaten(candidates, own)))


def _hosts(view: ClusterView, gateway: GatewayKey) -> VirtualHosts | None:
    node = view.gateway(gateway)
    if node is None:
        return None
    read = (*resources.ROUTES, resources.GATEWAYS, *resources.LISTENER_SETS, resources.NAMESPACES)
    sources = (node, *(view.objects.get(each) for each in read))
    return _HOSTS.get(gateway, sources, lambda: VirtualHosts(Inventory(view.name, view.objects, view.scopes), (node,)))


def _beaten(candidates: tuple[Candidate, ...], own: list[int]) -> Iterator[str]:
    """The matches that can never be reached, with what takes their requests."""
    for position in own:
        loser = candidates[position]
        winner = next((each for each in candidates[:position] if covers(each.match, loser.match)), None)
        if winner is not None and winner.rule != loser.rule:
            taker = f"{winner.route.namespace}/{winner.route.name} rule {winner.rule_index}"
            yield f"{words_of(loser.match)} is never reached: {taker} takes it, {reason(winner, loser)}"
