"""Who runs each Gateway."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gwtui.model.controllers import KGATEWAY_CONTROLLER
from gwtui.model.gateway_api import Gateway, GatewayClass, Route
from gwtui.model.ids import GatewayKey
from gwtui.model.kubernetes import Pod
from gwtui.model.names import safe

GATEWAY_NAME_LABEL = "gateway.networking.k8s.io/gateway-name"
PROXY_LABEL = ("kgateway", "kube-gateway")
"""Label of every proxy pod that kgateway makes."""


def by_class(
    gateways: Mapping[GatewayKey, Gateway], classes: Mapping[tuple[str, str], GatewayClass]
) -> dict[GatewayKey, str]:
    """Return the controller each Gateway's class names; empty when there is no such class."""
    names = {name: found.spec.controller_name for (_, name), found in classes.items()}
    return {key: names.get(gateway.spec.gateway_class_name, "") for key, gateway in gateways.items()}


def by_traces(
    cluster: str, gateways: Iterable[GatewayKey], routes: Iterable[Route], pods: Mapping[tuple[str, str], Pod]
) -> dict[GatewayKey, str]:
    """Return the controllers that left traces, for who may not read GatewayClasses (they have no namespace).

    Traces are the label kgateway puts on its pods, and the status a controller writes on routes of the Gateway: when
    several controllers did, none of them is believed.
    """
    claims: dict[GatewayKey, set[str]] = {}
    for route in routes:
        for parent in route.status.parents:
            if parent.parent_ref.kind == "Gateway":
                namespace = parent.parent_ref.namespace or route.metadata.namespace
                key = GatewayKey(cluster, namespace, parent.parent_ref.name)
                claims.setdefault(key, set()).add(parent.controller_name)
    found = {}
    names = {
        (namespace, pod.metadata.labels.get(GATEWAY_NAME_LABEL, ""))
        for (namespace, _), pod in pods.items()
        if pod.metadata.labels.get(PROXY_LABEL[0]) == PROXY_LABEL[1]
    }
    for key in gateways:
        claimed = claims.get(key, set())
        if (key.namespace, safe(key.name)) in names:
            found[key] = KGATEWAY_CONTROLLER
        else:
            found[key] = next(iter(claimed)) if len(claimed) == 1 else ""
    return found
