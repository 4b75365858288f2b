"""Everything known at one revision. `reduction.reduce` makes the next one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from gwtui.model.health import ProxyState, SourceHealth
from gwtui.model.ids import GatewayKey, NamespacedName, ProxyKey
from gwtui.model.inspection import Inspection
from gwtui.model.known import Known, Unknown
from gwtui.model.rejections import ByGateway
from gwtui.model.services import Services
from gwtui.model.shape import EMPTY, GatewayNode, Topology
from gwtui.model.traffic import NO_TRAFFIC, ProxyTraffic, no_traffic

if TYPE_CHECKING:
    from gwtui.model.relator import Relator
    from gwtui.model.samples import ProxySample

Objects = Mapping[str, Mapping[NamespacedName, Any]]
"""Objects of one cluster: by group resource, then by (namespace, name)."""


ANSWERING = frozenset({ProxyState.LIVE, ProxyState.DRAINING, ProxyState.INITIALIZING})
"""States of a proxy that answered the last time it was asked."""


HISTORY_LENGTH = 60
"""How many points a sparkline is made of at most."""


class Spent(NamedTuple):
    """What our questions to a proxy cost since it was first asked, inspections included."""

    questions: int = 0
    """HTTP requests."""
    answer_bytes: int = 0
    admin_ms: float = 0.0
    """Time of the proxy's main thread, as we count it: without what its quickest answer ever took."""
    answer_ms: float = 0.0
    """Time from question to answer, network included."""


NOTHING_SPENT = Spent()


class Point(NamedTuple):
    """Figures of one proxy at one moment; None where a figure was unknown then."""

    at: datetime
    rps: float | None = None
    error_ratio: float | None = None
    client_error_ratio: float | None = None
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    active: int | None = None
    upgrades: int | None = None
    spent: Spent = NOTHING_SPENT
    """What asking this proxy had cost by then."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ProxyView:
    """What is known of one proxy's behaviour."""

    key: ProxyKey
    state: ProxyState = ProxyState.UNKNOWN
    traffic: ProxyTraffic = NO_TRAFFIC
    """Last measured traffic. When `state` is not an answering one, it is as old as `answered_at`."""
    way: str = ""
    """The way in that answered last."""
    reason: str = ""
    """Why it does not answer; empty while it does."""
    hint: str = ""
    answered_at: datetime | None = None
    """When it answered last; None if it never did."""
    failing_since: datetime | None = None
    samples: tuple[ProxySample, ...] = ()
    """Recent samples, oldest first: what `measuring.kept` leaves for the next measurement."""
    series: tuple[Point, ...] = ()
    """Figures over time, one point per question asked, oldest first."""
    spent: Spent = NOTHING_SPENT
    services: Services = field(default_factory=dict)
    """Its subscriptions to configuration: which refuse updates, and since when."""
    inspection: Inspection | None = None
    """What it held when it was inspected last; None if it never was."""

    @property
    def history(self) -> tuple[float | None, ...]:
        """Requests/s of the newest points, oldest first, for sparklines; None where the proxy did not answer."""
        return tuple(point.rps for point in self.series[-HISTORY_LENGTH:])

    @property
    def is_answering(self) -> bool:
        """Whether it answered the last time it was asked."""
        return self.state in ANSWERING

    @property
    def current(self) -> ProxyTraffic:
        """The traffic that may be shown as true now: every figure is Unknown while the proxy does not answer."""
        return self.traffic if self.is_answering else no_traffic(Unknown(self.reason or "never asked"))


NOT_ASKED = Unknown("the control plane was not asked yet")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClusterView:
    """What is known of one cluster."""

    name: str
    """Kubeconfig context."""
    objects: Objects = field(default_factory=dict)
    scopes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """The namespaces that were read of a kind, for every kind of which not all were."""
    sources: Mapping[str, SourceHealth] = field(default_factory=dict)
    """Health per source id within the cluster: group resources, `api`."""
    topology: Topology = EMPTY
    refusals: Known[Mapping[GatewayKey, tuple[str, ...]]] | Unknown = NOT_ASKED
    """Kinds of configuration that proxies of each gateway refuse, as the control plane counts them."""
    rejections: ByGateway = field(default_factory=dict)
    """What the control plane counted since it started; empty while `refusals` is unknown."""
    relator: Relator | None = field(default=None, repr=False)
    """What made the topology and will make the next one; of use to the reduction alone."""

    def gateway(self, key: GatewayKey) -> GatewayNode | None:
        """The gateway's node, or None when it is not in the topology."""
        return next((node for node in self.topology.gateways if node.key == key), None)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Snapshot:
    """The whole of what is known. Compared by identity; `revision` grows with every change."""

    revision: int = 0
    clusters: Mapping[str, ClusterView] = field(default_factory=dict)
    proxies: Mapping[ProxyKey, ProxyView] = field(default_factory=dict)
