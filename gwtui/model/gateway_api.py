"""Gateway API objects, cut down to the fields the console reads (Gateway API 1.3 to 1.6, all served versions).

The shapes of the served versions agree in every field read here, so one type per kind decodes them all.
"""

from __future__ import annotations

from functools import lru_cache
from sys import intern

from msgspec import Struct, field
from msgspec.structs import force_setattr

from gwtui.model.kubernetes import Condition
from gwtui.model.meta import AuthoredMeta
from gwtui.model.route_filters import Filter, GrpcFilter

GATEWAY_API = "gateway.networking.k8s.io"
GATEWAY_API_EXPERIMENTAL = "gateway.networking.x-k8s.io"


class ParentRef(Struct, rename="camel", frozen=True, gc=False):
    name: str
    group: str = GATEWAY_API
    kind: str = "Gateway"
    namespace: str = ""
    """Empty means the namespace of the referring object."""
    section_name: str = ""
    port: int = 0
    """0 means every port (the API forbids port 0)."""


@lru_cache(maxsize=1024)
def _same(parents: tuple[ParentRef, ...]) -> tuple[ParentRef, ...]:
    """The first of equal tuples: thousands of routes hang on the same few parents, and each names them twice."""
    return parents


class ParentedSpec(Struct, rename="camel", frozen=True, gc=False):
    """What the specs of all routes have."""

    parent_refs: tuple[ParentRef, ...] = ()

    def __post_init__(self) -> None:
        force_setattr(self, "parent_refs", _same(self.parent_refs))


class BackendRef(Struct, rename="camel", frozen=True, gc=False):
    name: str
    group: str = ""
    kind: str = "Service"
    namespace: str = ""
    port: int = 0
    """0 means not given (the API forbids port 0)."""
    weight: int = 1


class PathMatch(Struct, rename="camel", frozen=True, gc=False):
    type: str = "PathPrefix"
    value: str = "/"


class ValueMatch(Struct, rename="camel", frozen=True, gc=False):
    """A header or query parameter match."""

    name: str
    value: str = ""
    type: str = "Exact"


class HttpMatch(Struct, rename="camel", frozen=True, gc=False):
    path: PathMatch = PathMatch()
    headers: tuple[ValueMatch, ...] = ()
    query_params: tuple[ValueMatch, ...] = ()
    method: str = ""
    """Empty matches every method."""


class GrpcMethod(Struct, rename="camel", frozen=True, gc=False):
    type: str = "Exact"
    service: str = ""
    method: str = ""


class GrpcMatch(Struct, rename="camel", frozen=True, gc=False):
    method: GrpcMethod | None = None
    headers: tuple[ValueMatch, ...] = ()


class HttpBackendRef(BackendRef, rename="camel", frozen=True, gc=False):
    """A backendRef with filters of its own: they act on what is sent to this backend alone."""

    filters: tuple[Filter, ...] = ()


class GrpcBackendRef(BackendRef, rename="camel", frozen=True, gc=False):
    filters: tuple[GrpcFilter, ...] = ()


class Timeouts(Struct, rename="camel", frozen=True, gc=False):
    """Durations as written, for example `15s`; empty means not set."""

    request: str = ""
    backend_request: str = ""


class HttpRule(Struct, rename="camel", frozen=True, gc=False):
    name: str = ""
    matches: tuple[HttpMatch, ...] = ()
    """Empty means one match for path prefix `/`."""
    filters: tuple[Filter, ...] = ()
    backend_refs: tuple[HttpBackendRef, ...] = ()
    timeouts: Timeouts = Timeouts()


class GrpcRule(Struct, rename="camel", frozen=True, gc=False):
    name: str = ""
    matches: tuple[GrpcMatch, ...] = ()
    filters: tuple[GrpcFilter, ...] = ()
    backend_refs: tuple[GrpcBackendRef, ...] = ()


class L4Rule(Struct, rename="camel", frozen=True, gc=False):
    name: str = ""
    backend_refs: tuple[BackendRef, ...] = ()


Rule = HttpRule | GrpcRule | L4Rule


class RouteParentStatus(Struct, rename="camel", frozen=True, gc=False):
    """What one controller says about one parent. Filter by `controller_name` before believing any of it."""

    parent_ref: ParentRef
    controller_name: str = ""
    conditions: tuple[Condition, ...] = ()

    def __post_init__(self) -> None:
        force_setattr(self, "controller_name", intern(self.controller_name))
        (parent,) = _same((self.parent_ref,))
        force_setattr(self, "parent_ref", parent)


class RouteStatus(Struct, rename="camel", frozen=True, gc=False):
    parents: tuple[RouteParentStatus, ...] = ()


class HttpRouteSpec(ParentedSpec, rename="camel", frozen=True, gc=False):
    hostnames: tuple[str, ...] = ()
    rules: tuple[HttpRule, ...] = ()


class HttpRoute(Struct, rename="camel", frozen=True, gc=False):
    metadata: AuthoredMeta
    spec: HttpRouteSpec = HttpRouteSpec()
    status: RouteStatus = RouteStatus()


class GrpcRouteSpec(ParentedSpec, rename="camel", frozen=True, gc=False):
    hostnames: tuple[str, ...] = ()
    rules: tuple[GrpcRule, ...] = ()


class GrpcRoute(Struct, rename="camel", frozen=True, gc=False):
    metadata: AuthoredMeta
    spec: GrpcRouteSpec = GrpcRouteSpec()
    status: RouteStatus = RouteStatus()


class TlsRouteSpec(ParentedSpec, rename="camel", frozen=True, gc=False):
    hostnames: tuple[str, ...] = ()
    """Server names of the TLS handshake."""
    rules: tuple[L4Rule, ...] = ()


class L4RouteSpec(ParentedSpec, rename="camel", frozen=True, gc=False):
    rules: tuple[L4Rule, ...] = ()

    @property
    def hostnames(self) -> tuple[str, ...]:
        """None: these routes do not look at names."""
        return ()


class TlsRoute(Struct, rename="camel", frozen=True, gc=False):
    metadata: AuthoredMeta
    spec: TlsRouteSpec = TlsRouteSpec()
    status: RouteStatus = RouteStatus()


class TcpRoute(Struct, rename="camel", frozen=True, gc=False):
    metadata: AuthoredMeta
    spec: L4RouteSpec = L4RouteSpec()
    status: RouteStatus = RouteStatus()


class UdpRoute(Struct, rename="camel", frozen=True, gc=False):
    metadata: AuthoredMeta
    spec: L4RouteSpec = L4RouteSpec()
    status: RouteStatus = RouteStatus()


Route = HttpRoute | GrpcRoute | TlsRoute | TcpRoute | UdpRoute


class LocalRef(Struct, rename="camel", frozen=True, gc=False):
    """A reference within the namespace of the referring object."""

    group: str
    kind: str
    name: str


class SectionRef(Struct, rename="camel", frozen=True, gc=False):
    """A local reference that may name a part: a listener of a Gateway, a rule of a route."""

    group: str
    kind: str
    name: str
    section_name: str = ""


class ParametersRef(Struct, rename="camel", frozen=True, gc=False):
    """A reference of a cluster-scoped object."""

    group: str
    kind: str
    name: str
    namespace: str = ""


class GatewayClassSpec(Struct, rename="camel", frozen=True, gc=False):
    controller_name: str = ""
    parameters_ref: ParametersRef | None = None


class ConditionsStatus(Struct, rename="camel", frozen=True, gc=False):
    conditions: tuple[Condition, ...] = ()


class GatewayClass(Struct, rename="camel", frozen=True, gc=False):
    metadata: AuthoredMeta
    spec: GatewayClassSpec = GatewayClassSpec()
    status: ConditionsStatus = ConditionsStatus()


class SecretRef(Struct, rename="camel", frozen=True, gc=False):
    name: str
    group: str = ""
    kind: str = "Secret"
    namespace: str = ""


class ListenerTls(Struct, rename="camel", frozen=True, gc=False):
    mode: str = "Terminate"
    certificate_refs: tuple[SecretRef, ...] = ()


class LabelSelector(Struct, rename="camel", frozen=True, gc=False):
    match_labels: dict[str, str] = field(default_factory=dict)


class FromNamespaces(Struct, rename="camel", frozen=True, gc=False):
    from_: str = field(default="Same", name="from")
    """`Same`, `All`, `Selector` or `None`."""
    selector: LabelSelector | None = None


class AllowedRoutes(Struct, rename="camel", frozen=True, gc=False):
    namespaces: FromNamespaces = FromNamespaces()


class Listener(Struct, rename="camel", frozen=True, gc=False):
    name: str
    port: int = 0
    """0 means not given: a ListenerSet listener may leave it out."""
    protocol: str = "HTTP"
    hostname: str = ""
    """Empty matches every hostname."""
    tls: ListenerTls | None = None
    allowed_routes: AllowedRoutes = AllowedRoutes()


class Infrastructure(Struct, rename="camel", frozen=True, gc=False):
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    parameters_ref: LocalRef | None = None


class GatewaySpec(Struct, rename="camel", frozen=True, gc=False):
    gateway_class_name: str = ""
    listeners: tuple[Listener, ...] = ()
    infrastructure: Infrastructure | None = None


class GatewayAddress(Struct, rename="camel", frozen=True, gc=False):
    value: str = ""
    type: str = "IPAddress"


class ListenerStatus(Struct, rename="camel", frozen=True, gc=False):
    name: str
    attached_routes: int = 0
    conditions: tuple[Condition, ...] = ()


class GatewayStatus(Struct, rename="camel", frozen=True, gc=False):
    addresses: tuple[GatewayAddress, ...] = ()
    conditions: tuple[Condition, ...] = ()
    listeners: tuple[ListenerStatus, ...] = ()


class Gateway(Struct, rename="camel", frozen=True, gc=False):
    metadata: AuthoredMeta
    spec: GatewaySpec = GatewaySpec()
    status: GatewayStatus = GatewayStatus()


class ListenerSetParent(Struct, rename="camel", frozen=True, gc=False):
    name: str
    group: str = GATEWAY_API
    kind: str = "Gateway"
    namespace: str = ""


class ListenerSetSpec(Struct, rename="camel", frozen=True, gc=False):
    parent_ref: ListenerSetParent
    listeners: tuple[Listener, ...] = ()


class ListenerSetStatus(Struct, rename="camel", frozen=True, gc=False):
    conditions: tuple[Condition, ...] = ()
    listeners: tuple[ListenerStatus, ...] = ()


class ListenerSet(Struct, rename="camel", frozen=True, gc=False):
    """ListenerSet `gateway.networking.k8s.io` and its predecessor XListenerSet `gateway.networking.x-k8s.io`."""

    metadata: AuthoredMeta
    spec: ListenerSetSpec
    status: ListenerSetStatus = ListenerSetStatus()


class GrantFrom(Struct, rename="camel", frozen=True, gc=False):
    group: str
    kind: str
    namespace: str


class GrantTo(Struct, rename="camel", frozen=True, gc=False):
    group: str
    kind: str
    name: str = ""
    """Empty permits every object of the kind in the grant's namespace."""


class ReferenceGrantSpec(Struct, rename="camel", frozen=True, gc=False):
    from_: tuple[GrantFrom, ...] = field(default=(), name="from")
    to: tuple[GrantTo, ...] = ()


class ReferenceGrant(Struct, rename="camel", frozen=True, gc=False):
    metadata: AuthoredMeta
    spec: ReferenceGrantSpec = ReferenceGrantSpec()
