"""`gwtui`: the console first, then everything heavy, and the engine beside it."""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import Callable, Collection
from datetime import datetime
from typing import TYPE_CHECKING

from gwtui.engine.clock import SystemClock
from gwtui.errors import Exit, Unreachable, UsageError
from gwtui.settings import Settings
from gwtui.tui.app import GwtuiApp
from gwtui.wiring.hangup import end_with_terminal

if TYPE_CHECKING:
    from gwtui.model.ids import ObjectKey, ProxyKey
    from gwtui.model.snapshot import Snapshot
    from gwtui.tui.feed import ConsoleChanges, ProxyPages
    from gwtui.wiring.session import Session


class ConsoleFeed:
    """The console's `Feed`: empty until the session is there, then the session's store."""

    def __init__(self, clock: SystemClock) -> None:
        self._clock = clock
        self._session: Session | None = None
        self._wakers: list[Callable[[], None]] = []
        self.first_frame = asyncio.Event()

    @property
    def snapshot(self) -> Snapshot:
        """The current snapshot."""
        if self._session is not None:
            return self._session.store.snapshot
        from gwtui.model.snapshot import Snapshot  # noqa: PLC0415 - nobody looks before the first frame

        return Snapshot()

    def subscribe(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` after each change; return what ends the subscription."""
        self._wakers.append(wake)
        return lambda: self._wakers.remove(wake)

    async def fetch_yaml(self, key: ObjectKey) -> str:
        """Return an object as YAML."""
        if self._session is None:
            raise Unreachable("not connected yet", "try again in a moment")
        return await self._session.fetch_yaml(key)

    @property
    def changes(self) -> ConsoleChanges:
        """What can be changed, and what was."""
        if self._session is None:
            raise Unreachable("not connected yet", "try again in a moment")
        return self._session.changes

    @property
    def pages(self) -> ProxyPages:
        """What proxies hold."""
        if self._session is None:
            raise Unreachable("not connected yet", "try again in a moment")
        return self._session.pages

    def attend(self, visible: Collection[ProxyKey], opened: ProxyKey | None = None) -> None:
        """Ask these proxies first, and the opened one for more than the others."""
        if self._session is not None:
            self._session.reach.governor.attend(visible, opened)

    def now(self) -> datetime:
        """The current time, aware UTC."""
        return self._clock.now()

    def painted(self) -> None:
        """Take note that the first frame is on the screen."""
        self.first_frame.set()

    def attach(self, session: Session) -> None:
        """Show this session from now on."""
        self._session = session
        session.store.subscribe(self._wake)

    def _wake(self) -> None:
        for wake in tuple(self._wakers):
            wake()


def need_terminal() -> None:
    """Make sure that there is a terminal to paint on.

    Raises:
        UsageError: input, output or errors do not go to a terminal (the console paints on the last).
    """
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if not stream.isatty():
            name = stream.name.strip("<>")
            raise UsageError(f"the console needs a terminal, and {name} is none", "else use `gwtui snapshot -o json`")


def run(settings: Settings) -> int:
    """Open the console and stay until it is left.

    Raises:
        GwtuiError: there is no terminal, or no cluster could be opened.
    """
    need_terminal()
    return asyncio.run(open_on(settings))


async def open_on(settings: Settings, *, until: asyncio.Task[bool] | None = None) -> int:
    """Run the console in this event loop, with the engine beside it.

    Args:
        settings: what to connect to.
        until: ends the console when it is done, for example on SIGTERM.
    """
    end_with_terminal()
    clock = SystemClock()
    feed = ConsoleFeed(clock)
    app = GwtuiApp(feed, title_clusters=settings.contexts, theme=settings.theme, read_only=settings.read_only)
    if until is not None:
        until.add_done_callback(lambda _: app.exit())

    def say(words: str) -> None:
        app.notify(words, severity="warning", timeout=15, markup=False)

    engine = asyncio.create_task(_engine(settings, clock, feed, say), name="engine")
    # An engine that ends has failed: the console cannot show anything, so it makes room for the reason.
    engine.add_done_callback(lambda _: app.exit())
    try:
        await app.run_async()
    finally:
        engine.cancel()
        (outcome,) = await asyncio.gather(engine, return_exceptions=True)
    failure = outcome if isinstance(outcome, Exception) else app.defect
    if failure is not None:
        raise failure
    return Exit.OK


async def _engine(settings: Settings, clock: SystemClock, feed: ConsoleFeed, say: Callable[[str], None]) -> None:
    """Load the heavy parts once the first frame is painted, connect, and watch until cancelled.

    Raises:
        GwtuiError: no cluster could be opened or answered.
    """
    await feed.first_frame.wait()
    module = await asyncio.to_thread(importlib.import_module, "gwtui.wiring.session")
    session: Session = module.start(settings, clock)
    feed.attach(session)
    watching: asyncio.Task[None] | None = None
    leases: asyncio.Task[None] | None = None
    try:
        await session.open()
        watching = asyncio.create_task(session.run(), name="watching")
        await session.reached()
        await session.listed()
        if not settings.read_only:
            leases = asyncio.create_task(session.leases(say).watch(), name="leases")
        await watching
    finally:
        for task in (leases, watching):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        await session.close()
