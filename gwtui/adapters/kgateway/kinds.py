"""kgateway kinds, releases 2.0 to 2.4.

*Source:* the CustomResourceDefinitions of group `gateway.kgateway.dev`; every release serves v1alpha1 alone.
"""

from __future__ import annotations

from typing import Any

from gwtui.model.kgateway import (
    KGATEWAY,
    Backend,
    DirectResponse,
    GatewayExtension,
    GatewayParameters,
    HttpListenerPolicy,
    ListenerPolicy,
    TrafficPolicy,
)
from gwtui.model.kinds import KindSpec
from gwtui.model.policies import Policy


def _kind(kind: str, plural: str, type_: Any) -> KindSpec:
    return KindSpec(group=KGATEWAY, versions=("v1alpha1",), plural=plural, kind=kind, type=type_)


KINDS = (
    _kind("Backend", "backends", Backend),
    _kind("TrafficPolicy", "trafficpolicies", TrafficPolicy),
    _kind("ListenerPolicy", "listenerpolicies", ListenerPolicy),
    _kind("HTTPListenerPolicy", "httplistenerpolicies", HttpListenerPolicy),
    _kind("GatewayParameters", "gatewayparameters", GatewayParameters),
    _kind("BackendConfigPolicy", "backendconfigpolicies", Policy),
    _kind("DirectResponse", "directresponses", DirectResponse),
    _kind("GatewayExtension", "gatewayextensions", GatewayExtension),
)
"""Every kind, in the order they are worth reading: what carries the topology first."""
