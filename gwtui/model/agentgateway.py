"""agentgateway objects (group `agentgateway.dev`, version v1alpha1), cut down to the fields the console reads."""

from __future__ import annotations

from msgspec import Struct

from gwtui.model.ai import LlmProvider, Mcp, ProviderGroup
from gwtui.model.gateway_api import ConditionsStatus
from gwtui.model.kgateway import AnyHost
from gwtui.model.meta import AuthoredMeta

AGENTGATEWAY = "agentgateway.dev"


class Ai(Struct, rename="camel", frozen=True, gc=False):
    """One provider of language models, or groups of them in order of priority."""

    provider: LlmProvider | None = None
    groups: tuple[ProviderGroup, ...] = ()


class Host(Struct, rename="camel", frozen=True, gc=False):
    """Where plain or agent-to-agent requests go; no host when it is a Unix socket."""

    host: str = ""


class AgentgatewayBackendSpec(Struct, rename="camel", frozen=True, gc=False):
    """Exactly one of these."""

    ai: Ai | None = None
    mcp: Mcp | None = None
    a2a: Host | None = None
    static: Host | None = None
    dynamic_forward_proxy: AnyHost | None = None


class AgentgatewayBackend(Struct, rename="camel", frozen=True, gc=False):
    """*Source:* `agentgateway.dev/v1alpha1`, since kgateway 2.2."""

    metadata: AuthoredMeta
    spec: AgentgatewayBackendSpec = AgentgatewayBackendSpec()
    status: ConditionsStatus = ConditionsStatus()
