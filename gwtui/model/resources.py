"""Names of the group resources the topology is built from: the keys under which a cluster's objects are kept."""

from __future__ import annotations

from gwtui.model.agentgateway import AGENTGATEWAY
from gwtui.model.aws import ELBV2
from gwtui.model.gateway_api import GATEWAY_API, GATEWAY_API_EXPERIMENTAL
from gwtui.model.ingress import NETWORKING
from gwtui.model.istio import ISTIO_NETWORKING
from gwtui.model.kgateway import KGATEWAY

NAMESPACES = "namespaces"
SERVICES = "services"
PODS = "pods"
INGRESSES = f"ingresses.{NETWORKING}"
INGRESS_CLASSES = f"ingressclasses.{NETWORKING}"

GATEWAY_CLASSES = f"gatewayclasses.{GATEWAY_API}"
GATEWAYS = f"gateways.{GATEWAY_API}"
LISTENER_SETS = (f"listenersets.{GATEWAY_API}", f"xlistenersets.{GATEWAY_API_EXPERIMENTAL}")
"""ListenerSet and the experimental kind it replaced."""
REFERENCE_GRANTS = f"referencegrants.{GATEWAY_API}"

HTTP_ROUTES = f"httproutes.{GATEWAY_API}"
GRPC_ROUTES = f"grpcroutes.{GATEWAY_API}"
ROUTES = {
    HTTP_ROUTES: "HTTPRoute",
    GRPC_ROUTES: "GRPCRoute",
    f"tlsroutes.{GATEWAY_API}": "TLSRoute",
    f"tcproutes.{GATEWAY_API}": "TCPRoute",
    f"udproutes.{GATEWAY_API}": "UDPRoute",
}
"""Kind by resource, for every kind of route."""

BACKENDS = f"backends.{KGATEWAY}"
TRAFFIC_POLICIES = f"trafficpolicies.{KGATEWAY}"
LISTENER_POLICIES = f"listenerpolicies.{KGATEWAY}"
HTTP_LISTENER_POLICIES = f"httplistenerpolicies.{KGATEWAY}"
BACKEND_CONFIG_POLICIES = f"backendconfigpolicies.{KGATEWAY}"
BACKEND_TLS_POLICIES = f"backendtlspolicies.{GATEWAY_API}"
POLICIES = {
    TRAFFIC_POLICIES: "TrafficPolicy",
    LISTENER_POLICIES: "ListenerPolicy",
    HTTP_LISTENER_POLICIES: "HTTPListenerPolicy",
    BACKEND_CONFIG_POLICIES: "BackendConfigPolicy",
    BACKEND_TLS_POLICIES: "BackendTLSPolicy",
}
"""Kind by resource, for every kind of policy that is attached to routes, gateways or what is behind them."""

GATEWAY_PARAMETERS = f"gatewayparameters.{KGATEWAY}"

SERVICE_ENTRIES = f"serviceentries.{ISTIO_NETWORKING}"
TARGET_GROUP_BINDINGS = f"targetgroupbindings.{ELBV2}"
AGENTGATEWAY_BACKENDS = f"agentgatewaybackends.{AGENTGATEWAY}"

TOPOLOGY = frozenset(
    {
        NAMESPACES,
        SERVICES,
        PODS,
        INGRESSES,
        INGRESS_CLASSES,
        SERVICE_ENTRIES,
        TARGET_GROUP_BINDINGS,
        AGENTGATEWAY_BACKENDS,
        GATEWAY_CLASSES,
        GATEWAYS,
        *LISTENER_SETS,
        REFERENCE_GRANTS,
        *ROUTES,
        BACKENDS,
        LISTENER_POLICIES,
        HTTP_LISTENER_POLICIES,
        GATEWAY_PARAMETERS,
    }
)
"""Every resource the topology depends on: a change of any other kind leaves it as it is."""
