"""backendRefs: what they name, whether they may name it, and the Envoy cluster they become."""

from __future__ import annotations

from dataclasses import dataclass

from gwtui.playground.control_plane import reads_service_entries
from gwtui.playground.world import (
    GATEWAY_API,
    ISTIO_NETWORKING,
    REFERENCE_GRANTS,
    SERVICE_ENTRIES,
    SERVICES,
    Json,
    World,
    key_of,
)

BLACKHOLE = "blackhole-cluster"
"""Cluster name of every backend that does not resolve. No such cluster exists, so Envoy answers 500."""


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """A port of a Service or ServiceEntry that a rule sends traffic to."""

    namespace: str
    name: str
    port: int
    """The port of the Service, not the target port."""
    host: str = ""
    """The host a ServiceEntry stands for; empty for a Service."""

    @property
    def cluster(self) -> str:
        """Name of the Envoy cluster."""
        if self.host:
            return f"istio-se_{self.namespace}_{self.name}_{self.host}_{self.port}"
        return f"kube_{self.namespace}_{self.name}_{self.port}"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a backendRef does not resolve, in the words of the ResolvedRefs condition."""

    reason: str
    message: str


def resolve(world: World, route_namespace: str, ref: Json, *, route_kind: str = "HTTPRoute") -> Target | Refusal:
    """The port a backendRef of a route names, or the reason why it may not be used."""
    group, kind = ref.get("group", ""), ref.get("kind", "Service")
    namespace = ref.get("namespace") or route_namespace
    name = ref["name"]
    resource = _resource(world, group, kind)
    if resource is None:
        return Refusal("InvalidKind", f"backend kind {group or 'core'}/{kind} is not supported")
    source = (route_kind, route_namespace)
    if namespace != route_namespace and not _is_granted(world, source, namespace, (group, kind, name)):
        return Refusal("RefNotPermitted", f"no ReferenceGrant in {namespace} permits {kind} {namespace}/{name}")
    found = world.get(resource, namespace, name)
    if found is None:
        return Refusal("BackendNotFound", f"{kind} {namespace}/{name} not found")
    return _target(found, f"{kind} {namespace}/{name}", ref.get("port", 0), is_service=resource == SERVICES)


def _target(found: Json, called: str, port: int, *, is_service: bool) -> Target | Refusal:
    """One port of a Service or ServiceEntry that is there and may be named."""
    spec = found["spec"]
    if all(each.get("port" if is_service else "number") != port for each in spec.get("ports", ())):
        return Refusal("BackendNotFound", f"{called} has no port {port}")
    if is_service:
        return Target(*key_of(found), port)
    hosts = spec.get("hosts") or ()
    return Target(*key_of(found), port, hosts[0]) if hosts else Refusal("BackendNotFound", f"{called} has no host")


def _resource(world: World, group: str, kind: str) -> str | None:
    if (group, kind) == ("", "Service"):
        return SERVICES
    if (group, kind) == (ISTIO_NETWORKING, "ServiceEntry") and reads_service_entries(world):
        return SERVICE_ENTRIES
    return None


def _is_granted(world: World, source: tuple[str, str], target: str, wanted: tuple[str, str, str]) -> bool:
    """Whether a ReferenceGrant in `target` lets routes of a (kind, namespace) name (group, kind, name)."""
    group, kind, name = wanted
    for grant in world.within(REFERENCE_GRANTS, target):
        asks = any(
            each.get("group") == GATEWAY_API and (each.get("kind"), each.get("namespace")) == source
            for each in grant["spec"].get("from", ())
        )
        gives = any(
            (each.get("group", ""), each.get("kind")) == (group, kind) and each.get("name") in {None, "", name}
            for each in grant["spec"].get("to", ())
        )
        if asks and gives:
            return True
    return False
