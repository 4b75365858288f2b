"""agentgateway kinds.

*Source:* the CustomResourceDefinitions of group `agentgateway.dev`, served since kgateway 2.2.
"""

from __future__ import annotations

from gwtui.model.agentgateway import AGENTGATEWAY, AgentgatewayBackend
from gwtui.model.kinds import KindSpec

KINDS = (
    KindSpec(
        group=AGENTGATEWAY,
        versions=("v1alpha1",),
        plural="agentgatewaybackends",
        kind="AgentgatewayBackend",
        type=AgentgatewayBackend,
    ),
)
