"""Whether what a proxy has loaded is what the objects intend, hop by hop."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from gwtui.explain.course import Branch, Course, Hop, Loaded, Outcome, RuleRef
from gwtui.explain.loaded.answers import Answer, Body, CannotTell, Forward, Redirect, Reply, Share, Unrouted
from gwtui.explain.loaded.answers import Loaded as Found
from gwtui.explain.loaded.entrance import Entrance, entrance_of
from gwtui.explain.loaded.lookup import loaded_route, table_of
from gwtui.explain.request import Request
from gwtui.model.ids import ProxyKey
from gwtui.model.names import listener, route_core
from gwtui.model.resources import ROUTES

BLACKHOLE = "blackhole-cluster"
"""Upstream of everything that leads nowhere. *Source:* kgateway; no such cluster exists, so Envoy answers 500."""

_SAME = 0.002
"""Difference of shares that comes of rounding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What one proxy holds that decides about requests, or why it is not known."""

    listeners: tuple[Body, ...] = ()
    routes: tuple[Body, ...] = ()
    version: str = ""
    failure: str = ""
    """Why it could not be read; empty when it was."""


def with_loaded(course: Course, held: Mapping[ProxyKey, Held]) -> Course:
    """Return a course with the answers of the proxies on it, as far as they were read."""
    return replace(course, first=_with(course.first, held))


def route_configs(course: Course) -> Mapping[ProxyKey, tuple[str, ...]]:
    """Return the route configurations that decide, for every proxy on a course; none where no name is known."""
    found: dict[ProxyKey, dict[str, None]] = {}
    for _, hop in course.hops:
        for proxy in hop.proxies if _is_compared(hop) else ():
            found.setdefault(proxy, {}).update({hop.route_config: None} if hop.route_config else {})
    return {proxy: tuple(names) for proxy, names in found.items()}


def provable(hop: Hop, held: Held) -> tuple[Body, Entrance, Request] | None:
    """Return the routes that decide at a hop, where requests come in, and the request; None where there are none."""
    if held.failure or not _is_compared(hop):
        return None
    port, request = hop.listeners[0].port, _arriving(hop)
    found = entrance_of(held.listeners, request, listener=listener(port), port=port)
    if not isinstance(found, Entrance) or found.manager is None:
        return None
    table = table_of(found.manager, held.routes)
    return None if isinstance(table, Unrouted | CannotTell) else (table, found, request)


def is_as_intended(hop: Hop, route: str, status: int) -> bool | None:
    """Return whether an answer of Envoy's matcher is what objects intend; None where they leave it open.

    Args:
        hop: What they intend.
        route: Name of the Envoy route; empty where none takes the request.
        status: What a client gets where none does.
    """
    winner = hop.contest.winner if hop.contest is not None else None
    if route:
        is_same = winner is not None and names_rule(route, winner)
    else:
        is_same = winner is None and hop.end is not None and hop.end.status == status
    return None if _is_open(hop) and not is_same else is_same


def _is_compared(hop: Hop) -> bool:
    """Whether the names are known by which a proxy holds what decides here."""
    return bool(hop.listeners) and hop.data_plane == "kgateway"


def _with(hop: Hop, held: Mapping[ProxyKey, Held]) -> Hop:
    own = {proxy: _told(hop, held[proxy]) for proxy in hop.proxies if proxy in held and _is_compared(hop)}
    branches = tuple(each if each.hop is None else replace(each, hop=_with(each.hop, held)) for each in hop.branches)
    return replace(hop, loaded=own, branches=branches)


def _told(hop: Hop, held: Held) -> Loaded:
    if held.failure:
        return Loaded(agrees=None, words=held.failure)
    port = hop.listeners[0].port
    answer = loaded_route(
        held.listeners, held.routes, _arriving(hop), listener=listener(port), port=port, version=held.version
    )
    return compared(hop, answer)


def _arriving(hop: Hop) -> Request:
    """The request as the listener gets it: TLS that ended before is gone."""
    ended = hop.request.scheme == "https" and hop.listeners[0].protocol == "HTTP"
    return replace(hop.request, scheme="http") if ended else hop.request


def compared(hop: Hop, answer: Answer) -> Loaded:
    """Return what a proxy says beside what the objects intend."""
    match answer:
        case CannotTell():
            return Loaded(agrees=None, words=f"cannot be told: {answer.reason}")
        case Unrouted():
            status = "closes the connection" if answer.status is None else f"answers {answer.status}"
            ends_alike = hop.end is not None and hop.end.outcome is Outcome.WRONG and hop.end.status == answer.status
            agrees = None if _is_open(hop) else ends_alike
            return Loaded(agrees=agrees, words=f"{status}: {answer.reason}")
        case Found():
            return _routed(hop, answer)


def _is_open(hop: Hop) -> bool:
    """Whether the objects leave the answer open."""
    is_unsure = hop.contest is not None and not hop.contest.is_certain
    return is_unsure or (hop.end is not None and hop.end.outcome is Outcome.UNKNOWN)


def _routed(hop: Hop, found: Found) -> Loaded:
    words, clusters, agrees = _acted(hop, found)
    name = found.route or f"route {found.index} of {found.virtual_host}"
    winner = hop.contest.winner if hop.contest is not None else None
    is_same_rule = winner is not None and (not found.routes or not found.route or names_rule(found.route, winner))
    if _is_open(hop) and not (is_same_rule and agrees):
        return Loaded(agrees=None, words=f"{name} {words}", route=found.route, clusters=clusters)
    if not is_same_rule:
        return Loaded(
            agrees=False, words=f"another rule takes it: {name} {words}", route=found.route, clusters=clusters
        )
    return Loaded(agrees=agrees, words=f"{name} {words}", route=found.route, clusters=clusters)


def names_rule(route: str, rule: RuleRef) -> bool:
    """Return whether the name of an Envoy route is that of a rule; of a delegated one its route alone is compared."""
    core = route_core(
        kind=ROUTES[rule.route.resource],
        namespace=rule.route.namespace,
        name=rule.route.name,
        rule=rule.rule_index,
        match=rule.match_index,
        rule_name=rule.rule_name,
    )
    if rule.via:
        # Rules of children are counted after those that do not fit were left out.
        core = f"{ROUTES[rule.route.resource].lower()}-{rule.route.name}-{rule.route.namespace}-"
        return core in route
    return f"-{core}-matcher-" in route or "-matcher-" not in route


def _acted(hop: Hop, found: Found) -> tuple[str, tuple[str, ...], bool | None]:
    """What a route does in words, the clusters it sends to, and whether that is what is intended."""
    match found.action:
        case Forward(shares=shares):
            clusters = tuple(share.cluster for share in shares)
            words = "sends nowhere: all weights are 0" if not shares else f"sends {_shares(shares)}"
            return words, clusters, _same_shares(hop, shares)
        case Redirect(status=status) | Reply(status=status):
            is_same = hop.end is not None and hop.end.status == status
            return f"answers {status}", (), is_same or _all_lost(hop, status)
        case CannotTell(reason=reason):
            return f"does what cannot be told: {reason}", (), None


def _shares(shares: Iterable[Share]) -> str:
    parts = [(f"{share.ratio * 100:.0f}% to " if share.ratio < 1 else "to ") + share.cluster for share in shares]
    return ", ".join(parts)


def _all_lost(hop: Hop, status: int) -> bool:
    """Whether every branch ends with the same error at this hop."""
    ends = [branch.end for branch in hop.branches if branch.share]
    return bool(ends) and all(end is not None and end.status == status for end in ends)


def _same_shares(hop: Hop, shares: Iterable[Share]) -> bool | None:
    intended: dict[str, float] = {}
    for branch in hop.branches:
        if branch.share:
            name = branch.cluster or (BLACKHOLE if _is_lost(branch) else "")
            if not name:
                return None
            intended[name] = intended.get(name, 0.0) + branch.share
    loaded: dict[str, float] = {}
    for share in shares:
        if share.ratio:
            loaded[share.cluster] = loaded.get(share.cluster, 0.0) + share.ratio
    if not intended and hop.end is not None:
        # Where nothing is to be sent anywhere, the upstream that does not exist answers as well.
        return set(loaded) <= {BLACKHOLE} and hop.end.status == 500
    names = intended.keys() | loaded.keys()
    return all(abs(intended.get(name, 0.0) - loaded.get(name, 0.0)) <= _SAME for name in names)


def _is_lost(branch: Branch) -> bool:
    return branch.end is not None and branch.end.status == 500
