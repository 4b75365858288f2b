"""Gateway API kinds of bundles 1.3 to 1.6, standard and experimental.

*Source:* the CustomResourceDefinitions of those bundles. Which versions a cluster serves is for discovery to say.
"""

from __future__ import annotations

from typing import Any

from gwtui.model.experimental import ExperimentalBackend, Mesh
from gwtui.model.gateway_api import (
    GATEWAY_API,
    GATEWAY_API_EXPERIMENTAL,
    Gateway,
    GatewayClass,
    GrpcRoute,
    HttpRoute,
    ListenerSet,
    ReferenceGrant,
    TcpRoute,
    TlsRoute,
    UdpRoute,
)
from gwtui.model.kinds import KindSpec
from gwtui.model.policies import Policy


def _standard(kind: str, plural: str, versions: tuple[str, ...], type_: Any, *, namespaced: bool = True) -> KindSpec:
    return KindSpec(group=GATEWAY_API, versions=versions, plural=plural, kind=kind, type=type_, namespaced=namespaced)


def _experimental(kind: str, plural: str, type_: Any, *, namespaced: bool = True) -> KindSpec:
    return KindSpec(
        group=GATEWAY_API_EXPERIMENTAL,
        versions=("v1alpha1",),
        plural=plural,
        kind=kind,
        type=type_,
        namespaced=namespaced,
    )


KINDS = (
    _standard("GatewayClass", "gatewayclasses", ("v1", "v1beta1"), GatewayClass, namespaced=False),
    _standard("Gateway", "gateways", ("v1", "v1beta1"), Gateway),
    _standard("HTTPRoute", "httproutes", ("v1", "v1beta1"), HttpRoute),
    _standard("GRPCRoute", "grpcroutes", ("v1",), GrpcRoute),
    _standard("TLSRoute", "tlsroutes", ("v1", "v1alpha3", "v1alpha2"), TlsRoute),
    _standard("TCPRoute", "tcproutes", ("v1", "v1alpha2"), TcpRoute),
    _standard("UDPRoute", "udproutes", ("v1", "v1alpha2"), UdpRoute),
    _standard("ReferenceGrant", "referencegrants", ("v1", "v1beta1"), ReferenceGrant),
    _standard("BackendTLSPolicy", "backendtlspolicies", ("v1", "v1alpha3"), Policy),
    _standard("ListenerSet", "listenersets", ("v1",), ListenerSet),
    _experimental("XListenerSet", "xlistenersets", ListenerSet),
    _experimental("XBackendTrafficPolicy", "xbackendtrafficpolicies", Policy),
    _experimental("XBackend", "xbackends", ExperimentalBackend),
    _experimental("XMesh", "xmeshes", Mesh, namespaced=False),
)
"""Every kind, in the order they are worth reading: what carries the topology first."""
