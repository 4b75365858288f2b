"""List, then watch: one kind in one scope, for ever.

The list is paged. The watch goes on from the version of the list and then of each event. A stream that ends is resumed
from there; a version that is too old (410) means a new list, which replaces everything.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from gwtui.adapters.kubernetes.decode import Burst, KindDecoder, Page
from gwtui.adapters.kubernetes.discovery import Discovery
from gwtui.adapters.kubernetes.failures import Expired, Throttled, decode_status
from gwtui.adapters.kubernetes.health import HealthLog
from gwtui.adapters.kubernetes.transport import ApiTransport, Reply
from gwtui.backoff import Backoff, between
from gwtui.errors import BadPayload, Denied, GwtuiError, NotServed
from gwtui.model.health import SourceState
from gwtui.model.ids import NamespacedName
from gwtui.model.kinds import KindSpec
from gwtui.model.observations import KindChanged, KindListed, Observation
from gwtui.ports import Clock

PAGE_LIMIT = 500
"""Objects per page: decoding one takes some 10 ms, the longest the event loop is held."""
PAGE_DEADLINE_S = 30.0
MAX_PAGE_BYTES = 256 * 2**20
LIST_TRIES = 3
"""How often a list starts over at once because its continue token expired."""
RECHECK_S = 30.0
"""Pause before asking again for what was refused or is not served."""
PAUSE_FIRST_S = 0.2
PAUSE_MAX_S = 30.0
HEALTHY_S = 60.0
"""A watch that lasted this long was healthy."""
BURST_S = 0.05
"""Pause between two reads of a watch: events that arrive in it become one observation. A lone event does not wait."""
BURST_LIMIT = 250
"""Events decoded before others get the event loop."""
NOTICED_S = 2.0
"""A stream that ends and is resumed within this many seconds is not worth a report."""


class Follower:
    """Follows one kind, cluster-wide or in one namespace. A `Source`."""

    def __init__(
        self,
        transport: ApiTransport,
        discovery: Discovery,
        kind: KindSpec,
        clock: Clock,
        *,
        namespace: str | None = None,
        note: str = "",
    ) -> None:
        """Prepare to follow.

        Args:
            transport: The open API server.
            discovery: Where the kind is served.
            kind: What to read.
            clock: Time.
            namespace: None means all.
            note: Appended to the detail of a healthy report, for example why only this namespace is read.
        """
        self._transport = transport
        self._discovery = discovery
        self._kind = kind
        self._clock = clock
        self._namespace = namespace
        self._note = note
        self._decoder = KindDecoder(kind.type)
        self._health = HealthLog(transport.access.context, self.id, clock)
        self._backoff = Backoff(PAUSE_FIRST_S, PAUSE_MAX_S)
        self._healthy_mono: float | None = None
        self._path = ""
        self._api_version = ""
        self._version = ""
        self._was_listed = False
        self._watch_is_refused = False
        self.is_forbidden = False
        """Whether the last refusal was for lack of rights (403), not of credentials (401)."""
        self._undecodable: dict[NamespacedName, str] = {}

    @property
    def id(self) -> str:
        """The group resource, with `@namespace` when it covers one namespace."""
        return self._kind.resource if self._namespace is None else f"{self._kind.resource}@{self._namespace}"

    async def observe(self) -> AsyncGenerator[Observation, None]:
        """Report objects and health until cancelled."""
        for report in self._health.report(SourceState.LOADING):
            yield report
        while True:
            try:
                async with aclosing(self._list_and_watch()) as observations:
                    async for observation in observations:
                        yield observation
                pause_s, outcome = self._ended()
            except GwtuiError as error:
                pause_s, outcome = self._pause_after(error), self._failed(error)
            for observation in outcome:
                yield observation
            await self._clock.sleep(pause_s)

    async def _list_and_watch(self) -> AsyncGenerator[Observation, None]:
        if not self._version:
            yield await self._list()
            if not self._watch_is_refused:
                for report in self._ready():
                    yield report
        async with aclosing(self._watch()) as observations:
            async for observation in observations:
                yield observation

    async def _list(self) -> KindListed:
        """Read the whole list and remember where to watch from.

        Raises:
            Expired: the continue token expired `LIST_TRIES` times.
            GwtuiError: any other failure.
        """
        base = await self._discovery.path(self._kind)
        scope = f"/namespaces/{self._namespace}" if self._namespace is not None else ""
        self._path = f"{base}{scope}/{self._kind.plural}"
        self._api_version = base.rpartition("/")[2]
        for tries_left in reversed(range(LIST_TRIES)):
            try:
                whole = await self._pages()
                break
            except Expired:
                if not tries_left:
                    raise
            except NotServed:
                # Discovery offered it before: it was removed, perhaps for another version.
                self._discovery.forget()
                raise
        self._undecodable = whole.undecodable
        self._version = whole.version
        self._was_listed = True
        return KindListed(self._transport.access.context, self._kind.resource, whole.objects, self._namespace)

    async def _pages(self) -> Page:
        whole = Page("", "")
        while True:
            query = [("limit", str(PAGE_LIMIT))]
            if whole.continue_token:
                query.append(("continue", whole.continue_token))
            body = await self._transport.get_json_bytes(
                self._path, query, deadline_s=PAGE_DEADLINE_S, max_bytes=MAX_PAGE_BYTES
            )
            page = self._decoder.page(body)
            whole.objects.update(page.objects)
            whole.undecodable.update(page.undecodable)
            if not page.version:
                raise BadPayload(f"{self._path}: the list has no resourceVersion", "is this a Kubernetes API server?")
            if page.continue_token and page.continue_token == whole.continue_token:
                raise BadPayload(f"{self._path}: the server repeats one page of the list", "see its logs")
            whole.version, whole.continue_token = page.version, page.continue_token
            if not page.continue_token:
                return whole

    async def _watch(self) -> AsyncGenerator[Observation, None]:
        timeout_s = round(between(240, 480))
        query = [
            ("watch", "true"),
            ("allowWatchBookmarks", "true"),
            ("resourceVersion", self._version),
            ("timeoutSeconds", str(timeout_s)),
        ]
        try:
            # A little above what the server promises, so that a half-open connection is noticed.
            async with self._transport.stream_lines(self._path, query, silence_s=timeout_s + 15) as stream:
                self._watch_is_refused = False
                self._healthy_mono = self._clock.mono()
                for report in self._ready():
                    yield report
                while lines := await stream.read():
                    for start in range(0, len(lines), BURST_LIMIT):
                        burst = self._decoder.burst(lines[start : start + BURST_LIMIT])
                        for observation in self._absorb(burst):
                            yield observation
                        if burst.error is not None:
                            raise self._stream_error(burst.error)
                        await self._clock.sleep(0)
                    await self._clock.sleep(BURST_S)
        except Denied:
            self._watch_is_refused = True
            raise

    def _absorb(self, burst: Burst) -> tuple[Observation, ...]:
        """Take over what a burst says, and return what to report of it."""
        self._version = burst.version or self._version
        for key in burst.changes:
            self._undecodable.pop(key, None)
        self._undecodable.update(burst.undecodable)
        changed: tuple[Observation, ...] = ()
        if burst.changes:
            changed = (KindChanged(self._transport.access.context, self._kind.resource, burst.changes),)
        return (*changed, *self._ready())

    def _stream_error(self, body: bytes) -> GwtuiError:
        status = decode_status(body)
        code = (status.code if status else None) or 500
        return self._transport.refusal("GET", self._path, Reply(code, body, {}), [("watch", "true")])

    def _ready(self) -> tuple[Observation, ...]:
        detail = f"{self._api_version}, {self._note}" if self._note else self._api_version
        names = tuple(
            f"{namespace}/{name}: {reason}" if namespace else f"{name}: {reason}"
            for (namespace, name), reason in sorted(self._undecodable.items())
        )
        hint = f"{len(names)} object(s) could not be decoded" if names else ""
        return self._health.report(SourceState.READY, detail, hint, names)

    def _ended(self) -> tuple[float, tuple[Observation, ...]]:
        """The server ended the watch in good order: how long to wait, and what to report."""
        pause_s = self._pause_s()
        if pause_s <= NOTICED_S:
            return pause_s, ()
        detail = f"the server ends the watch again and again; next try in {pause_s:.0f} s"
        return pause_s, self._health.report(SourceState.STALE, detail)

    def _pause_s(self) -> float:
        """Seconds to the next try; after a healthy minute the pauses begin again with the shortest."""
        if self._healthy_mono is not None and self._clock.mono() - self._healthy_mono >= HEALTHY_S:
            self._backoff.reset()
        self._healthy_mono = None
        return self._backoff.next()

    def _pause_after(self, error: GwtuiError) -> float:
        match error:
            case NotServed():
                self._version = ""
                return RECHECK_S
            case Denied():
                self._version = ""
                self.is_forbidden = error.status == 403
                return RECHECK_S
            case Expired():
                self._version = ""
                return self._pause_s()
            case Throttled():
                # Jitter on top: everyone who was told the same wait comes back at once otherwise.
                return error.retry_after_s + self._pause_s()
            case _:
                return self._pause_s()

    def _failed(self, error: GwtuiError) -> tuple[Observation, ...]:
        match error:
            case Expired():
                return ()  # A new list follows; nothing an operator need know.
            case NotServed():
                state = SourceState.NOT_SERVED
            case Denied():
                state = SourceState.FORBIDDEN
            case _:
                state = SourceState.STALE if self._was_listed else SourceState.FAILED
        detail = " ".join(error.message.split())
        if state is SourceState.FORBIDDEN and self._watch_is_refused and self._was_listed:
            detail = f"{detail}; listed every {RECHECK_S:.0f} s instead"
        return self._health.report(state, detail, " ".join(error.hint.split()))
