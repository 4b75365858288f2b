"""Gateway API kinds of the experimental channel that have no standard form yet."""

from __future__ import annotations

from msgspec import Struct

from gwtui.model.gateway_api import ConditionsStatus, GatewayClassSpec, RouteStatus
from gwtui.model.meta import AuthoredMeta


class Mesh(Struct, rename="camel", frozen=True, gc=False):
    """XMesh (experimental): who runs the mesh of this cluster, and what it claims."""

    metadata: AuthoredMeta
    spec: GatewayClassSpec = GatewayClassSpec()
    status: ConditionsStatus = ConditionsStatus()


class ExternalHostname(Struct, rename="camel", frozen=True, gc=False):
    """A destination by DNS name."""

    hostname: str


class ExperimentalBackendSpec(Struct, rename="camel", frozen=True, gc=False):
    """What an XBackend stands for; the fields beside `type` depend on it."""

    type: str = ""
    external_hostname: ExternalHostname | None = None


class ExperimentalBackend(Struct, rename="camel", frozen=True, gc=False):
    """XBackend (experimental): a destination outside the cluster."""

    metadata: AuthoredMeta
    spec: ExperimentalBackendSpec = ExperimentalBackendSpec()
    status: RouteStatus = RouteStatus()
