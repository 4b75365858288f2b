"""Everything one repaint may need: a snapshot, the moment it is looked at, and the figures derived from both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from gwtui.model.known import Known, Unknown
from gwtui.model.snapshot import ClusterView, Snapshot
from gwtui.views import stage
from gwtui.views.cost import mean_share
from gwtui.views.fleet import Fleet, fleet, fleet_parts
from gwtui.views.stage import Notice

if TYPE_CHECKING:
    from gwtui.model.shares import ObservedShares


@dataclass(frozen=True, eq=False)
class Scene:
    """One snapshot at one moment. Derived values are computed on first use and once."""

    snapshot: Snapshot
    clusters: tuple[str, ...]
    """Contexts the console was opened on, in the order given."""
    now: datetime
    """The moment ages are counted from, aware UTC."""

    def later(self, snapshot: Snapshot, clusters: tuple[str, ...], now: datetime) -> Scene:
        """The scene at a later moment. Figures that cannot have changed are taken over."""
        scene = Scene(snapshot, clusters, now)
        scene.__dict__["_shares_before"] = self._shares or self._shares_before
        known = self.__dict__.get("fleet")
        scene.__dict__["_fleet_before"] = known or self.__dict__.get("_fleet_before")
        if snapshot is self.snapshot and known is not None and known.holds_until and now <= known.holds_until:
            scene.__dict__["fleet"] = known
            scene.__dict__["cost"] = self.cost
        return scene

    def parts(self) -> Iterator[None]:
        """Derive what every screen shows in small parts, for whoever has to give way between them."""
        if "fleet" not in self.__dict__:
            yield
            # What was taken over is taken over: the rest of the earlier figures need not be kept.
            before: Fleet | None = self.__dict__.pop("_fleet_before", None)
            self.__dict__["fleet"] = yield from fleet_parts(self.snapshot, self.now, before)
        yield
        _ = self.cost
        yield

    @cached_property
    def fleet(self) -> Fleet:
        """The figures of every gateway and flow."""
        return fleet(self.snapshot, self.now, self.__dict__.pop("_fleet_before", None))

    @cached_property
    def cost(self) -> Known[float] | Unknown:
        """The part of its time a proxy spends on us, 0 to 1: the mean over all of them."""
        return mean_share(self.snapshot.proxies.values())

    @cached_property
    def notices(self) -> tuple[Notice, ...]:
        """What has to be said about clusters that are not simply ready."""
        return stage.notices(self.snapshot, self.clusters, self.now)

    @cached_property
    def has_gateways(self) -> bool:
        """Whether there is anything to draw."""
        return stage.has_gateways(self.snapshot)

    @cached_property
    def _shares(self) -> dict[str, tuple[ClusterView, ObservedShares]]:
        return {}

    @cached_property
    def _shares_before(self) -> dict[str, tuple[ClusterView, ObservedShares]]:
        return {}

    def shares(self, cluster: str) -> ObservedShares:
        """The observed shares of one cluster's rules; the cluster must be in the snapshot."""
        if cluster not in self._shares:
            from gwtui.model.shares import ObservedShares  # noqa: PLC0415 - needs typed objects, which come later

            own = [entry for entry in self.fleet.gateways.values() if entry.node.key.cluster == cluster]
            traffic = {entry.node.key: entry.traffic for entry in own if entry.answering}
            complete = {entry.node.key for entry in own if entry.proxies and entry.answering == len(entry.proxies)}
            view = self.snapshot.clusters[cluster]
            before = self._shares_before.get(cluster)
            if before is not None and before[0] is view:
                shares = before[1].after(traffic, complete)
            else:
                shares = ObservedShares(view, traffic, complete)
            self._shares[cluster] = (view, shares)
        return self._shares[cluster][1]
