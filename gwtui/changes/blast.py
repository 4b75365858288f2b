"""What a change of routes moves: from the topology before and after, and from live rates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from gwtui.changes.documents import key_of, namespace_of, same_content
from gwtui.changes.peaks import peak_of
from gwtui.changes.plan import BlastRadius, Document, ExpectedShare, Load
from gwtui.changes.projection import Outlook, decoded, outlook
from gwtui.changes.rule_pairs import (
    ITSELF,
    Pair,
    delegations_of,
    destinations,
    matches_of,
    moved_part,
    paired,
    rules_of,
)
from gwtui.changes.rule_rates import Estimate, RuleRates, known, words
from gwtui.changes.sides import PlacedRule, Side, Target
from gwtui.errors import UsageError
from gwtui.explain.precedence import ROUTE_WEIGHT
from gwtui.model.exposure import intersects
from gwtui.model.gateway_api import Route, Rule
from gwtui.model.ids import ExternalKey, GatewayKey, ObjectKey, ServiceKey
from gwtui.model.kgateway import DELEGATION_LABEL
from gwtui.model.observed import proxies_of
from gwtui.model.relations.delegation import INHERIT_MATCHER
from gwtui.model.snapshot import ClusterView, Snapshot

_NOTHING = 1e-9
"""Differences of shares below this come from the arithmetic."""


def blast_radius(
    snapshot: Snapshot,
    cluster: str,
    before: Sequence[Document],
    after: Sequence[Document],
    *,
    ahead: Outlook | None = None,
) -> BlastRadius:
    """Return what moves when these routes change.

    Args:
        snapshot: Everything known; its rates are those of now.
        cluster: The cluster of the routes.
        before: The routes as they are.
        after: The same as they are wished.
        ahead: The outlook on them, where it was made already.
    """
    view = snapshot.clusters.get(cluster)
    if view is None:
        return BlastRadius(unknown=f"nothing is known of cluster {cluster}")
    old = {key_of(each, cluster): each for each in before}
    changed = [key for each in after if (key := key_of(each, cluster)) not in old or not same_content(old[key], each)]
    try:
        was, will = ahead or outlook(view, before, after)
    except UsageError as error:
        return BlastRadius(unknown=error.message)
    found = _Blast(snapshot, view, was, will)
    for key in changed:
        found.follow(key)
    return found.result()


def expected_shares(before: Document, after: Document) -> tuple[ExpectedShare, ...]:
    """Return the shares that backends should get of each rule whose division the edit changes.

    Left out are rules that divide nothing: redirects, delegation, no weight at all; and rules that name one backend
    twice, whose parts cannot be told apart by name.

    Args:
        before: A route.
        after: The same, edited.
    """
    try:
        old, new = rules_of(decoded(before)), rules_of(decoded(after))
    except UsageError:
        return ()
    namespace = namespace_of(after)
    return tuple(each for pair in paired(old, new) for each in _expected(pair, old, new, namespace))


def _expected(pair: Pair, old: Sequence[Rule], new: Sequence[Rule], namespace: str) -> Iterator[ExpectedShare]:
    if pair.after is None or delegations_of(new[pair.after]):
        return
    now = destinations(new[pair.after], namespace)
    names = [f"{target[2]}/{target[3]}" for target in now if target != ITSELF]
    if len(set(names)) < len(now):
        return
    if pair.before is not None and moved_part(destinations(old[pair.before], namespace), now) < _NOTHING:
        return
    for name, share in zip(names, now.values(), strict=True):
        yield ExpectedShare(rule_index=pair.after, backend=name, share=share)


class _Blast:
    """Collects what moves."""

    def __init__(self, snapshot: Snapshot, live: ClusterView, was: ClusterView, will: ClusterView) -> None:
        self._snapshot = snapshot
        self._live = Side(live)
        self._was = self._live if was is live else Side(was)
        self._will = self._live if will is live else self._was if will is was else Side(will)
        self._rates = RuleRates(snapshot, live)
        self._moved: list[Estimate] = []
        self._hosts: set[str] = set()
        self._gateways: set[GatewayKey] = set()
        self._changes: dict[Target, float | None] = {}
        """Requests/s that each target gets more; None where that is unknown."""
        self._reached: dict[Target, set[str]] = {}
        """The hostnames under which targets get more or less."""
        self._unsettled: dict[GatewayKey, float] = {}
        """Requests/s that gateways take beyond what is counted: weights in force changed within the last seconds."""

    def follow(self, key: ObjectKey) -> None:
        """Take in the edit of one route."""
        before, after = self._was.route(key), self._will.route(key)
        old, new = rules_of(before), rules_of(after)
        pairs = paired(old, new)
        stays = [pair for pair in pairs if None not in pair and old[pair.before or 0] == new[pair.after or 0]]
        in_force = self._was.gateways(key), self._will.gateways(key)
        is_same_scope = _scope(before) == _scope(after)
        for gateway in sorted(in_force[0] | in_force[1]):
            self._gateways.add(gateway)
            if not is_same_scope:
                self._rescoped(gateway, key, is_before=gateway in in_force[0], is_after=gateway in in_force[1])
            for pair in pairs:
                one = self._rule(self._was, gateway, key, pair.before)
                other = self._rule(self._will, gateway, key, pair.after)
                # What is read of a rule is not all of it: an edit that shows nowhere may be in every rule.
                if pair not in stays or len(stays) == len(pairs):
                    self._note_hosts(one, other)
                if is_same_scope and (one or other):
                    self._shift(one, other, old, new)
                elif one or other:
                    self._disturb(one, other)

    def result(self) -> BlastRadius:
        """Return what was collected."""
        unknown = [each for each in self._moved if each.rps is None]
        moved = None if unknown else sum(each.rps or 0.0 for each in self._moved)
        targets = [target for (_, target), change in self._changes.items() if change is None or abs(change) > _NOTHING]
        return BlastRadius(
            moved_rps=moved,
            moved_share=self._share(moved),
            unknown=self._why(unknown),
            hostnames=tuple(sorted(self._hosts)),
            namespaces=tuple(sorted(set(self._namespaces()))),
            gateways=tuple(sorted(self._gateways)),
            loads=self._loads([target for target in targets if isinstance(target, GatewayKey)]),
        )

    def _rule(self, side: Side, gateway: GatewayKey, key: ObjectKey, index: int | None) -> PlacedRule | None:
        """A rule of the route where it is in force on a gateway."""
        if index is None:
            return None
        rule = PlacedRule(gateway, key, index)
        return rule if rule in side.hosts(key) else None

    def _note_hosts(self, one: PlacedRule | None, other: PlacedRule | None) -> None:
        if one is not None:
            self._hosts |= self._was.hosts(one.route)[one]
        if other is not None:
            self._hosts |= self._will.hosts(other.route)[other]

    def _rescoped(self, gateway: GatewayKey, key: ObjectKey, *, is_before: bool, is_after: bool) -> None:
        """The route itself comes, goes or takes other hostnames on a gateway."""
        name = f"{key.namespace}/{key.name}"
        what = "comes to" if not is_before else "leaves" if not is_after else "takes other requests on"
        bound = self._rates.of_gateway(gateway)
        self._moved.append(Estimate(None, bound.at_most, f"{name} {what} {gateway}"))
        self._disturb_others(gateway, key)
        for side in (self._was, self._will):
            self._hosts |= {
                host for rule, hosts in side.hosts(key).items() if rule.gateway == gateway for host in hosts
            }

    def _shift(
        self, one: PlacedRule | None, other: PlacedRule | None, old: Sequence[Rule], new: Sequence[Rule]
    ) -> None:
        """A rule divides its requests in another way, or comes, goes or takes others."""
        if one is None or other is None:
            rule = one or other
            assert rule is not None  # noqa: S101 - the caller has looked
            bound = self._live_rate(one) if one is not None else self._rates.of_gateway(rule.gateway)
            what = "goes: others take its requests, or none" if other is None else "is new: it takes requests of others"
            self._moved.append(Estimate(None, bound.at_most, f"rule {rule.position} of {_name(rule.route)} {what}"))
            self._disturb(one, other)
            self._disturb_others(rule.gateway, rule.route)
            return
        first, second = old[one.position], new[other.position]
        if matches_of(first) != matches_of(second) or delegations_of(first) != delegations_of(second):
            bound = self._rates.of_gateway(one.gateway)
            why = f"rule {other.position} of {_name(other.route)} takes other requests than before"
            self._moved.append(Estimate(None, bound.at_most, why))
            self._disturb(one, other)
            self._disturb_others(one.gateway, one.route)
            return
        namespace = one.route.namespace
        part = moved_part(destinations(first, namespace), destinations(second, namespace))
        parts = self._was.parts(one), self._will.parts(other)
        changes = {each: parts[1].get(each, 0.0) - parts[0].get(each, 0.0) for each in {*parts[0], *parts[1]}}
        if part < _NOTHING and all(abs(change) < _NOTHING for change in changes.values()):
            return
        rate = self._live_rate(one)
        if part >= _NOTHING:
            at_most = None if rate.at_most is None else rate.at_most * part
            self._moved.append(known(rate.rps * part) if rate.rps is not None else Estimate(None, at_most, rate.why))
        for target, change in changes.items():
            if abs(change) >= _NOTHING:
                self._add(target, None if rate.rps is None else rate.rps * change, other)
        for gateway, more in self._not_counted(one).items():
            self._unsettled[gateway] = self._unsettled.get(gateway, 0.0) + more

    def _disturb(self, one: PlacedRule | None, other: PlacedRule | None) -> None:
        """Nobody knows how much more or less the targets of a rule will get."""
        for side, rule in ((self._was, one), (self._will, other)):
            if rule is not None:
                for target in side.parts(rule):
                    self._add(target, None, rule)

    def _disturb_others(self, gateway: GatewayKey, key: ObjectKey) -> None:
        """The same for the rules of other routes, where they come, go or get other hostnames: those delegated to."""
        was, will = self._was.rules(gateway), self._will.rules(gateway)
        for rule in {*was, *will}:
            if rule.route != key and was.get(rule) != will.get(rule):
                self._disturb(rule, rule)

    def _add(self, target: Target, change: float | None, rule: PlacedRule) -> None:
        before = self._changes.get(target, 0.0)
        self._changes[target] = None if change is None or before is None else before + change
        hosts = self._was.hosts(rule.route).get(rule, set()) | self._will.hosts(rule.route).get(rule, set())
        self._reached.setdefault(target, set()).update(hosts)

    def _live_rate(self, rule: PlacedRule) -> Estimate:
        """What a rule of the state before takes now, found among the rules that are in force now."""
        position = self._live_position(rule)
        if position is not None:
            return self._rates.of_rule(rule.gateway, rule.route, position)
        bound = self._rates.of_gateway(rule.gateway)
        return Estimate(None, bound.at_most, f"rule {rule.position} of {_name(rule.route)} is not in force yet")

    def _not_counted(self, rule: PlacedRule) -> Mapping[GatewayKey, float]:
        """What gateways take of a rule of the state before and is not in their rates yet."""
        position = self._live_position(rule)
        return {} if position is None else self._rates.unsettled(rule.gateway, rule.route, position)

    def _live_position(self, rule: PlacedRule) -> int | None:
        live, was = self._live.route(rule.route), self._was.route(rule.route)
        if live is None or was is None:
            return None
        pairs = paired(rules_of(live), rules_of(was))
        return next((pair.before for pair in pairs if pair.after == rule.position), None)

    def _share(self, moved: float | None) -> float | None:
        if moved is None or moved == 0:
            return moved
        rates = [self._rates.of_gateway(gateway).rps for gateway in self._gateways]
        total = sum(rate or 0.0 for rate in rates)
        return min(1.0, moved / total) if total and None not in rates else None

    def _why(self, unknown: Sequence[Estimate]) -> str:
        reasons = "; ".join(dict.fromkeys(each.why for each in unknown))
        bounds = [each.at_most for each in self._moved]
        if not unknown or None in bounds:
            return reasons
        # No more can move than the gateways take altogether.
        totals = [self._rates.of_gateway(gateway).rps for gateway in self._gateways]
        at_most = sum(bound or 0.0 for bound in bounds)
        if None not in totals:
            at_most = min(at_most, sum(total or 0.0 for total in totals))
        return f"at most {words(at_most)}: {reasons}"

    def _loads(self, targets: Iterable[GatewayKey]) -> tuple[Load, ...]:
        changed = {target: self._changes[("GatewayKey", target)] for target in targets}
        for onward in self._onward(changed):
            changed.setdefault(onward, None)
        loads = [self._load(gateway, change) for gateway, change in changed.items()]
        return tuple(sorted(loads, key=lambda load: (-(load.share_of_peak or 0.0), load.gateway)))

    def _load(self, gateway: GatewayKey, change: float | None) -> Load:
        counted, node = self._rates.of_gateway(gateway).rps, self._live.nodes.get(gateway)
        now = None if counted is None else max(0.0, counted + self._unsettled.get(gateway, 0.0))
        peak = peak_of(proxies_of(self._snapshot, node)) if node is not None else None
        return Load(
            gateway=gateway,
            now_rps=now,
            then_rps=None if now is None or change is None else max(0.0, now + change),
            peak_rps=peak.rps if peak is not None else None,
            peak_window_s=peak.window_s if peak is not None else 0.0,
        )

    def _onward(self, gateways: Iterable[GatewayKey]) -> set[GatewayKey]:
        """The gateways behind these."""
        found: set[GatewayKey] = set()
        pending = list(gateways)
        while pending:
            source = pending.pop()
            for hop in self._will.view.topology.hops:
                if hop.source == source and isinstance(hop.target, GatewayKey) and hop.target not in found:
                    found.add(hop.target)
                    pending.append(hop.target)
        return found

    def _namespaces(self) -> Iterator[str]:
        """Of the targets, and of the workloads behind those that are gateways."""
        for (_, target), hosts in self._reached.items():
            if isinstance(target, ExternalKey):
                continue
            yield target.namespace
            if isinstance(target, GatewayKey):
                yield from self._behind(target, hosts)

    def _behind(self, gateway: GatewayKey, hosts: set[str]) -> Iterator[str]:
        behind = {gateway, *self._onward((gateway,))}
        for side in (self._was, self._will):
            for hop in side.view.topology.hops:
                if (
                    hop.source in behind
                    and isinstance(hop.target, ServiceKey)
                    and any(intersects(share.hostnames, hosts) for share in hop.shares)
                ):
                    yield hop.target.namespace


def _scope(route: Route | None) -> object:
    """What decides which requests come to a route at all."""
    if route is None:
        return None
    marks = [route.metadata.annotations.get(each) for each in (ROUTE_WEIGHT, INHERIT_MATCHER)]
    return route.spec.parent_refs, route.spec.hostnames, marks, route.metadata.labels.get(DELEGATION_LABEL)


def _name(key: ObjectKey) -> str:
    return f"{key.namespace}/{key.name}"
