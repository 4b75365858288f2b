"""The schema of every custom kind: Gateway API v1.6 (standard channel) and the outline of the kgateway kinds.

*Source:* the published definitions of Gateway API v1.6.1 and kgateway v1alpha1. Of the kgateway kinds the top level of
the spec is known, what lies below is kept as it comes; kinds of other projects (Istio, agentgateway, AWS) have a spec
and a status, and that is all that is known of them. Rules that cross fields are in `route_rules`.
"""

from __future__ import annotations

from dataclasses import replace

from gwtui.playground.api.kinds import GATEWAY_API, KGATEWAY, Kind
from gwtui.playground.api.schema import ANY, Schema, items, mapping, number, obj, one_of, text

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_DURATION = r"^([0-9]{1,5}(h|m|s|ms)){1,4}$"
_HEADER_NAME = r"^[A-Za-z0-9!#$%&'*+\-.^_\x60|~]+$"
_DOMAIN_PATH = rf"{_SUBDOMAIN}\/[A-Za-z0-9\/\-._~%!$&'()*+,;=:]+$"
_ORIGIN = r"(^\*$)|(^(http(s)?):\/\/(((\*\.)?([a-zA-Z0-9\-]+\.)*[a-zA-Z0-9-]+|\*)(:([0-9]{1,5}))?)$)"
_URI = r"^(([^:/?#]+):)(//([^/?#]*))([^?#]*)(\?([^#]*))?(#(.*))?"
_WELL_KNOWN = rf"^(System|({_SUBDOMAIN}/([A-Za-z0-9][-A-Za-z0-9_.]{{0,61}})?[A-Za-z0-9]))$"
_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH")


BOOL = Schema(type="boolean")
NAME = text()
NAMESPACE = text(1, 63, f"^{_LABEL}$")
SECTION = text(1, 253, f"^{_SUBDOMAIN}$")
HOSTNAME = text(1, 253, rf"^(\*\.)?{_SUBDOMAIN}$")
PORT = number(1, 65535)
CONTROLLER = text(1, 253, f"^{_DOMAIN_PATH}")


def group(default: str | None = None) -> Schema:
    """An API group; the core group is the empty string."""
    return text(None, 253, f"^$|^{_SUBDOMAIN}$", default)


def kind_name(default: str | None = None) -> Schema:
    """The name of a kind."""
    return text(1, 63, r"^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$", default)


def conditions(*pending: str, least: int | None = None) -> Schema:
    """Status conditions; those named start as Unknown until a controller answers."""
    item = obj(
        "lastTransitionTime message reason status type",
        lastTransitionTime=Schema(type="string", format="date-time"),
        message=text(None, 32768),
        observedGeneration=number(0),
        reason=text(1, 1024, r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$"),
        status=one_of("True", "False", "Unknown"),
        type=text(None, 316, rf"^({_SUBDOMAIN}/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$"),
    )
    return items(item, 8, least, keys=("type",), default=_waiting(*pending) or None)


def _waiting(*pending: str) -> list[dict[str, str]]:
    start = {
        "lastTransitionTime": "1970-01-01T00:00:00Z",
        "message": "Waiting for controller",
        "reason": "Pending",
        "status": "Unknown",
    }
    return [start | {"type": name} for name in pending]


_PARENT_FIELDS = {"group": group(GATEWAY_API), "kind": kind_name("Gateway"), "name": NAME, "namespace": NAMESPACE}
PARENT_REF = obj("name", **_PARENT_FIELDS, sectionName=SECTION, port=PORT)
PARENT_REFS = items(PARENT_REF, 32)
LOCAL_REF = obj("group kind name", group=group(), kind=kind_name(), name=NAME)
OBJECT_REF = obj("group kind name", group=group(), kind=kind_name(), name=NAME, namespace=NAMESPACE)
SECRET_REF = obj("name", group=group(""), kind=kind_name("Secret"), name=NAME, namespace=NAMESPACE)
_BACKEND_FIELDS = {
    "group": group(""),
    "kind": kind_name("Service"),
    "name": NAME,
    "namespace": NAMESPACE,
    "port": PORT,
}
BACKEND_REF = obj("name", **_BACKEND_FIELDS, weight=number(0, 1_000_000, 1))
HOSTNAMES = items(HOSTNAME, 16)

_HEADER = obj("name value", name=text(1, 256, _HEADER_NAME), value=text(1, 4096))
_MODIFIER = obj(
    set=items(_HEADER, 16, keys=("name",)),
    add=items(_HEADER, 16, keys=("name",)),
    remove=items(Schema(type="string"), 16, is_set=True),
)
_MIRROR = obj(
    "backendRef",
    backendRef=obj("name", **_BACKEND_FIELDS),
    percent=number(0, 100),
    fraction=obj("numerator", numerator=number(0), denominator=number(1, None, 100)),
)
_PATH_CHANGE = obj(
    "type",
    type=one_of("ReplaceFullPath", "ReplacePrefixMatch"),
    replaceFullPath=text(None, 1024),
    replacePrefixMatch=text(None, 1024),
)
_CORS = obj(
    allowCredentials=BOOL,
    allowOrigins=items(text(1, 253, _ORIGIN), 64, is_set=True),
    allowMethods=items(one_of(*_METHODS, "*"), 9, is_set=True),
    allowHeaders=items(text(1, 256, _HEADER_NAME), 64, is_set=True),
    exposeHeaders=items(text(1, 256, _HEADER_NAME), 64, is_set=True),
    maxAge=number(1, None, 5),
)
_SHARED_FILTERS = {
    "requestHeaderModifier": _MODIFIER,
    "responseHeaderModifier": _MODIFIER,
    "requestMirror": _MIRROR,
    "extensionRef": LOCAL_REF,
}
_SHARED_FILTER_TYPES = ("RequestHeaderModifier", "ResponseHeaderModifier", "RequestMirror", "ExtensionRef")
_PRECISE = text(1, 253, f"^{_SUBDOMAIN}$")
_HTTP_FILTERS = items(
    obj(
        "type",
        type=one_of(*_SHARED_FILTER_TYPES, "RequestRedirect", "URLRewrite", "CORS"),
        **_SHARED_FILTERS,
        requestRedirect=obj(
            scheme=one_of("http", "https"),
            hostname=_PRECISE,
            path=_PATH_CHANGE,
            port=PORT,
            statusCode=one_of(301, 302, 303, 307, 308, default=302),
        ),
        urlRewrite=obj(hostname=_PRECISE, path=_PATH_CHANGE),
        cors=_CORS,
    ),
    16,
)
_MATCH_TYPE = one_of("Exact", "RegularExpression", default="Exact")
_HEADER_MATCH = obj("name value", type=_MATCH_TYPE, name=text(1, 256, _HEADER_NAME), value=text(1, 4096))
_QUERY_MATCH = obj("name value", type=_MATCH_TYPE, name=text(1, 256, _HEADER_NAME), value=text(1, 1024))
_ANY_PATH = {"type": "PathPrefix", "value": "/"}
_HTTP_MATCH = obj(
    path=obj(
        "",
        _ANY_PATH,
        type=one_of("Exact", "PathPrefix", "RegularExpression", default="PathPrefix"),
        value=text(None, 1024, "", "/"),
    ),
    headers=items(_HEADER_MATCH, 16, keys=("name",)),
    queryParams=items(_QUERY_MATCH, 16, keys=("name",)),
    method=one_of(*_METHODS),
)
_HTTP_RULE = obj(
    name=SECTION,
    matches=items(_HTTP_MATCH, 64, default=[{"path": _ANY_PATH}]),
    filters=_HTTP_FILTERS,
    backendRefs=items(obj("name", **BACKEND_REF.fields, filters=_HTTP_FILTERS), 16),
    timeouts=obj(request=text(None, None, _DURATION), backendRequest=text(None, None, _DURATION)),
)
_GRPC_FILTERS = items(obj("type", type=one_of(*_SHARED_FILTER_TYPES), **_SHARED_FILTERS), 16)
_GRPC_RULE = obj(
    name=SECTION,
    matches=items(
        obj(
            method=obj(type=_MATCH_TYPE, service=text(None, 1024), method=text(None, 1024)),
            headers=items(_HEADER_MATCH, 16, keys=("name",)),
        ),
        64,
    ),
    filters=_GRPC_FILTERS,
    backendRefs=items(obj("name", **BACKEND_REF.fields, filters=_GRPC_FILTERS), 16),
)
_STREAM_RULES = items(obj("backendRefs", name=SECTION, backendRefs=items(BACKEND_REF, 16, 1)), 1, 1)

_SELECTOR = replace(
    obj(
        matchLabels=Schema(type="object", values=Schema(type="string")),
        matchExpressions=items(
            obj(
                "key operator",
                key=Schema(type="string"),
                operator=Schema(type="string"),
                values=items(Schema(type="string")),
            )
        ),
    ),
    atomic=True,
)


def _from_namespaces(*options: str, default: str) -> Schema:
    members = {"from": one_of(*options, default=default), "selector": _SELECTOR}
    return obj("", {"from": default}, **members)


_ROUTE_KIND = obj("kind", group=group(GATEWAY_API), kind=kind_name())
_VALIDATION = obj(
    "caCertificateRefs",
    caCertificateRefs=items(OBJECT_REF, 16, 1),
    mode=one_of("AllowValidOnly", "AllowInsecureFallback", default="AllowValidOnly"),
)
_LISTENERS = items(
    obj(
        "name port protocol",
        name=SECTION,
        hostname=HOSTNAME,
        port=PORT,
        protocol=text(1, 255, rf"^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$|{_SUBDOMAIN}\/[A-Za-z0-9]+$"),
        tls=obj(
            mode=one_of("Terminate", "Passthrough", default="Terminate"),
            certificateRefs=items(SECRET_REF, 64),
            options=mapping(16, text(0, 4096)),
        ),
        allowedRoutes=obj(
            "",
            {"namespaces": {"from": "Same"}},
            namespaces=_from_namespaces("All", "Selector", "Same", default="Same"),
            kinds=items(_ROUTE_KIND, 8),
        ),
    ),
    64,
    1,
    keys=("name",),
)
_LISTENER_STATUS = items(
    obj(
        "attachedRoutes conditions name",
        name=SECTION,
        attachedRoutes=number(),
        conditions=conditions(),
        supportedKinds=items(_ROUTE_KIND, 8),
    ),
    64,
    keys=("name",),
)
_ADDRESS_TYPE = text(1, 253, f"^Hostname|IPAddress|NamedAddress|{_DOMAIN_PATH}", "IPAddress")
_GATEWAY = obj(
    "gatewayClassName listeners",
    gatewayClassName=NAME,
    listeners=_LISTENERS,
    addresses=items(obj(type=_ADDRESS_TYPE, value=text(None, 253)), 16),
    infrastructure=obj(
        labels=mapping(8, text(0, 63, r"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$")),
        annotations=mapping(16, text(0, 4096)),
        parametersRef=LOCAL_REF,
    ),
    allowedListeners=obj(namespaces=_from_namespaces("All", "Selector", "Same", "None", default="None")),
    tls=obj(
        backend=obj(clientCertificateRef=SECRET_REF),
        frontend=obj(
            "default",
            default=obj(validation=_VALIDATION),
            perPort=items(obj("port tls", port=PORT, tls=obj(validation=_VALIDATION)), 64, keys=("port",)),
        ),
    ),
)
_GATEWAY_STATUS = obj(
    "",
    {"conditions": _waiting("Accepted", "Programmed")},
    addresses=items(obj("value", type=_ADDRESS_TYPE, value=text(1, 253)), 16),
    attachedListenerSets=number(),
    conditions=conditions("Accepted", "Programmed"),
    listeners=_LISTENER_STATUS,
)
_BACKEND_TLS = obj(
    "targetRefs validation",
    targetRefs=items(obj("group kind name", **LOCAL_REF.fields, sectionName=SECTION), 16, 1),
    validation=obj(
        "hostname",
        hostname=_PRECISE,
        caCertificateRefs=items(LOCAL_REF, 8),
        wellKnownCACertificates=text(1, 253, _WELL_KNOWN),
        subjectAltNames=items(
            obj("type", type=one_of("Hostname", "URI"), hostname=HOSTNAME, uri=text(1, 253, _URI)), 5
        ),
    ),
    options=mapping(16, text(0, 4096)),
)


def _answers(ref: str) -> Schema:
    """What each controller says about an object, per parent or ancestor."""
    fields = {ref: PARENT_REF, "controllerName": CONTROLLER, "conditions": conditions(least=1)}
    return obj(f"conditions controllerName {ref}", None, **fields)


_ROUTE_STATUS = obj("parents", parents=items(_answers("parentRef"), 32))
_POLICY_STATUS = obj("ancestors", ancestors=items(_answers("ancestorRef"), 16))


def _document(spec: Schema, state: Schema | None = None) -> Schema:
    fields = {"apiVersion": Schema(type="string"), "kind": Schema(type="string"), "metadata": ANY, "spec": spec}
    return obj("spec", **fields, **({"status": state} if state else {}))


def _outline(fields: str, /, **known: Schema) -> Schema:
    return obj("", None, **dict.fromkeys(fields.split(), ANY), **known)


_TARGETS = {"targetRefs": items(ANY, 16, 1), "targetSelectors": items(ANY)}
_HTTP_SETTINGS = (
    "acceptHttp10 accessLog defaultHostForHttp10 earlyRequestHeaderModifier generateRequestId healthCheck"
    " http2ProtocolOptions idleTimeout maxHeadersCount maxRequestHeadersKb preserveExternalRequestId"
    " preserveHttp1HeaderCase serverHeaderTransformation skipXFFAppend streamIdleTimeout stripHostPortMode tracing"
    " upgradeConfig useRemoteAddress uuidRequestIdConfig xffNumTrustedHops xffTrustedCIDRs"
)
_BACKEND_SETTINGS = (
    "circuitBreakers commonHttpProtocolOptions connectTimeout dns healthCheck http1ProtocolOptions"
    " http2ProtocolOptions loadBalancer outlierDetection tcpKeepalive tls upstreamProxyProtocol"
)
_TRAFFIC_POLICY = (
    "acl apiKeyAuth autoHostRewrite basicAuth buffer compression cors csrf extAuth extProc faultInjection"
    " headerModifiers jwtAuth oauth2 rateLimit rbac retry timeouts tracing transformation urlRewrite"
    " statPrefix internalRedirect"
)
_BACKEND_TYPES = one_of("AWS", "Static", "DynamicForwardProxy", "GCP")
_EXTENSION_TYPES = one_of("ExtAuth", "ExtProc", "RateLimit", "JWT", "OAuth2")
_GRANTEES = items(obj("group kind namespace", group=group(), kind=kind_name(), namespace=NAMESPACE), 16, 1)
_REFERENCE_GRANT = obj(
    "from to",
    **{"from": _GRANTEES, "to": items(obj("group kind", group=group(), kind=kind_name(), name=NAME), 16, 1)},
)
_CLASS = obj(
    "controllerName",
    controllerName=CONTROLLER,
    description=text(None, 64),
    parametersRef=OBJECT_REF,
)
_CLASS_STATUS = obj(
    "",
    {"conditions": _waiting("Accepted")},
    conditions=conditions("Accepted"),
    supportedFeatures=items(obj("name", name=Schema(type="string")), 64, keys=("name",)),
)
_SET_STATUS = obj(
    "",
    {"conditions": _waiting("Accepted", "Programmed")},
    conditions=conditions("Accepted", "Programmed"),
    listeners=_LISTENER_STATUS,
)
_HTTP_ROUTE = obj(
    parentRefs=PARENT_REFS,
    hostnames=HOSTNAMES,
    rules=items(_HTTP_RULE, 16, 1, default=[{"matches": [{"path": _ANY_PATH}]}]),
)
_GATEWAY_SCHEMAS = {
    "gatewayclasses": _document(_CLASS, _CLASS_STATUS),
    "gateways": _document(_GATEWAY, _GATEWAY_STATUS),
    "httproutes": _document(_HTTP_ROUTE, _ROUTE_STATUS),
    "grpcroutes": _document(
        obj(parentRefs=PARENT_REFS, hostnames=HOSTNAMES, rules=items(_GRPC_RULE, 16)), _ROUTE_STATUS
    ),
    "referencegrants": _document(_REFERENCE_GRANT),
    "listenersets": _document(
        obj("listeners parentRef", listeners=_LISTENERS, parentRef=obj("name", **_PARENT_FIELDS)), _SET_STATUS
    ),
    "tlsroutes": _document(
        obj("hostnames rules", parentRefs=PARENT_REFS, hostnames=items(HOSTNAME, 1024, 1), rules=_STREAM_RULES),
        _ROUTE_STATUS,
    ),
    "tcproutes": _document(obj("rules", parentRefs=PARENT_REFS, rules=_STREAM_RULES), _ROUTE_STATUS),
    "backendtlspolicies": _document(_BACKEND_TLS, _POLICY_STATUS),
}
_KGATEWAY_SCHEMAS = {
    "gatewayparameters": _document(_outline("kube selfManaged"), Schema(type="object", open=True)),
    "trafficpolicies": _document(_outline(_TRAFFIC_POLICY, **_TARGETS), _POLICY_STATUS),
    "httplistenerpolicies": _document(_outline(_HTTP_SETTINGS, **_TARGETS), _POLICY_STATUS),
    "listenerpolicies": _document(
        _outline("default", perPort=items(ANY, 64, keys=("port",)), **_TARGETS), _POLICY_STATUS
    ),
    "backendconfigpolicies": _document(
        _outline(_BACKEND_SETTINGS, perConnectionBufferLimitBytes=number(0), **_TARGETS), _POLICY_STATUS
    ),
    "backends": _document(
        _outline("aws dynamicForwardProxy gcp static priorityGroups", type=_BACKEND_TYPES), obj(conditions=conditions())
    ),
    "directresponses": _document(
        obj("status", status=number(200, 599), body=text(1, 4096), bodyFormat=ANY), _POLICY_STATUS
    ),
    "gatewayextensions": _document(
        _outline("extAuth extProc jwt oauth2 rateLimit", type=_EXTENSION_TYPES), obj(conditions=conditions())
    ),
}
SCHEMAS: dict[str, Schema] = {
    f"{plural}.{api_group}": schema
    for api_group, schemas in ((GATEWAY_API, _GATEWAY_SCHEMAS), (KGATEWAY, _KGATEWAY_SCHEMAS))
    for plural, schema in schemas.items()
}


_OPEN = Schema(type="object", open=True)
_OF_OTHERS = _document(_OPEN, _OPEN)


def schema_of(kind: Kind) -> Schema:
    """The schema of a kind; built-in kinds, and the spec of other projects' kinds, are stored as they come."""
    return SCHEMAS.get(kind.resource, _OF_OTHERS if kind.custom else ANY)
