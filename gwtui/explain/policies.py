"""What attached TrafficPolicies do to a request that no route tells: they may answer it, or change it on its way.

*Source:* TrafficPolicy of kgateway 2.0 to 2.4: it targets Gateways (or one listener), ListenerSets and routes (or one
rule by its name) of its own namespace by name or label, or is named by an ExtensionRef filter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from gwtui.model import resources
from gwtui.model.gateway_api import Route
from gwtui.model.ids import GatewayKey, NamespacedName, ObjectKey
from gwtui.model.kgateway import Present, Switch, TrafficPolicy
from gwtui.model.relations.inventory import Inventory

ANSWERING = {
    "ext_auth": "extAuth",
    "ext_proc": "extProc",
    "jwt": "jwt",
    "jwt_auth": "jwtAuth",
    "api_key_auth": "apiKeyAuth",
    "basic_auth": "basicAuth",
    "oauth2": "oauth2",
    "rbac": "rbac",
    "acl": "acl",
    "rate_limit": "rateLimit",
    "csrf": "csrf",
    "fault_injection": "faultInjection",
}
"""Fields by which a proxy may answer itself, or let somebody else decide."""


class Reservation(NamedTuple):
    """What a policy may do to a request, so that the answer may be another."""

    policy: str
    """`<namespace>/<name>`."""
    what: str
    """Its field as it is written: `extAuth`."""
    changes_request: bool
    """Whether the next gateway may see another request."""

    @property
    def words(self) -> str:
        """One line."""
        does = "changes the request on its way" if self.changes_request else "may answer instead"
        return f"TrafficPolicy {self.policy} ({self.what}) {does}"


class Target(NamedTuple):
    """What a policy may be attached to."""

    kind: str
    namespace: str
    name: str
    labels: Mapping[str, str]
    section: str = ""
    """The listener, or the rule by its name."""


class Policies:
    """The TrafficPolicies of one cluster.

    Args:
        inventory: The cluster.
    """

    def __init__(self, inventory: Inventory) -> None:
        self._policies: Mapping[NamespacedName, TrafficPolicy] = inventory.of(resources.TRAFFIC_POLICIES)
        self._by_namespace: dict[str, list[tuple[NamespacedName, TrafficPolicy]]] = {}
        for name, policy in self._policies.items():
            self._by_namespace.setdefault(name[0], []).append((name, policy))
        self.are_read = inventory.was_read(resources.TRAFFIC_POLICIES)

    def on(self, targets: Iterable[Target], named: Iterable[NamespacedName] = ()) -> tuple[TrafficPolicy, ...]:
        """Return the policies attached to any of some objects, and those named by filters, each once."""
        found: dict[NamespacedName, TrafficPolicy] = {}
        for target in targets:
            nearby = self._by_namespace.get(target.namespace, ())
            found.update((name, policy) for name, policy in nearby if _aims_at(policy, target))
        found.update((name, self._policies[name]) for name in named if name in self._policies)
        return tuple(found.values())


def reservations_of(policies: Iterable[TrafficPolicy]) -> Iterator[Reservation]:
    """Yield what policies may do to a request."""
    for policy in policies:
        name, spec = f"{policy.metadata.namespace}/{policy.metadata.name}", policy.spec
        for field, written in ANSWERING.items():
            part: Present | Switch | None = getattr(spec, field)
            is_off = isinstance(part, Switch) and part.disable is not None
            if part is not None and not is_off:
                yield Reservation(name, written, changes_request=False)
        if spec.transformation is not None and spec.transformation.request is not None:
            wanted = spec.transformation.request
            if wanted.set or wanted.add or wanted.remove:
                yield Reservation(name, "transformation", changes_request=True)
        if spec.auto_host_rewrite:
            yield Reservation(name, "autoHostRewrite", changes_request=True)
        if spec.url_rewrite is not None:
            yield Reservation(name, "urlRewrite", changes_request=True)


def timeout_of(policies: Iterable[TrafficPolicy]) -> tuple[str, str] | None:
    """Return the request timeout that policies set, as it is written, and who sets it; None without one."""
    for policy in policies:
        if policy.spec.timeouts is not None and policy.spec.timeouts.request:
            return policy.spec.timeouts.request, f"TrafficPolicy {policy.metadata.namespace}/{policy.metadata.name}"
    return None


def target_of_gateway(inventory: Inventory, key: GatewayKey, listener: str) -> Target:
    """Return a Gateway with the listener that takes a request as a target."""
    gateway = inventory.gateways.get(key)
    labels = gateway.metadata.labels if gateway is not None else {}
    return Target("Gateway", key.namespace, key.name, labels, listener)


def target_of_route(key: ObjectKey, route: Route, rule: str) -> Target:
    """Return a route with the name of one of its rules as a target."""
    return Target(resources.ROUTES[key.resource], key.namespace, key.name, route.metadata.labels, rule)


def _aims_at(policy: TrafficPolicy, target: Target) -> bool:
    for ref in policy.spec.target_refs:
        if (ref.kind, ref.name) == (target.kind, target.name) and ref.section_name in {"", target.section}:
            return True
    return any(
        each.takes(target.kind, target.labels) and each.section_name in {"", target.section}
        for each in policy.spec.target_selectors
    )
