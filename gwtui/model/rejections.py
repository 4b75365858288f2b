"""What kgateway's control plane counted for one gateway since it started."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gwtui.model.ids import GatewayKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejections:
    """Counters of one gateway. *Source:* `/metrics` of the control plane; counters it does not have are absent."""

    refused: Mapping[str, int] = field(default_factory=dict)
    """Updates its proxies refused, by kind of configuration (`RouteConfiguration`, …).
    *Source:* `kgateway_envoy_xds_rejects_total`, kgateway 2.2 and later."""
    replaced: Mapping[str, int] = field(default_factory=dict)
    """Route rules that were replaced by an answer 500, by reason (`ref_not_found`, `invalid_config`, …); counted with
    each translation. *Source:* `kgateway_routing_replacements_total`, kgateway 2.4 and later."""


ByGateway = Mapping[GatewayKey, Rejections]
"""A gateway that is absent had none."""
