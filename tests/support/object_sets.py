"""Random manifests of a cluster: few names and namespaces, so that they refer to each other, and much that is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from gwtui.model import resources
from objects import Objects

CLUSTER_SCOPED = frozenset({resources.NAMESPACES, resources.GATEWAY_CLASSES, resources.INGRESS_CLASSES})
GA = "gateway.networking.k8s.io"
KG = "gateway.kgateway.dev"
NAMESPACES = st.sampled_from(["a", "b"])
NAMES = st.sampled_from(["x", "y", "z"])
CONTROLLERS = st.sampled_from(
    ["kgateway.dev/kgateway", "agentgateway.dev/agentgateway", "istio.io/mesh-controller", "example.com/other"]
)
HOST_NAMES = st.sampled_from(["x.a", "y.b.svc", "api.partner.example", "*.example.com"])


def built(**fields: Any) -> st.SearchStrategy[dict[str, Any]]:
    """An object whose fields are there or not."""
    return st.fixed_dictionaries({}, optional=fields)


def resource(api: str, kind: str, **fields: Any) -> st.SearchStrategy[dict[str, Any]]:
    meta = st.fixed_dictionaries(
        {"name": NAMES, "namespace": NAMESPACES},
        optional={"uid": NAMES, "generation": st.integers(0, 3), "labels": LABELS, "annotations": ANNOTATIONS,
                  "ownerReferences": st.lists(OWNERS, max_size=1), "finalizers": st.lists(FINALIZERS, max_size=1)},
    )  # fmt: skip
    return st.fixed_dictionaries({"apiVersion": st.just(api), "kind": st.just(kind), "metadata": meta}, optional=fields)


OWNERS = st.fixed_dictionaries({"kind": st.sampled_from(["Gateway", "Deployment"]), "name": NAMES, "uid": NAMES})
FINALIZERS = st.sampled_from(["service.k8s.aws/resources", "group.ingress.k8s.aws/x"])
LABELS = st.dictionaries(
    st.sampled_from(
        [
            f"{GA}/gateway-name",
            "delegation.kgateway.dev/label",
            "istio.io/use-waypoint",
            "istio.io/use-waypoint-namespace",
            "istio.io/waypoint-for",
            "istio.io/dataplane-mode",
            "service.k8s.aws/stack-name",
            "app",
        ]
    ),
    st.one_of(NAMES, NAMESPACES, st.sampled_from(["none", "all", "ambient", "service"])),
)
ANNOTATIONS = st.dictionaries(
    st.sampled_from(
        [
            f"{KG}/gateway-full-name",
            "service.beta.kubernetes.io/aws-load-balancer-type",
            "delegation.kgateway.dev/inherit-parent-matcher",
            "ambient.istio.io/redirection",
            "sidecar.istio.io/status",
            "kubernetes.io/ingress.class",
            "alb.ingress.kubernetes.io/actions.x",
        ]
    ),
    st.one_of(NAMES, st.sampled_from(["external", "enabled", "pending", "true", "alb", "{", '{"forwardConfig":{}}'])),
)
CONDITIONS = st.lists(
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(["Accepted", "ResolvedRefs", "Programmed", "Conflicted"]),
            "status": st.sampled_from(["True", "False", "Unknown"]),
        },
        optional={"observedGeneration": st.integers(0, 3), "reason": NAMES},
    ),
    max_size=2,
)
PARENTS = st.fixed_dictionaries(
    {"name": NAMES},
    optional={
        "namespace": NAMESPACES,
        "kind": st.sampled_from(["Gateway", "ListenerSet", "HTTPRoute", "Service", "Mesh"]),
        "group": st.sampled_from([GA, "", "example.com"]),
    },
)
REFS = st.one_of(
    st.fixed_dictionaries({"name": NAMES, "port": st.just(80)}, optional={"namespace": NAMESPACES}),
    st.fixed_dictionaries(
        {"name": NAMES},
        optional={"namespace": NAMESPACES, "port": st.sampled_from([80, 81]), "weight": st.integers(0, 9)},
    ),
    st.fixed_dictionaries({"name": NAMES, "kind": st.just("Backend"), "group": st.just(KG)}),
    st.fixed_dictionaries(
        {"name": st.one_of(NAMES, st.just("*")), "kind": st.just("HTTPRoute"), "group": st.just(GA)},
        optional={"namespace": NAMESPACES},
    ),
    st.fixed_dictionaries(
        {"name": NAMES, "kind": st.just("label"), "group": st.just("delegation.kgateway.dev")},
        optional={"namespace": st.one_of(NAMESPACES, st.just("all"))},
    ),
    st.fixed_dictionaries(
        {"name": NAMES, "kind": st.just("ServiceEntry"), "group": st.just("networking.istio.io")},
        optional={"namespace": NAMESPACES, "port": st.just(443)},
    ),
    st.fixed_dictionaries({"name": HOST_NAMES, "kind": st.just("Hostname"), "group": st.just("networking.istio.io")}),
    st.fixed_dictionaries(
        {"name": NAMES, "kind": st.just("AgentgatewayBackend"), "group": st.just("agentgateway.dev")},
        optional={"namespace": NAMESPACES},
    ),
    st.fixed_dictionaries(
        {"name": NAMES, "kind": st.just("Bucket"), "group": st.just("example.com")},
        optional={"namespace": NAMESPACES},
    ),
)
FILTERS = st.fixed_dictionaries(
    {"type": st.just("RequestMirror"), "requestMirror": st.fixed_dictionaries({"backendRef": REFS})}
)
FILTERED = st.tuples(REFS, st.lists(FILTERS, max_size=1)).map(lambda made: {**made[0], "filters": made[1]})
PATHS = st.fixed_dictionaries(
    {"value": st.sampled_from(["/", "/a", "/a/b", "/c"])},
    optional={"type": st.sampled_from(["PathPrefix", "Exact", "RegularExpression"])},
)
MATCHES = st.lists(built(path=PATHS), max_size=2)
RULES = built(backendRefs=st.lists(FILTERED, max_size=3), filters=st.lists(FILTERS, max_size=1))
HTTP_RULES = st.tuples(RULES, MATCHES).map(lambda made: {**made[0], "matches": made[1]})
ROUTE_STATUS = built(
    parents=st.lists(
        st.fixed_dictionaries({"parentRef": PARENTS, "controllerName": CONTROLLERS, "conditions": CONDITIONS}),
        max_size=2,
    )
)


def routes(rules: st.SearchStrategy[dict[str, Any]]) -> dict[str, st.SearchStrategy[dict[str, Any]]]:
    spec = built(
        parentRefs=st.lists(PARENTS, max_size=2),
        hostnames=st.lists(st.sampled_from(["a.com", "*.a.com"]), max_size=2),
        rules=st.lists(rules, max_size=2),
    )
    return {"spec": spec, "status": ROUTE_STATUS}


SELECTORS = built(services=built(matchLabels=LABELS), namespaces=built(matchLabels=LABELS))
LISTENERS = st.fixed_dictionaries(
    {"name": NAMES}, optional={"protocol": st.sampled_from(["HTTP", "HBONE", "istio.io/PROXY"])}
)
PARAMETERS = st.fixed_dictionaries(
    {"group": st.just(KG), "kind": st.just("GatewayParameters"), "name": NAMES}, optional={"namespace": NAMESPACES}
)
PROVIDERS = built(openai=built(), host=HOST_NAMES, bedrock=built(region=NAMES))
INGRESS_PATH = built(
    backend=built(
        service=st.fixed_dictionaries({"name": NAMES}, optional={"port": built(name=st.just("use-annotation"))})
    )
)
HOSTS = st.sampled_from(["x.a", "y.b.svc", "z.a.svc.cluster.local", "10.0.0.1", "partner.example", ".", "a..b"])
ADDRESSES = st.lists(st.fixed_dictionaries({"value": st.sampled_from(["10.0.0.1", "x.a.svc", ""])}), max_size=2)
OBJECTS = st.one_of(
    st.fixed_dictionaries(
        {
            "apiVersion": st.just(f"{GA}/v1"),
            "kind": st.just("GatewayClass"),
            "metadata": st.fixed_dictionaries({"name": NAMES}),
        },
        optional={"spec": built(controllerName=CONTROLLERS, parametersRef=PARAMETERS)},
    ),
    resource(f"{KG}/v1alpha1", "GatewayParameters", spec=built(selfManaged=built())),
    resource(
        f"{GA}/v1",
        "Gateway",
        spec=built(
            gatewayClassName=NAMES,
            listeners=st.lists(LISTENERS, max_size=2),
            infrastructure=built(parametersRef=PARAMETERS),
        ),
        status=built(conditions=CONDITIONS, addresses=ADDRESSES),
    ),
    resource(f"{GA}/v1", "HTTPRoute", **routes(HTTP_RULES)),
    resource(f"{GA}/v1", "HTTPRoute", **routes(HTTP_RULES)),
    resource(f"{GA}/v1", "GRPCRoute", **routes(RULES)),
    resource(f"{GA}/v1", "TCPRoute", **routes(RULES)),
    resource(f"{GA}/v1", "ListenerSet").flatmap(
        lambda found: PARENTS.map(lambda parent: {**found, "spec": {"parentRef": parent}})
    ),
    resource(
        "v1",
        "Service",
        spec=built(
            type=st.sampled_from(["ClusterIP", "LoadBalancer", "NodePort", "ExternalName"]),
            clusterIP=st.just("10.0.0.1"),
            selector=LABELS,
            ports=st.lists(st.fixed_dictionaries({"port": st.just(80)}), max_size=1),
        ),
        status=built(loadBalancer=built(ingress=st.lists(built(ip=st.just("10.0.0.1")), max_size=1))),
    ),
    resource("v1", "Pod", status=built(phase=st.sampled_from(["Running", "Failed"]))),
    resource(
        f"{KG}/v1alpha1",
        "Backend",
        spec=built(
            static=st.fixed_dictionaries(
                {"hosts": st.lists(st.fixed_dictionaries({"host": HOSTS, "port": st.just(80)}), max_size=2)}
            ),
            priorityGroups=st.lists(built(backendRefs=st.lists(REFS, max_size=2)), max_size=2),
            ai=built(llm=PROVIDERS),
        ),
    ),
    resource(
        "agentgateway.dev/v1alpha1",
        "AgentgatewayBackend",
        spec=built(
            ai=built(provider=PROVIDERS, groups=st.lists(built(providers=st.lists(PROVIDERS, max_size=2)), max_size=2)),
            mcp=built(targets=st.lists(built(static=built(host=HOST_NAMES), selector=SELECTORS), max_size=2)),
            a2a=built(host=HOST_NAMES),
            dynamicForwardProxy=built(),
        ),
    ),
    resource(
        "networking.istio.io/v1",
        "ServiceEntry",
        spec=built(
            hosts=st.lists(HOST_NAMES, max_size=2), location=st.sampled_from(["MESH_EXTERNAL", "MESH_INTERNAL"])
        ),
    ),
    resource(
        "networking.k8s.io/v1",
        "Ingress",
        spec=built(
            ingressClassName=NAMES,
            defaultBackend=built(service=st.fixed_dictionaries({"name": NAMES})),
            rules=st.lists(built(http=built(paths=st.lists(INGRESS_PATH, max_size=2))), max_size=1),
        ),
        status=built(loadBalancer=built(ingress=st.lists(built(hostname=HOST_NAMES), max_size=1))),
    ),
    resource(
        "elbv2.k8s.aws/v1beta1",
        "TargetGroupBinding",
        spec=built(serviceRef=built(name=NAMES), targetGroupARN=NAMES, targetGroupProtocol=st.just("TCP")),
    ),
    st.fixed_dictionaries(
        {
            "apiVersion": st.just("networking.k8s.io/v1"),
            "kind": st.just("IngressClass"),
            "metadata": st.fixed_dictionaries({"name": NAMES}),
        },
        optional={"spec": built(controller=st.sampled_from(["ingress.k8s.aws/alb", "haproxy.org/ingress", "other"]))},
    ),
    st.fixed_dictionaries(
        {
            "apiVersion": st.just("v1"),
            "kind": st.just("Namespace"),
            "metadata": st.fixed_dictionaries({"name": NAMESPACES}, optional={"labels": LABELS}),
        }
    ),
    resource(
        f"{GA}/v1",
        "ReferenceGrant",
        spec=built(
            **{
                "from": st.lists(
                    st.fixed_dictionaries(
                        {"group": st.just(GA), "kind": st.just("HTTPRoute"), "namespace": NAMESPACES}
                    ),
                    max_size=1,
                ),
                "to": st.lists(
                    st.fixed_dictionaries({"group": st.just(""), "kind": st.just("Service")}, optional={"name": NAMES}),
                    max_size=1,
                ),
            }
        ),
    ),
)
CLUSTERS = st.lists(OBJECTS, max_size=25)

NAMESPACED = sorted(resources.TOPOLOGY - CLUSTER_SCOPED)
SCOPES = st.one_of(
    st.dictionaries(st.sampled_from(NAMESPACED), st.frozensets(NAMESPACES, max_size=1)),
    NAMESPACES.map(lambda namespace: dict.fromkeys(NAMESPACED, frozenset({namespace}))),
)
"""Kinds that are read in some namespaces alone, and in which: any of them, or all in one namespace."""


def within(objects: Objects, scopes: Mapping[str, frozenset[str]]) -> Objects:
    """The objects that may be read where kinds are read in these namespaces alone."""
    return {
        kind: {name: each for name, each in found.items() if kind not in scopes or name[0] in scopes[kind]}
        for kind, found in objects.items()
    }
