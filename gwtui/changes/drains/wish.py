"""What the operator wants emptied, and how fast."""

from __future__ import annotations

from dataclasses import dataclass

from gwtui.model.ids import GatewayKey, ObjectKey, ProxyKey

RAMP = (50, 10, 0)
"""Percent of its present part that what is drained keeps, stage by stage."""

BAKE_S = 5.0
DEADLINE_S = 60.0


@dataclass(frozen=True, slots=True)
class Shard:
    """Everything that other gateways send to a gateway."""

    gateway: GatewayKey

    def __str__(self) -> str:
        return f"{self.gateway.namespace}/{self.gateway.name}"


@dataclass(frozen=True, slots=True)
class OneProxy:
    """Everything that one proxy of a gateway takes."""

    proxy: ProxyKey

    def __str__(self) -> str:
        return f"{self.proxy.namespace}/{self.proxy.pod}"


@dataclass(frozen=True, slots=True)
class Backend:
    """What one route sends to one of its backends."""

    route: ObjectKey
    backend: str
    """`<namespace>/<name>` of the target."""

    def __str__(self) -> str:
        return f"{self.route.namespace}/{self.route.name}:{self.backend}"


@dataclass(frozen=True, slots=True)
class Moved:
    """What one gateway serves of a namespace or a hostname, to be served by another."""

    source: GatewayKey
    namespace: str = ""
    hostname: str = ""
    """One of the two is given."""

    def __str__(self) -> str:
        return f"namespace/{self.namespace}" if self.namespace else f"host/{self.hostname}"


Target = Shard | OneProxy | Backend | Moved


def cluster_of(target: Target) -> str:
    """Return the cluster of what is drained."""
    match target:
        case Shard(gateway=key) | Moved(source=key):
            return key.cluster
        case OneProxy(proxy=proxy):
            return proxy.cluster
        case Backend(route=route):
            return route.cluster


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainWish:
    """A drain as it is asked for."""

    target: Target
    to: str = ""
    """`<namespace>/<name>` of the gateway (for a backend: the Service) that takes over; empty: those that share the
    load already."""
    ramp: tuple[int, ...] = RAMP
    """Falling, 0 last."""
    bake_s: float = BAKE_S
    """Seconds between two stages of the ramp."""
    deadline_s: float = DEADLINE_S
    accepts_load: bool = False
    """Whether the others may get more than they were ever seen to take."""
    closes_listeners: bool = False
    """Whether the listeners of what is empty are closed at the end: only a restart opens them again."""
