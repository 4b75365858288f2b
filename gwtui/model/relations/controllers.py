"""Who runs each Gateway."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gwtui.model.controllers import AGENTGATEWAY_CONTROLLERS, KGATEWAY_CONTROLLER
from gwtui.model.gateway_api import Gateway, GatewayClass, Route
from gwtui.model.ids import GatewayKey
from gwtui.model.istio import MANAGED
from gwtui.model.kubernetes import Pod
from gwtui.model.names import safe

GATEWAY_NAME_LABEL = "gateway.networking.k8s.io/gateway-name"
PROXY_LABEL = ("kgateway", "kube-gateway")
"""Label of every proxy pod that kgateway makes."""


ISTIO = "istio.io/"
"""Start of every controller name of Istio. One process serves them all and signs routes with any of them."""


def speaks_for(writer: str, controller: str) -> bool:
    """Whether a status written by one controller name is testimony for Gateways of another."""
    return writer == controller or (writer.startswith(ISTIO) and controller.startswith(ISTIO))


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

    Traces are the labels that kgateway and Istio put on the pods they make, and the status a controller writes on
    routes of the Gateway: when several controllers did, none of them is believed.
    """
    claims: dict[GatewayKey, set[str]] = {}
    for route in routes:
        for parent in route.status.parents:
            if parent.parent_ref.kind == "Gateway":
                namespace = parent.parent_ref.namespace or route.metadata.namespace
                key = GatewayKey(cluster, namespace, parent.parent_ref.name)
                claims.setdefault(key, set()).add(parent.controller_name)
    makers = {
        (namespace, pod.metadata.labels[GATEWAY_NAME_LABEL]): maker
        for (namespace, _), pod in pods.items()
        if GATEWAY_NAME_LABEL in pod.metadata.labels and (maker := _maker(pod))
    }
    found = {}
    for key in gateways:
        claimed = claims.get(key, set())
        alone = next(iter(claimed)) if len(claimed) == 1 else ""
        # agentgateway of kgateway 2.1 carries the same pod label as kgateway's Envoys.
        trusted = alone if alone in AGENTGATEWAY_CONTROLLERS else ""
        found[key] = trusted or makers.get((key.namespace, safe(key.name)), alone)
    return found


def _maker(pod: Pod) -> str:
    """The controller that made this pod, by its labels; empty when they do not say."""
    labels = pod.metadata.labels
    if labels.get(PROXY_LABEL[0]) == PROXY_LABEL[1]:
        return KGATEWAY_CONTROLLER
    return labels.get(MANAGED, "").replace("-", "/", 1)
