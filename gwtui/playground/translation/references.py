"""backendRefs: what they name, whether they may name it, and the Envoy cluster they become."""

from __future__ import annotations

from dataclasses import dataclass

from gwtui.playground.world import GATEWAY_API, REFERENCE_GRANTS, SERVICES, Json, World

BLACKHOLE = "blackhole-cluster"
"""Cluster name of every backend that does not resolve. No such cluster exists, so Envoy answers 500."""


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """A Service port that a rule sends traffic to."""

    namespace: str
    service: str
    port: int
    """The Service port, not the target port."""

    @property
    def cluster(self) -> str:
        """Name of the Envoy cluster."""
        return f"kube_{self.namespace}_{self.service}_{self.port}"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a backendRef does not resolve, in the words of the ResolvedRefs condition."""

    reason: str
    message: str


def resolve(world: World, route_namespace: str, ref: Json) -> Target | Refusal:
    """The Service port a backendRef of an HTTPRoute names, or the reason why it may not be used."""
    group, kind = ref.get("group", ""), ref.get("kind", "Service")
    namespace = ref.get("namespace") or route_namespace
    name = ref["name"]
    if (group, kind) != ("", "Service"):
        return Refusal("InvalidKind", f"backend kind {group or 'core'}/{kind} is not supported")
    if namespace != route_namespace and not _is_granted(world, route_namespace, namespace, name):
        return Refusal("RefNotPermitted", f"no ReferenceGrant in {namespace} permits Service {namespace}/{name}")
    service = world.get(SERVICES, namespace, name)
    if service is None:
        return Refusal("BackendNotFound", f"Service {namespace}/{name} not found")
    port = ref.get("port", 0)
    if all(each["port"] != port for each in service["spec"].get("ports", ())):
        return Refusal("BackendNotFound", f"Service {namespace}/{name} has no port {port}")
    return Target(namespace, name, port)


def _is_granted(world: World, source: str, target: str, service: str) -> bool:
    for grant in world.within(REFERENCE_GRANTS, target):
        asks = any(
            each.get("group") == GATEWAY_API and each.get("kind") == "HTTPRoute" and each.get("namespace") == source
            for each in grant["spec"].get("from", ())
        )
        gives = any(
            each.get("group", "") == "" and each.get("kind") == "Service" and each.get("name") in {None, "", service}
            for each in grant["spec"].get("to", ())
        )
        if asks and gives:
            return True
    return False
