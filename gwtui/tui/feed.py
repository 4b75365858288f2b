"""What the console needs from whoever runs beside it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from gwtui.model.ids import ObjectKey
    from gwtui.model.snapshot import Snapshot


class Feed(Protocol):
    """A stream of snapshots, and single documents on demand. The engine runs beside the console, never inside it."""

    @property
    def snapshot(self) -> Snapshot:
        """The current snapshot; empty until the first answer."""
        ...

    def subscribe(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` in this event loop after each change, however often; returns what ends the subscription."""
        ...

    def painted(self) -> None:
        """Called once: the first frame is on the screen, heavy work may begin."""
        ...

    async def fetch_yaml(self, key: ObjectKey) -> str:
        """The object as YAML.

        Raises:
            GwtuiError: it could not be read, with what to try.
        """
        ...

    def now(self) -> datetime:
        """The moment ages are counted from, aware UTC."""
        ...
