"""Policies by what they are attached to: changed by others than the object they act on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gwtui.model import resources
from gwtui.model.ids import ObjectKey
from gwtui.model.kgateway import HttpListenerPolicy, ListenerPolicy, TargetSelector, TrafficPolicy
from gwtui.model.policies import Policy
from gwtui.model.snapshot import ClusterView
from gwtui.triage.look import Look
from gwtui.views.remembered import ByIdentity

_AnyPolicy = TrafficPolicy | ListenerPolicy | HttpListenerPolicy | Policy

_KINDS = {
    **resources.ROUTES,
    resources.GATEWAYS: "Gateway",
    **dict.fromkeys(resources.LISTENER_SETS, "ListenerSet"),
    resources.SERVICES: "Service",
    resources.BACKENDS: "Backend",
}
"""Kind by resource of what a policy can aim at."""

_Target = tuple[str, str, str]
"""Namespace, kind, name."""


class _Aims:
    """What the policies of one cluster aim at."""

    def __init__(self, view: ClusterView) -> None:
        self._named: dict[_Target, list[ObjectKey]] = {}
        self._selecting: dict[str, list[tuple[TargetSelector, ObjectKey]]] = {}
        for resource in resources.POLICIES:
            for (namespace, name), policy in view.objects.get(resource, {}).items():
                self._add(ObjectKey(view.name, resource, namespace, name), policy)

    def _add(self, key: ObjectKey, policy: _AnyPolicy) -> None:
        for ref in policy.spec.target_refs:
            self._named.setdefault((key.namespace, ref.kind, ref.name), []).append(key)
        for selector in policy.spec.target_selectors if isinstance(policy, TrafficPolicy) else ():
            self._selecting.setdefault(key.namespace, []).append((selector, key))

    def at(self, target: _Target, labels: Mapping[str, str]) -> Iterator[ObjectKey]:
        """Yield the policies attached to an object with these labels; one that aims at it twice comes twice."""
        yield from self._named.get(target, ())
        namespace, kind, _ = target
        for selector, key in self._selecting.get(namespace, ()):
            if selector.takes(kind, labels):
                yield key


_AIMS: ByIdentity[str, _Aims] = ByIdentity()


def attached(look: Look, key: ObjectKey) -> Iterator[ObjectKey]:
    """Yield the policies attached to an object or to a part of it, whether anybody accepted them or not."""
    kind, found = _KINDS.get(key.resource), look.find(key)
    if kind is None or found is None:
        return
    view = look.view(key.cluster)
    sources = tuple(view.objects.get(resource) for resource in resources.POLICIES)
    aims = _AIMS.get(view.name, sources, lambda: _Aims(view))
    yield from aims.at((key.namespace, kind, key.name), found.metadata.labels)
