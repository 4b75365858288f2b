"""kgateway objects (group `gateway.kgateway.dev`, version v1alpha1), cut down to the fields the console reads."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from gwtui.model.ai import LlmProvider, Mcp, ProviderGroup
from gwtui.model.gateway_api import BackendRef, ConditionsStatus, LocalRef, SectionRef
from gwtui.model.meta import AuthoredMeta
from gwtui.model.policies import PolicyStatus
from gwtui.model.route_filters import HeaderValue

KGATEWAY = "gateway.kgateway.dev"

DELEGATION = "delegation.kgateway.dev"
"""Group of a backendRef that picks child routes by label (kind `label`)."""
DELEGATION_LABEL = "delegation.kgateway.dev/label"
"""Label of a child HTTPRoute that such a backendRef names by its value."""


class StaticHost(Struct, rename="camel", frozen=True, gc=False):
    host: str
    port: int = 0


class StaticBackend(Struct, rename="camel", frozen=True, gc=False):
    hosts: tuple[StaticHost, ...] = ()


class PriorityGroup(Struct, rename="camel", frozen=True, gc=False):
    """Failover group of a Backend (2.4); groups are tried in list order."""

    backend_refs: tuple[BackendRef, ...] = ()


class AiBackend(Struct, rename="camel", frozen=True, gc=False):
    """Providers of language models (2.1): one, or groups in order of priority."""

    llm: LlmProvider | None = None
    priority_groups: tuple[ProviderGroup, ...] = ()


class CloudHost(Struct, rename="camel", frozen=True, gc=False):
    """A Google Cloud service."""

    host: str = ""


class CloudFunctions(Struct, rename="camel", frozen=True, gc=False):
    """AWS Lambda."""

    region: str = "us-east-1"


class AnyHost(Struct, rename="camel", frozen=True, gc=False):
    """Presence is the fact: requests go to whatever host they name."""


class BackendSpec(Struct, rename="camel", frozen=True, gc=False):
    type: str = ""
    static: StaticBackend | None = None
    gcp: CloudHost | None = None
    aws: CloudFunctions | None = None
    dynamic_forward_proxy: AnyHost | None = None
    ai: AiBackend | None = None
    """2.1 alone; later releases leave it to agentgateway's own kinds."""
    mcp: Mcp | None = None
    """2.1 alone."""
    priority_groups: tuple[PriorityGroup, ...] = ()


class Backend(Struct, rename="camel", frozen=True, gc=False):
    metadata: AuthoredMeta
    spec: BackendSpec = BackendSpec()
    status: ConditionsStatus = ConditionsStatus()


class SelfManaged(Struct, rename="camel", frozen=True, gc=False):
    """Presence is the fact: the controller creates no Deployment and no Service."""


class GatewayParametersSpec(Struct, rename="camel", frozen=True, gc=False):
    self_managed: SelfManaged | None = None


class GatewayParameters(Struct, rename="camel", frozen=True, gc=False):
    metadata: AuthoredMeta
    spec: GatewayParametersSpec = GatewayParametersSpec()


class ProxyProtocol(Struct, rename="camel", frozen=True, gc=False):
    """Presence is the fact: the listener expects a PROXY protocol header from what stands before it."""


class HttpSettings(Struct, rename="camel", frozen=True, gc=False):
    """What a listener believes about the proxies before it."""

    xff_num_trusted_hops: int = 0
    xff_trusted_cidrs: tuple[str, ...] = field(default=(), name="xffTrustedCIDRs")


class ListenerSettings(Struct, rename="camel", frozen=True, gc=False):
    proxy_protocol: ProxyProtocol | None = None
    http_settings: HttpSettings = HttpSettings()


class PortSettings(Struct, rename="camel", frozen=True, gc=False):
    """Settings of one port; they replace the default ones wholly."""

    port: int
    listener: ListenerSettings = ListenerSettings()


class ListenerPolicySpec(Struct, rename="camel", frozen=True, gc=False):
    target_refs: tuple[SectionRef, ...] = ()
    default: ListenerSettings | None = None
    per_port: tuple[PortSettings, ...] = ()


class ListenerPolicy(Struct, rename="camel", frozen=True, gc=False):
    metadata: AuthoredMeta
    spec: ListenerPolicySpec = ListenerPolicySpec()
    status: PolicyStatus = PolicyStatus()


class HttpListenerPolicySpec(Struct, rename="camel", frozen=True, gc=False):
    target_refs: tuple[LocalRef, ...] = ()
    xff_num_trusted_hops: int = 0
    xff_trusted_cidrs: tuple[str, ...] = field(default=(), name="xffTrustedCIDRs")


class HttpListenerPolicy(Struct, rename="camel", frozen=True, gc=False):
    """HTTPListenerPolicy, deprecated since 2.2 and still served."""

    metadata: AuthoredMeta
    spec: HttpListenerPolicySpec = HttpListenerPolicySpec()
    status: PolicyStatus = PolicyStatus()


class TargetSelector(Struct, rename="camel", frozen=True, gc=False):
    """Targets by label, in the namespace of the policy."""

    group: str
    kind: str
    match_labels: dict[str, str]
    section_name: str = ""

    def takes(self, kind: str, labels: Mapping[str, str]) -> bool:
        """Whether it selects an object of this kind with these labels. One without labels selects nothing."""
        return self.kind == kind and bool(self.match_labels) and self.match_labels.items() <= labels.items()


class Present(Struct, rename="camel", frozen=True, gc=False):
    """A part of a policy of which presence is the fact."""


class Switch(Struct, rename="camel", frozen=True, gc=False):
    """A part of a policy of which presence is the fact, and that `disable` takes away again."""

    disable: Present | None = None


class PolicyTimeouts(Struct, rename="camel", frozen=True, gc=False):
    request: str = ""
    """A duration as written; empty means not set."""


class Transformed(Struct, rename="camel", frozen=True, gc=False):
    """Names of headers a template writes; `:path` and `:authority` are among what may be written."""

    set: tuple[HeaderValue, ...] = ()
    add: tuple[HeaderValue, ...] = ()
    remove: tuple[str, ...] = ()


class Transformation(Struct, rename="camel", frozen=True, gc=False):
    request: Transformed | None = None


class TrafficPolicySpec(Struct, rename="camel", frozen=True, gc=False):
    target_refs: tuple[SectionRef, ...] = ()
    target_selectors: tuple[TargetSelector, ...] = ()
    timeouts: PolicyTimeouts | None = None
    transformation: Transformation | None = None
    url_rewrite: Present | None = None
    auto_host_rewrite: bool = False
    ext_auth: Switch | None = None
    ext_proc: Switch | None = None
    jwt: Present | None = None
    jwt_auth: Switch | None = None
    api_key_auth: Switch | None = None
    basic_auth: Switch | None = None
    oauth2: Present | None = None
    rbac: Present | None = None
    acl: Present | None = None
    rate_limit: Present | None = None
    csrf: Present | None = None
    fault_injection: Switch | None = None
    stat_prefix: str = ""
    """2.4: name under which Envoy counts the targeted routes; `names.stat_prefix` expands its variables."""


class TrafficPolicy(Struct, rename="camel", frozen=True, gc=False):
    metadata: AuthoredMeta
    spec: TrafficPolicySpec = TrafficPolicySpec()
    status: PolicyStatus = PolicyStatus()


class DirectResponseSpec(Struct, rename="camel", frozen=True, gc=False):
    status: int = 0


class DirectResponse(Struct, rename="camel", frozen=True, gc=False):
    metadata: AuthoredMeta
    spec: DirectResponseSpec = DirectResponseSpec()
    status: PolicyStatus = PolicyStatus()


class GatewayExtension(Struct, rename="camel", frozen=True, gc=False):
    metadata: AuthoredMeta
    status: ConditionsStatus = ConditionsStatus()
