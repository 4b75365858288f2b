"""Which namespace drives how much of what a gateway sends."""

from __future__ import annotations

from collections.abc import Mapping

from gwtui.model.ids import ServiceKey
from gwtui.model.known import Known
from gwtui.views.fleet import GatewayFigures
from gwtui.views.flows import is_copy


def by_namespace(entry: GatewayFigures) -> Mapping[str, float]:
    """Return the requests/s a gateway sends to Services, by their namespace; copies are left out."""
    found: dict[str, float] = {}
    for flow in entry.flows:
        target = flow.hop.target
        if isinstance(target, ServiceKey) and isinstance(flow.rps, Known) and not is_copy(flow.hop):
            found[target.namespace] = found.get(target.namespace, 0.0) + flow.rps.value
    return found
