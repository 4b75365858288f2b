"""What stands behind an AI gateway: providers of language models and tool servers (MCP), as backends name them.

*Source:* AgentgatewayBackend (`agentgateway.dev/v1alpha1`) and the Backend of kgateway 2.1, which share these shapes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct, field


class Requirement(Struct, rename="camel", frozen=True, gc=False):
    """*Source:* `matchExpressions[]` of a label selector."""

    key: str
    operator: str
    """`In`, `NotIn`, `Exists`, `DoesNotExist`."""
    values: tuple[str, ...] = ()

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Whether labels meet it; nothing meets an operator we do not know."""
        match self.operator:
            case "In":
                return labels.get(self.key) in self.values
            case "NotIn":
                return labels.get(self.key) not in self.values
            case "Exists":
                return self.key in labels
            case "DoesNotExist":
                return self.key not in labels
            case _:
                return False


class Selector(Struct, rename="camel", frozen=True, gc=False):
    """A label selector; an empty one selects everything."""

    match_labels: dict[str, str] = field(default_factory=dict)
    match_expressions: tuple[Requirement, ...] = ()

    def selects(self, labels: Mapping[str, str]) -> bool:
        """Whether an object with these labels is selected."""
        return self.match_labels.items() <= labels.items() and all(
            requirement.holds(labels) for requirement in self.match_expressions
        )


class Place(Struct, rename="camel", frozen=True, gc=False):
    """Settings of one provider that say where it lives."""

    endpoint: str = ""
    """Azure OpenAI: host name, with or without a scheme."""
    resource_name: str = ""
    resource_type: str = ""
    """Azure: `OpenAI` or `Foundry`."""
    region: str = ""
    location: str = ""
    """Vertex AI in kgateway 2.1, where `region` was called so."""


class LlmProvider(Struct, rename="camel", frozen=True, gc=False):
    """One provider of language models: exactly one of the named ones."""

    host: str = ""
    """Overrides where the provider lives."""
    openai: Place | None = None
    azureopenai: Place | None = None
    azure: Place | None = None
    anthropic: Place | None = None
    gemini: Place | None = None
    vertexai: Place | None = None
    bedrock: Place | None = None
    custom: Place | None = None

    def address(self) -> str:
        """Return the host name requests go to; empty when the provider is of a kind we do not know."""
        return self.host or next(self._own_addresses(), "")

    def _own_addresses(self) -> Iterator[str]:
        if self.openai is not None:
            yield "api.openai.com"
        if self.azureopenai is not None:
            yield self.azureopenai.endpoint.partition("://")[2] or self.azureopenai.endpoint
        if self.azure is not None:
            domain = "services.ai.azure.com" if self.azure.resource_type == "Foundry" else "openai.azure.com"
            yield f"{self.azure.resource_name}.{domain}"
        if self.anthropic is not None:
            yield "api.anthropic.com"
        if self.gemini is not None:
            yield "generativelanguage.googleapis.com"
        if self.vertexai is not None:
            region = self.vertexai.region or self.vertexai.location or "global"
            yield "aiplatform.googleapis.com" if region == "global" else f"{region}-aiplatform.googleapis.com"
        if self.bedrock is not None:
            yield f"bedrock-runtime.{self.bedrock.region or 'us-east-1'}.amazonaws.com"


class ProviderGroup(Struct, rename="camel", frozen=True, gc=False):
    """Providers of one priority; groups are tried in list order."""

    providers: tuple[LlmProvider, ...] = ()


class LocalName(Struct, rename="camel", frozen=True, gc=False):
    """A Service in the namespace of the referring object."""

    name: str = ""


class McpTarget(Struct, rename="camel", frozen=True, gc=False):
    """A tool server by host name, or by Service."""

    host: str = ""
    backend_ref: LocalName | None = None


class McpSelector(Struct, rename="camel", frozen=True, gc=False):
    """Tool servers by labels of their Services. Releases differ in singular and plural."""

    service: Selector | None = None
    services: Selector | None = None
    namespace: Selector | None = None
    namespaces: Selector | None = None

    @property
    def of_services(self) -> Selector:
        """Labels the Services have."""
        return self.services or self.service or Selector()

    @property
    def of_namespaces(self) -> Selector | None:
        """Labels of the namespaces searched; None searches that of the backend alone."""
        return self.namespaces or self.namespace


class McpServer(Struct, rename="camel", frozen=True, gc=False):
    """One target of an MCP backend: static, or whatever a selector finds."""

    static: McpTarget | None = None
    selector: McpSelector | None = None


class Mcp(Struct, rename="camel", frozen=True, gc=False):
    """Tool servers that are offered as one."""

    targets: tuple[McpServer, ...] = ()
