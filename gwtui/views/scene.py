"""Everything one repaint may need: a snapshot, the moment it is looked at, and the figures derived from both."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from gwtui.model.snapshot import Snapshot
from gwtui.views import stage
from gwtui.views.fleet import Fleet, fleet
from gwtui.views.stage import Notice


@dataclass(frozen=True, eq=False)
class Scene:
    """One snapshot at one moment. Derived values are computed on first use and once."""

    snapshot: Snapshot
    clusters: tuple[str, ...]
    """Contexts the console was opened on, in the order given."""
    now: datetime
    """The moment ages are counted from, aware UTC."""

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
