"""How one Kubernetes kind is read: where it is served and which type its objects decode to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class KindSpec:
    """One kind the console reads."""

    group: str
    """API group; empty for the core group."""
    versions: tuple[str, ...]
    """Versions we can decode, the preferred one first. The server's discovery decides which is used."""
    plural: str
    kind: str
    type: Any
    """The `msgspec.Struct` class one object decodes to. Its fields are the upstream JSON fields, camel case."""
    namespaced: bool = True
    optional: bool = True
    """Whether the console works without this kind being served. False only for what every cluster has."""

    @property
    def resource(self) -> str:
        """The group resource as kubectl writes it, for example `gateways.gateway.networking.k8s.io`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural
