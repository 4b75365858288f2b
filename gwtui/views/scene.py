"""Everything one repaint may need: a snapshot, the moment it is looked at, and the figures derived from both."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from gwtui.model.snapshot import Snapshot
from gwtui.views import stage
from gwtui.views.fleet import Fleet, fleet
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
        known = self.__dict__.get("fleet")
        if snapshot is self.snapshot and known is not None and known.holds_until and now <= known.holds_until:
            scene.__dict__["fleet"] = known
        return scene

    @cached_property
    def fleet(self) -> Fleet:
        """The figures of every gateway and flow."""
        return fleet(self.snapshot, self.now)

    @cached_property
    def notices(self) -> tuple[Notice, ...]:
        """What has to be said about clusters that are not simply ready."""
        return stage.notices(self.snapshot, self.clusters, self.now)

    @cached_property
    def has_gateways(self) -> bool:
        """Whether there is anything to draw."""
        return stage.has_gateways(self.snapshot)

    @cached_property
    def _shares(self) -> dict[str, ObservedShares]:
        return {}

    def shares(self, cluster: str) -> ObservedShares:
        """The observed shares of one cluster's rules; the cluster must be in the snapshot."""
        if cluster not in self._shares:
            from gwtui.model.shares import ObservedShares  # noqa: PLC0415 - needs typed objects, which come later

            own = [entry for entry in self.fleet.gateways.values() if entry.node.key.cluster == cluster]
            traffic = {entry.node.key: entry.traffic for entry in own if entry.answering}
            complete = {entry.node.key for entry in own if entry.proxies and entry.answering == len(entry.proxies)}
            self._shares[cluster] = ObservedShares(self.snapshot.clusters[cluster], traffic, complete)
        return self._shares[cluster]
