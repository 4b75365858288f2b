"""What one route, or one of its rules, does on one gateway, where the proxies count it apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from gwtui.model.exposure import Exposure
from gwtui.model.ids import ObjectKey
from gwtui.model.known import Known, Unknown
from gwtui.model.samples import ProxySample, RouteSample
from gwtui.model.shape import GatewayNode
from gwtui.model.totals import total_route
from gwtui.model.traffic import NO_REQUESTS, ProxyTraffic, Rate, RouteTraffic


def routes_of(node: GatewayNode, traffic: ProxyTraffic, exposure: Exposure) -> Mapping[ObjectKey, RouteTraffic]:
    """Return the figures of every route attached to a gateway; Unknown with the reason where they are not counted.

    Counters are found by the stat prefixes their policies give them, generated and never split.

    Args:
        node: The gateway.
        traffic: What its proxies do together.
        exposure: Which routes of its cluster have counters of their own.
    """
    prefixes = {key: exposure.prefixes(key) for key in node.routes}
    users: dict[str, list[ObjectKey]] = {}
    for key, found in prefixes.items():
        for prefix in found or ():
            users.setdefault(prefix, []).append(key)
    counted: dict[str, list[RouteTraffic]] = {}
    for (_, prefix), each in traffic.routes.items():
        if prefix in users:
            counted.setdefault(prefix, []).append(each)
    return {
        key: _unknown(exposure.why_not(key)) if own is None else _figures(key, own, users, counted, traffic.rps)
        for key, own in prefixes.items()
    }


class Counted(NamedTuple):
    """The figures of one rule, and what else they cover."""

    traffic: RouteTraffic
    rules: tuple[int, ...]
    """Positions of the rules of its route that are counted together, its own included; none where nothing counts it."""


class RuleCounters:
    """Finds the counters of single rules of one gateway's routes.

    Args:
        node: The gateway.
        exposure: Which routes of its cluster have counters of their own.
    """

    def __init__(self, node: GatewayNode, exposure: Exposure) -> None:
        self._exposure = exposure
        self._prefixes = {key: exposure.of_rules(key) for key in node.routes}
        self._users: dict[str, dict[ObjectKey, tuple[int, ...]]] = {}
        for key, prefixes in self._prefixes.items():
            for index, prefix in enumerate(prefixes):
                if prefix:
                    users = self._users.setdefault(prefix, {})
                    users[key] = (*users.get(key, ()), index)

    def prefix(self, key: ObjectKey, index: int) -> str:
        """The stat prefix of a rule that no other route shares; empty where it has none."""
        prefixes = self._prefixes.get(key, ())
        found = prefixes[index] if index < len(prefixes) else ""
        return found if found and len(self._users[found]) == 1 else ""

    def rules(self, prefix: str) -> Iterator[tuple[ObjectKey, int]]:
        """The rules that a stat prefix counts, where they are of one route."""
        users = self._users.get(prefix, {})
        if len(users) == 1:
            for key, numbers in users.items():
                yield from ((key, number) for number in numbers)

    def counted(self, traffic: ProxyTraffic) -> Mapping[str, list[tuple[str, str]]]:
        """The names under which the proxies of the gateway count each stat prefix that its routes have."""
        found: dict[str, list[tuple[str, str]]] = {}
        for name in traffic.routes:
            if name[1] in self._users:
                found.setdefault(name[1], []).append(name)
        return found

    def of_rule(
        self, key: ObjectKey, index: int, traffic: ProxyTraffic, counted: Mapping[str, list[tuple[str, str]]]
    ) -> Counted:
        """Return the figures of a rule; Unknown with the reason where it is not counted.

        Args:
            key: The route.
            index: Position of the rule in `spec.rules`.
            traffic: What the proxies of the gateway do together.
            counted: `counted` of that traffic.
        """
        prefixes = self._prefixes.get(key, ())
        prefix = prefixes[index] if index < len(prefixes) else ""
        if not prefix:
            return Counted(_unknown(self._exposure.why_not(key)), ())
        users = self._users[prefix]
        other = next((user for user in users if user != key), None)
        if other is not None:
            return Counted(_together_with(other), ())
        parts = [traffic.routes[name] for name in counted.get(prefix, ())]
        return Counted(_added(parts, traffic.rps), users[key])


class InShort(NamedTuple):
    """The rates that a stat prefix is compared by."""

    rps: float
    errors_rps: float
    """Answers/s that are 5xx."""


_NEVER = RouteSample()


def in_short(samples: Sequence[ProxySample]) -> Mapping[str, InShort]:
    """Return what one proxy counts by stat prefix, for less than the whole figures cost: to find the busy and the sick.

    Prefixes without a request between the oldest and the newest sample are absent.
    """
    counting = [sample for sample in samples if sample.routes]
    if len(counting) < 2 or counting[-1].taken_mono <= counting[0].taken_mono:
        return {}
    before, span_s = counting[0].routes, counting[-1].taken_mono - counting[0].taken_mono
    found: dict[str, InShort] = {}
    for name, now in counting[-1].routes.items():
        then = before.get(name, _NEVER)
        if then.requests > now.requests or then.errors_5xx > now.errors_5xx:
            then = _NEVER
        if now.requests > then.requests:
            each = InShort((now.requests - then.requests) / span_s, (now.errors_5xx - then.errors_5xx) / span_s)
            known = found.get(name[1])
            found[name[1]] = each if known is None else added([known, each])
    return found


def added(parts: Iterable[InShort]) -> InShort:
    """Return the rates of several proxies together."""
    rates = tuple(parts)
    return InShort(sum([each.rps for each in rates]), sum([each.errors_rps for each in rates]))


def _figures(
    key: ObjectKey,
    prefixes: frozenset[str],
    users: Mapping[str, list[ObjectKey]],
    counted: Mapping[str, list[RouteTraffic]],
    all_rps: Rate,
) -> RouteTraffic:
    shared = next((other for prefix in sorted(prefixes) for other in users[prefix] if other != key), None)
    if shared is not None:
        return _together_with(shared)
    return _added([each for prefix in sorted(prefixes) for each in counted.get(prefix, ())], all_rps)


def _added(parts: list[RouteTraffic], all_rps: Rate) -> RouteTraffic:
    if parts:
        return total_route(parts)
    if isinstance(all_rps, Unknown):
        return _unknown(all_rps)
    # The name of a route appears with its first request.
    return RouteTraffic(rps=Known(0.0, all_rps.observed_at), error_ratio=NO_REQUESTS, client_error_ratio=NO_REQUESTS)


def _together_with(other: ObjectKey) -> RouteTraffic:
    return _unknown(Unknown(f"counted together with {other}: their policies give both the same statPrefix"))


def _unknown(why: Unknown) -> RouteTraffic:
    return RouteTraffic(rps=why, error_ratio=why, client_error_ratio=why, p50_ms=why, p99_ms=why)
