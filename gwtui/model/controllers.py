"""Controller names: what a GatewayClass names in `spec.controllerName`. The only thing a Gateway is identified by."""

from __future__ import annotations

KGATEWAY_CONTROLLER = "kgateway.dev/kgateway"

AGENTGATEWAY_CONTROLLERS = frozenset(
    {
        "agentgateway.dev/agentgateway",
        "kgateway.dev/agentgateway",
        "istio.io/agentgateway-controller",
        "istio.io/agentgateway-waypoint-controller",
    }
)
"""Who runs agentgateway data planes, by version and owner."""

PEERING_CONTROLLERS = frozenset({"istio.io/eastwest-controller", "istio.io/unmanaged-gateway"})
"""Gateways through which clusters of one mesh reach each other: the cluster's own, and that of another one as it is
known here."""

ISTIO_CONTROLLERS = frozenset({"istio.io/gateway-controller", "istio.io/mesh-controller"}) | PEERING_CONTROLLERS
"""Istio's own Envoy gateways and waypoints."""

AWS_CONTROLLERS = {"gateway.k8s.aws/nlb": "NLB", "gateway.k8s.aws/alb": "ALB"}
"""Gateway controllers whose Gateways are AWS load balancers themselves."""
