"""Which of a Gateway's routes have counters of their own in Envoy, and under which names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gwtui.model.gateway_api import GrpcRoute, GrpcRule, HttpRoute, HttpRule
from gwtui.model.ids import ObjectKey
from gwtui.model.kgateway import KGATEWAY, TrafficPolicy
from gwtui.model.known import Unknown
from gwtui.model.names import stat_prefix
from gwtui.model.relations.inventory import Inventory
from gwtui.model.resources import ROUTES, TRAFFIC_POLICIES


class Exposure:
    """Stat prefixes by route, from the TrafficPolicies of one cluster (kgateway 2.4)."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory
        self._policies: dict[str, list[TrafficPolicy]] = {}
        policies = inventory.of(TRAFFIC_POLICIES)
        for namespace, name in sorted(policies):
            policy: TrafficPolicy = policies[(namespace, name)]
            if policy.spec.stat_prefix:
                self._policies.setdefault(namespace, []).append(policy)
        for found in self._policies.values():
            found.sort(key=lambda policy: policy.metadata.creation_timestamp)  # the oldest wins

    def prefixes(self, key: ObjectKey) -> frozenset[str] | None:
        """Return the stat prefixes of every rule of a route; None when some rule has no counters of its own."""
        found = self.of_rules(key)
        return frozenset(found) if found and all(found) else None

    def of_rules(self, key: ObjectKey) -> tuple[str, ...]:
        """Return the stat prefix of each rule of a route, empty where it has none; of other kinds nothing."""
        route = self._inventory.of(key.resource).get((key.namespace, key.name))
        if not isinstance(route, HttpRoute | GrpcRoute):
            return ()
        rules: tuple[HttpRule | GrpcRule, ...] = route.spec.rules
        return tuple(
            stat_prefix(self._template(key, route, rule), namespace=key.namespace, name=key.name, rule_name=rule.name)
            for rule in rules
        )

    def why_not(self, key: ObjectKey) -> Unknown:
        """Why a route has no counters of its own. Only policies of its namespace could give it some."""
        if self._inventory.was_read_in(TRAFFIC_POLICIES, key.namespace):
            return Unknown(f"not exposed: set statPrefix by a TrafficPolicy on {key}")
        return Unknown(f"{key} may be exposed: traffic policies of namespace {key.namespace} are not read")

    def _template(self, key: ObjectKey, route: HttpRoute | GrpcRoute, rule: HttpRule | GrpcRule) -> str:
        """The template in force: a policy the rule names, else one for this rule, else one for the whole route."""
        policies = self._policies.get(key.namespace, ())
        named = {
            found.extension_ref.name
            for found in rule.filters
            if found.extension_ref is not None
            and (found.extension_ref.group, found.extension_ref.kind) == (KGATEWAY, "TrafficPolicy")
        }
        attached = [
            (section, policy.spec.stat_prefix)
            for policy in policies
            for section in _sections(policy, ROUTES[key.resource], key.name, route.metadata.labels)
        ]
        candidates = (
            *(policy.spec.stat_prefix for policy in policies if policy.metadata.name in named),
            *(template for section, template in attached if section and section == rule.name),
            *(template for section, template in attached if not section),
        )
        return next(iter(candidates), "")


def _sections(policy: TrafficPolicy, kind: str, name: str, labels: dict[str, str]) -> Iterator[str]:
    """The rule names under which a policy targets a route; empty for the whole of it."""
    for ref in policy.spec.target_refs:
        if (ref.kind, ref.name) == (kind, name):
            yield ref.section_name
    for selector in policy.spec.target_selectors:
        if selector.kind == kind and selector.match_labels.items() <= labels.items():
            yield selector.section_name


def intersects(these: Iterable[str], those: Iterable[str]) -> bool:
    """Whether some hostname is in both sets, wildcards considered. An empty set is every hostname."""
    left, right = tuple(these), tuple(those)
    return not left or not right or any(_overlaps(one, other) for one in left for other in right)


def _overlaps(one: str, other: str) -> bool:
    if one in {"", "*"} or other in {"", "*"} or one == other:
        return True
    return (one.startswith("*.") and other.endswith(one[1:])) or (other.startswith("*.") and one.endswith(other[1:]))
