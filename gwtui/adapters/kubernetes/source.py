"""One kind as a source, in as much of the cluster as the rights allow."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace

from gwtui.adapters.kubernetes.discovery import Discovery
from gwtui.adapters.kubernetes.follow import Follower
from gwtui.adapters.kubernetes.transport import ApiTransport
from gwtui.model.health import SourceState
from gwtui.model.kinds import KindSpec
from gwtui.model.observations import Observation, SourceReported
from gwtui.ports import Clock, Source


class KindSource(Source):
    """Follows one kind cluster-wide, or in the namespaces asked for.

    When the cluster-wide list is refused, it follows the fallback namespaces instead and says so, until the
    cluster-wide list is allowed.
    """

    def __init__(
        self,
        transport: ApiTransport,
        discovery: Discovery,
        kind: KindSpec,
        clock: Clock,
        *,
        namespaces: Sequence[str] = (),
        fallback: Sequence[str] = (),
    ) -> None:
        """Prepare to follow.

        Args:
            transport: The open API server.
            discovery: Where the kind is served.
            kind: What to read.
            clock: Time.
            namespaces: Namespaces to read; empty means all. Ignored for cluster-scoped kinds.
            fallback: Namespaces to read when reading all is refused.
        """
        self._kind = kind
        self._namespaces = tuple(dict.fromkeys(namespaces)) if kind.namespaced else ()
        self._fallback = tuple(dict.fromkeys(fallback)) if kind.namespaced else ()

        def follow(namespace: str | None, note: str = "") -> Follower:
            return Follower(transport, discovery, kind, clock, namespace=namespace, note=note)

        self._follow: Callable[..., Follower] = follow

    @property
    def id(self) -> str:
        """The group resource."""
        return self._kind.resource

    async def observe(self) -> AsyncGenerator[Observation, None]:
        """Report objects and health until cancelled."""
        confluence = Confluence()
        try:
            if self._namespaces:
                for namespace in self._namespaces:
                    confluence.join(self._follow(namespace))
                while True:
                    yield await confluence.next()
            whole = self._follow(None)
            confluence.join(whole)
            while True:
                observation = await confluence.next()
                if isinstance(observation, SourceReported) and observation.source == whole.id and self._fallback:
                    observation = await self._adjust(observation, confluence, whole)
                yield observation
        finally:
            await confluence.close()

    async def _adjust(self, report: SourceReported, confluence: Confluence, whole: Follower) -> SourceReported:
        """Start or stop the fallback as the cluster-wide source is refused or ready, and say so in the report."""
        if report.health.state is SourceState.READY:
            await confluence.keep_only(whole.id)
            return report
        if report.health.state is not SourceState.FORBIDDEN or not whole.is_forbidden:
            return report
        for namespace in self._fallback:
            confluence.join(self._follow(namespace, "reading all namespaces is refused"))
        detail = f"namespace {', '.join(self._fallback)} only: {report.health.detail}"
        return replace(report, health=replace(report.health, state=SourceState.PARTIAL, detail=detail))


class Confluence:
    """Several sources read as one. A defect in any of them is raised to the reader."""

    def __init__(self) -> None:
        # Two slots are enough to hand over; a slow reader must slow the sources down.
        self._queue: asyncio.Queue[tuple[str, Observation | BaseException]] = asyncio.Queue(maxsize=2)
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def join(self, source: Follower) -> None:
        """Start reading a source; a second one of the same id is ignored."""
        if source.id not in self._tasks:
            self._tasks[source.id] = asyncio.create_task(self._pump(source), name=f"source:{source.id}")

    async def next(self) -> Observation:
        """Return the next observation of any source, in the order of each source."""
        while True:
            source, item = await self._queue.get()
            if isinstance(item, BaseException):
                raise item
            if source in self._tasks:
                return item

    async def keep_only(self, source: str) -> None:
        """Stop every other source; nothing of theirs is returned afterwards."""
        await self._stop([name for name in self._tasks if name != source])

    async def close(self) -> None:
        """Stop all."""
        await self._stop(list(self._tasks))

    async def _stop(self, names: Sequence[str]) -> None:
        tasks = [self._tasks.pop(name) for name in names]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _pump(self, source: Follower) -> None:
        try:
            async with aclosing(source.observe()) as observations:
                async for observation in observations:
                    await self._queue.put((source.id, observation))
        except Exception as error:  # noqa: BLE001 - handed to the reader, who raises it
            await self._queue.put((source.id, error))
