"""The kinds this API serves, as data: groups, versions, names, scope."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

GATEWAY_API = "gateway.networking.k8s.io"
KGATEWAY = "gateway.kgateway.dev"
ISTIO_NETWORKING = "networking.istio.io"
AGENTGATEWAY = "agentgateway.dev"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of object and how it is served."""

    kind: str
    plural: str
    group: str = ""
    """Empty for the core group."""
    versions: tuple[str, ...] = ("v1",)
    """Served versions; the first is the one objects are stored in."""
    namespaced: bool = True
    short: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    custom: bool = False
    """Whether a custom resource definition stands behind it; built-in kinds accept strategic merge patches."""
    status: bool = True
    """Whether status is a subresource of its own."""
    generation: bool = True
    """Whether a change of the spec is counted in `metadata.generation`."""
    subresources: tuple[str, ...] = ()

    @property
    def resource(self) -> str:
        """The qualified plural: `services`, `gateways.gateway.networking.k8s.io`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def api_version(self, version: str = "") -> str:
        """`group/version` of one served version, by default the stored one."""
        return f"{self.group}/{version or self.versions[0]}" if self.group else version or self.versions[0]


def _gateway_api(kind: str, plural: str, **options: Any) -> Kind:
    return Kind(kind=kind, plural=plural, group=GATEWAY_API, custom=True, categories=("gateway-api",), **options)


def _agentgateway(kind: str, plural: str, **options: Any) -> Kind:
    return Kind(kind=kind, plural=plural, group=AGENTGATEWAY, versions=("v1alpha1",), custom=True, **options)


def _kgateway(kind: str, plural: str, **options: Any) -> Kind:
    return Kind(
        kind=kind,
        plural=plural,
        group=KGATEWAY,
        versions=("v1alpha1",),
        custom=True,
        categories=("kgateway",),
        **options,
    )


KINDS: tuple[Kind, ...] = (
    Kind(kind="Namespace", plural="namespaces", namespaced=False, short=("ns",), generation=False),
    Kind(
        kind="Pod",
        plural="pods",
        short=("po",),
        categories=("all",),
        subresources=("portforward", "proxy"),
    ),
    Kind(
        kind="Service",
        plural="services",
        short=("svc",),
        categories=("all",),
        generation=False,
        subresources=("proxy",),
    ),
    Kind(kind="Endpoints", plural="endpoints", short=("ep",), status=False, generation=False),
    Kind(kind="ServiceAccount", plural="serviceaccounts", short=("sa",), status=False, generation=False),
    Kind(kind="ConfigMap", plural="configmaps", short=("cm",), status=False, generation=False),
    Kind(kind="Secret", plural="secrets", status=False, generation=False),
    Kind(kind="Event", plural="events", short=("ev",), status=False, generation=False),
    Kind(kind="Node", plural="nodes", namespaced=False, short=("no",), generation=False),
    Kind(kind="Deployment", plural="deployments", group="apps", short=("deploy",), categories=("all",)),
    Kind(kind="ReplicaSet", plural="replicasets", group="apps", short=("rs",), categories=("all",)),
    Kind(kind="DaemonSet", plural="daemonsets", group="apps", short=("ds",), categories=("all",)),
    Kind(kind="EndpointSlice", plural="endpointslices", group="discovery.k8s.io", status=False),
    Kind(kind="Ingress", plural="ingresses", group="networking.k8s.io", short=("ing",)),
    Kind(kind="IngressClass", plural="ingressclasses", group="networking.k8s.io", namespaced=False, status=False),
    Kind(
        kind="HorizontalPodAutoscaler",
        plural="horizontalpodautoscalers",
        group="autoscaling",
        versions=("v2",),
        short=("hpa",),
        categories=("all",),
    ),
    Kind(kind="PodDisruptionBudget", plural="poddisruptionbudgets", group="policy", short=("pdb",)),
    Kind(
        kind="CustomResourceDefinition",
        plural="customresourcedefinitions",
        group="apiextensions.k8s.io",
        namespaced=False,
        short=("crd", "crds"),
        categories=("api-extensions",),
    ),
    _gateway_api("GatewayClass", "gatewayclasses", versions=("v1", "v1beta1"), namespaced=False, short=("gc",)),
    _gateway_api("Gateway", "gateways", versions=("v1", "v1beta1"), short=("gtw",)),
    _gateway_api("HTTPRoute", "httproutes", versions=("v1", "v1beta1")),
    _gateway_api("GRPCRoute", "grpcroutes"),
    _gateway_api("ReferenceGrant", "referencegrants", versions=("v1", "v1beta1"), short=("refgrant",), status=False),
    _gateway_api("ListenerSet", "listenersets", short=("lset",)),
    _gateway_api("TLSRoute", "tlsroutes"),
    _gateway_api("TCPRoute", "tcproutes"),
    _gateway_api("BackendTLSPolicy", "backendtlspolicies", short=("btlspolicy",)),
    _kgateway("GatewayParameters", "gatewayparameters"),
    _kgateway("TrafficPolicy", "trafficpolicies"),
    _kgateway("HTTPListenerPolicy", "httplistenerpolicies"),
    _kgateway("ListenerPolicy", "listenerpolicies"),
    _kgateway("BackendConfigPolicy", "backendconfigpolicies"),
    _kgateway("Backend", "backends"),
    _kgateway("DirectResponse", "directresponses"),
    _kgateway("GatewayExtension", "gatewayextensions"),
    _agentgateway("AgentgatewayBackend", "agentgatewaybackends", short=("agbe",)),
    _agentgateway("AgentgatewayPolicy", "agentgatewaypolicies", short=("agpol",)),
    _agentgateway("AgentgatewayParameters", "agentgatewayparameters", short=("agpar",)),
    Kind(
        kind="ServiceEntry",
        plural="serviceentries",
        group=ISTIO_NETWORKING,
        versions=("v1", "v1beta1", "v1alpha3"),
        short=("se",),
        categories=("istio-io", "networking-istio-io"),
        custom=True,
    ),
    Kind(
        kind="TargetGroupBinding",
        plural="targetgroupbindings",
        group="elbv2.k8s.aws",
        versions=("v1beta1",),
        custom=True,
    ),
)

BY_RESOURCE = {kind.resource: kind for kind in KINDS}
BY_TYPE = {(kind.api_version(version), kind.kind): kind for kind in KINDS for version in kind.versions}
BY_PATH = {(kind.group, version, kind.plural): kind for kind in KINDS for version in kind.versions}
