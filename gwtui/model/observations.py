"""The closed union of facts a source may report. Everything the console knows arrives as one of these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gwtui.model.health import ProxyState, SourceHealth
from gwtui.model.ids import GatewayKey, NamespacedName, ProxyKey
from gwtui.model.inspection import Inspection
from gwtui.model.known import Known, Unknown
from gwtui.model.rejections import ByGateway
from gwtui.model.samples import ProxySample
from gwtui.model.shape import Topology

PROMETHEUS = "prometheus"
"""The way in of samples that Prometheus took."""


@dataclass(frozen=True, slots=True)
class KindListed:
    """A complete list of one kind (within one namespace when `namespace` is set): what is not in it is gone."""

    cluster: str
    resource: str
    objects: Mapping[NamespacedName, Any]
    namespace: str | None = None


@dataclass(frozen=True, slots=True)
class KindChanged:
    """A burst of watch events of one kind, latest state per object; None means deleted."""

    cluster: str
    resource: str
    changes: Mapping[NamespacedName, Any | None]


@dataclass(frozen=True, slots=True)
class TopologyGiven:
    """The shape of a cluster that has no objects to tell it from."""

    cluster: str
    topology: Topology


@dataclass(frozen=True, slots=True)
class SourceReported:
    """The health of one source changed."""

    cluster: str
    source: str
    """The group resource for kinds (with `@namespace` when namespaced), or a name such as `api` or `pod proxy`."""
    health: SourceHealth


@dataclass(frozen=True, slots=True)
class ProxySampled:
    """One proxy answered."""

    proxy: ProxyKey
    state: ProxyState
    sample: ProxySample
    way: str
    """The way in that answered: `pod proxy`, `port-forward`, `prometheus`, …."""


@dataclass(frozen=True, slots=True)
class ProxyFailed:
    """One proxy did not answer, or may not be asked."""

    proxy: ProxyKey
    state: ProxyState
    """FAILING or FORBIDDEN."""
    at: datetime
    reason: str
    """One line for the operator."""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class ProxyInspected:
    """One proxy told what it holds."""

    proxy: ProxyKey
    inspection: Inspection


@dataclass(frozen=True, slots=True)
class ControllerTold:
    """The control plane told which gateways' proxies refuse what it sends them, or why it did not."""

    cluster: str
    refusals: Known[Mapping[GatewayKey, tuple[str, ...]]] | Unknown
    """Kinds of configuration by gateway (`Listener`, `RouteConfiguration`, …); a gateway that is absent has none."""
    rejections: ByGateway = field(default_factory=dict)
    """What it counted since it started; empty when `refusals` is unknown."""


ClusterFact = KindListed | KindChanged | TopologyGiven | SourceReported | ControllerTold
ProxyFact = ProxySampled | ProxyFailed | ProxyInspected
Observation = ClusterFact | ProxyFact
