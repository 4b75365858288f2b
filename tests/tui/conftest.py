from __future__ import annotations

from collections.abc import Callable

import pytest

from gwtui.model.snapshot import Snapshot
from gwtui.tui.app import GwtuiApp
from tests.tui import fleet


@pytest.fixture
def make_app() -> Callable[..., GwtuiApp]:
    """Build an app over a fake feed; the feed is `app._feed`."""

    def make(snapshot: Snapshot | None = None, *, theme: str = "dark", **options: object) -> GwtuiApp:
        feed = fleet.FakeFeed(fleet.central_ingress() if snapshot is None else snapshot)
        return GwtuiApp(feed, title_clusters=(fleet.CLUSTER,), theme=theme, **options)

    return make
