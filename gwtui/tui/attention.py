"""Which proxies the operator looks at: told to the feed when it changes, so that these are asked first."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from gwtui.tui.feed import Feed, ProxyPages

if TYPE_CHECKING:
    from gwtui.model.ids import ProxyKey


class Attention:
    """Remembers what was told last: the same is not told twice.

    Args:
        feed: Who has to know.
    """

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._told: tuple[frozenset[ProxyKey], ProxyKey | None] | None = None

    @property
    def pages(self) -> ProxyPages:
        """What proxies tell of themselves when they are asked."""
        return self._feed.pages

    def turn(self, visible: Collection[ProxyKey], opened: ProxyKey | None = None) -> None:
        """Look at these proxies, and at one of them closely.

        Args:
            visible: Proxies whose figures are on the screen.
            opened: The proxy whose detail is open.
        """
        looked_at = (frozenset(visible), opened)
        if looked_at != self._told:
            self._told = looked_at
            self._feed.attend(visible, opened)
