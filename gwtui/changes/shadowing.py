"""Which requests an edit of routes takes from other rules or leaves to them, and which rules can never match."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from gwtui.changes.plan import Caution
from gwtui.changes.rule_pairs import rules_of
from gwtui.explain.matching import Overlap, covers, overlap, words_of
from gwtui.explain.precedence import Candidate, order, reason
from gwtui.explain.virtual_hosts import VirtualHost, VirtualHosts
from gwtui.model.gateway_api import Route, Rule
from gwtui.model.ids import GatewayKey, ObjectKey
from gwtui.model.names import ANY_HOST
from gwtui.model.relations.inventory import Inventory
from gwtui.model.snapshot import ClusterView

MOST = 8
"""Cautions of one kind; more are counted."""

NEVER_MATCHES, SHADOWS, TAKES, RELEASES, HOST_TAKEN, HOST_LOST = (
    "shadowed",
    "shadows",
    "takes",
    "releases",
    "host-taken",
    "host-lost",
)


class _Line(NamedTuple):
    """What is to be said, apart from where."""

    code: str
    text: str
    """With `{hosts}` where the hostnames go."""


def shadowing(before: ClusterView, after: ClusterView, routes: Collection[ObjectKey]) -> tuple[Caution, ...]:
    """Return what an edit changes in the order in which rules are tried.

    Args:
        before: The cluster as it is.
        after: The cluster as it will be.
        routes: The edited routes.
    """
    gateways = {
        node.key
        for view in (before, after)
        for node in view.topology.gateways
        if not set(routes).isdisjoint(node.routes)
    }
    both = _Both(_State(before, gateways, routes), _State(after, gateways, routes), routes)
    said: dict[_Line, dict[str, None]] = {}
    for place in sorted({*both.was.places, *both.will.places}):
        for line in _lines(both, place):
            said.setdefault(line, {})[place.host] = None
    return tuple(_told(said))


class _State:
    """The virtual hosts of some gateways in one state of the cluster."""

    def __init__(self, view: ClusterView, gateways: Collection[GatewayKey], routes: Collection[ObjectKey]) -> None:
        nodes = [node for node in view.topology.gateways if node.key in gateways]
        self.view = view
        self.hosts = VirtualHosts(Inventory(view.name, view.objects, view.scopes), nodes)
        self.places = frozenset(self.hosts.of(routes))
        """Those in which an edited route has a part."""

    def rule(self, rule: tuple[ObjectKey, int]) -> Rule | None:
        """A rule of this state."""
        key, position = rule
        route: Route | None = self.view.objects.get(key.resource, {}).get((key.namespace, key.name))
        rules = rules_of(route)
        return rules[position] if position < len(rules) else None


class _Both(NamedTuple):
    """The cluster before and after, and the edited routes."""

    was: _State
    will: _State
    routes: Collection[ObjectKey]


def _lines(both: _Both, place: VirtualHost) -> Iterator[_Line]:
    old, new = both.was.hosts.candidates(place), both.will.hosts.candidates(place)
    yield from _dead(both, old, new)
    if not new:
        yield from _lost_host(both, place)
        return
    if not old:
        yield from _won_host(both, place)
    yield from _taken(old, new, both.routes)
    yield from _released(old, new, both.routes)


def _dead(both: _Both, old: Sequence[Candidate], new: Sequence[Candidate]) -> Iterator[_Line]:
    """Rules that can never match: edited ones, and others because of those."""
    earlier, routes = shadowed(old), both.routes
    for rule, (winner, loser) in shadowed(new).items():
        is_own = _is_edited(loser, routes)
        if rule in earlier and (not is_own or both.was.rule(rule) == both.will.rule(rule)):
            continue
        same = "has the same match" if winner.match == loser.match else "takes all it asks for"
        why = f"{_called(winner, routes)} {same} and {reason(winner, loser)}{_if_weighted(winner, loser)}"
        if is_own:
            yield _Line(NEVER_MATCHES, f"{_called(loser, routes)} can never match on {{hosts}}: {why}")
        elif _is_edited(winner, routes):
            yield _Line(SHADOWS, f"{_called(loser, routes)} will never match on {{hosts}}: {why}")


def shadowed(candidates: Sequence[Candidate]) -> dict[tuple[ObjectKey, int], tuple[Candidate, Candidate]]:
    """Return the rules all of whose matches others before them take, with the last of these and what it takes."""
    found: dict[tuple[ObjectKey, int], tuple[Candidate, Candidate]] = {}
    alive: set[tuple[ObjectKey, int]] = set()
    broad: list[Candidate] = []
    for each in candidates:
        winner = next((other for other in broad if covers(other.match, each.match)), None)
        if winner is None:
            alive.add(each.rule)
            broad.append(each)
        else:
            found[each.rule] = (winner, each)
    return {rule: pair for rule, pair in found.items() if rule not in alive}


def _taken(old: Sequence[Candidate], new: Sequence[Candidate], routes: Collection[ObjectKey]) -> Iterator[_Line]:
    """Requests that an edited rule takes from rules of others, and did not take before."""
    for position, own in enumerate(new):
        if not _is_edited(own, routes) or any(covers(each.match, own.match) for each in new[:position]):
            continue
        for other in new[position + 1 :]:
            if _is_edited(other, routes):
                continue
            found = overlap(own.match, other.match)
            if found and not _took(old, own, other, routes):
                may = "takes" if found is Overlap.CERTAIN else "may take"
                from_ = f"from {_called(other, routes)}{_if_weighted(own, other)}"
                yield _Line(TAKES, f"{_called(own, routes)} {may} {words_of(own.match)} of {{hosts}} {from_}")
            if covers(other.match, own.match):
                break


def _took(old: Sequence[Candidate], own: Candidate, other: Candidate, routes: Collection[ObjectKey]) -> bool:
    """Whether the edited routes took these requests from that rule before as well."""
    for each in old:
        if each.rule == other.rule and each.match == other.match:
            return False
        if _is_edited(each, routes) and covers(each.match, own.match):
            return True
    return False


def _released(old: Sequence[Candidate], new: Sequence[Candidate], routes: Collection[ObjectKey]) -> Iterator[_Line]:
    """Requests that an edited rule took before, and no edited rule asks for now."""
    for position, own in enumerate(old):
        if not _is_edited(own, routes) or any(covers(each.match, own.match) for each in old[:position]):
            continue
        earlier = {(each.rule, each.match) for each in old[:position]}
        takers = []
        for each in new:
            if overlap(own.match, each.match) and (each.rule, each.match) not in earlier:
                takers.append(each)
                if covers(each.match, own.match):
                    break
        is_covered = bool(takers) and covers(takers[-1].match, own.match)
        if is_covered and all(_is_edited(each, routes) for each in takers):
            continue
        names = list(dict.fromkeys(_called(each, routes) for each in takers))
        if not is_covered:
            names.append("else nothing (404)" if names else "nothing (404)")
        yield _Line(RELEASES, f"{words_of(own.match)} of {{hosts}} is left by {_called(own, routes)} to {_few(names)}")


def _won_host(both: _Both, place: VirtualHost) -> Iterator[_Line]:
    """A hostname that had no virtual host of its own."""
    loser = both.was.hosts.serving(place)
    if loser is not None:
        text = f"{{hosts}} gets rules of its own on {place.gateway}: those of {loser.host} take none of its requests"
        yield _Line(HOST_TAKEN, f"{text} any more")


def _lost_host(both: _Both, place: VirtualHost) -> Iterator[_Line]:
    """A hostname that has no virtual host any more."""
    winner = both.will.hosts.serving(place)
    if winner is None:
        yield _Line(HOST_LOST, f"nothing takes {{hosts}} on {place.gateway} any more: 404")
    else:
        yield _Line(HOST_LOST, f"{{hosts}} is left to the rules of {winner.host} on {place.gateway}")


def _is_edited(candidate: Candidate, routes: Collection[ObjectKey]) -> bool:
    return any(link.key in routes for link in candidate.chain)


def _called(candidate: Candidate, routes: Collection[ObjectKey]) -> str:
    """A rule in words: that of the one edited route by its position alone."""
    if len(routes) == 1 and candidate.route in routes:
        return f"rule {candidate.rule_index}"
    return f"rule {candidate.rule_index} of {candidate.route.namespace}/{candidate.route.name}"


def _if_weighted(winner: Candidate, loser: Candidate) -> str:
    """A reservation where the annotation decides, which the control plane may ignore."""
    decides = order(winner, weighted=False) > order(loser, weighted=False)
    return " (where the control plane heeds route weights)" if decides else ""


def _told(said: Mapping[_Line, Iterable[str]]) -> Iterator[Caution]:
    counts: dict[str, int] = {}
    for line, hosts in said.items():
        counts[line.code] = counts.get(line.code, 0) + 1
        if counts[line.code] <= MOST:
            names = _few(["any host" if host == ANY_HOST else host for host in hosts])
            yield Caution(code=line.code, text=line.text.replace("{hosts}", names))
    for code, count in counts.items():
        if count > MOST:
            yield Caution(code=code, text=f"{count - MOST} more like that")


def _few(names: Sequence[str]) -> str:
    """The first three, and how many more there are."""
    shown = ", ".join(names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown
