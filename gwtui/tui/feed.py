"""What the console needs from whoever runs beside it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from gwtui.changes.drains.wish import DrainWish
    from gwtui.changes.journal import Change, Told
    from gwtui.changes.plan import Document, Plan
    from gwtui.engine.steering import Steering
    from gwtui.model.ids import ObjectKey, ProxyKey
    from gwtui.model.inspection import (
        BoundListener,
        Build,
        Certificate,
        ConfigKind,
        ConfigResource,
        Statistic,
        Upstream,
    )
    from gwtui.model.snapshot import Snapshot


class ProxyPages(Protocol):
    """What one proxy holds, read when it is asked for. Each raises `GwtuiError` with what to try."""

    async def build(self, proxy: ProxyKey) -> Build:
        """Version, node and flags."""
        ...

    async def listeners(self, proxy: ProxyKey) -> tuple[BoundListener, ...]:
        """Listeners and where they listen."""
        ...

    async def upstreams(self, proxy: ProxyKey) -> tuple[Upstream, ...]:
        """Upstreams with their endpoints."""
        ...

    async def certificates(self, proxy: ProxyKey) -> tuple[Certificate, ...]:
        """Certificates it holds."""
        ...

    async def config(self, proxy: ProxyKey, kind: ConfigKind, name: str = "") -> tuple[ConfigResource, ...]:
        """Resources of one kind with their redacted bodies; the one of this name when it is given."""
        ...

    async def statistics(self, proxy: ProxyKey, pattern: str) -> tuple[Statistic, ...]:
        """Used statistics whose names match an RE2 pattern."""
        ...


class ConsoleChanges(Protocol):
    """What can be changed, and what was. Methods raise `GwtuiError` with what to try."""

    def all(self) -> tuple[Change, ...]:
        """Every change that is remembered, oldest first; cheap to ask with every repaint."""
        ...

    async def plan(self, key: ObjectKey, base: Document, wanted: Document) -> Plan:
        """Return the plan of a draft: `base` is what it was made from, foreign edits since are kept."""
        ...

    async def log_level(self, proxy: ProxyKey, wanted: str) -> Plan:
        """Return the plan that gives a logger of a proxy another level: `http=debug`, or `debug` for all."""
        ...

    async def drain(self, wish: DrainWish) -> Plan:
        """Return the plan that empties a shard, a proxy or a backend."""
        ...

    async def undo(self, change: Change) -> Plan:
        """Return the plan that takes a change back; of a drain, the one that fills again what was emptied."""
        ...

    async def read(self, key: ObjectKey) -> Document:
        """Return an object to make a draft from."""
        ...

    def draft(self, key: ObjectKey) -> tuple[Document, Document] | None:
        """Return the draft that was left of an object: what it was made from, and what is wished; None without one."""
        ...

    def keep_draft(self, key: ObjectKey, base: Document, wanted: Document | None) -> None:
        """Remember a draft; None forgets it."""
        ...

    def steering(self) -> Steering:
        """How the operator steers one change from here on."""
        ...

    def run(self, plan: Plan, steering: Steering | None = None) -> AsyncGenerator[Told, None]:
        """Carry out a confirmed plan and yield what is remembered of it, and what is counted while it waits."""
        ...

    def resume(self, change: Change, steering: Steering | None = None) -> AsyncGenerator[Told, None]:
        """Take up a change that was cut off."""
        ...


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

    @property
    def changes(self) -> ConsoleChanges:
        """What can be changed, and what was."""
        ...

    @property
    def pages(self) -> ProxyPages:
        """What proxies hold."""
        ...

    def attend(self, visible: Collection[ProxyKey], opened: ProxyKey | None = None) -> None:
        """Say which proxies are on the screen: they are asked first, and the opened one for more than the others."""
        ...
