"""What one Envoy holds, asked on its admin interface: the `ProxyInspector`.

Every page is read only, and pages of one proxy are asked for one after the other, whoever asks: the admin interface has
one thread, which also does health checks and takes configuration.

Answers above `OFF_LOOP_BYTES` are decoded in a thread, so that no key and no sample waits for them. A thread and not
a process: what a process returns has to be packed and unpacked again, which takes as long as decoding it here. The
decoders take long pages piece by piece, and between two pieces the event loop gets its turn.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeVar
from urllib.parse import quote
from weakref import WeakValueDictionary

from gwtui.adapters.envoy.decode import printable
from gwtui.adapters.envoy.decode_build import decode_build, decode_listeners
from gwtui.adapters.envoy.decode_certificates import decode_certificates
from gwtui.adapters.envoy.decode_clusters import decode_upstreams
from gwtui.adapters.envoy.decode_config import DELIVERED, FIELDS, decode_digests, decode_resources
from gwtui.adapters.envoy.decode_statistics import decode_statistics
from gwtui.collector import collector_paused
from gwtui.errors import BadPayload, Denied, NotServed, SourceError, Unreachable, UsageError
from gwtui.model.ids import ProxyKey
from gwtui.model.inspection import (
    BoundListener,
    Build,
    Certificate,
    ConfigDigest,
    ConfigKind,
    ConfigResource,
    Inspection,
    Statistic,
    Upstream,
)
from gwtui.model.known import Known, Unknown
from gwtui.ports import Answer, Clock, ProxyAccess, ProxyAddress, ProxyInspector

CONFIG_BYTES = 32_000_000
"""Largest field of a configuration dump we read: some 100,000 routes."""
CLUSTERS_BYTES = 16_000_000
"""Some 12,000 upstreams of one endpoint."""
STATISTICS_BYTES = 16_000_000
CERTIFICATES_BYTES = 4_000_000
SMALL_BYTES = 2_000_000
"""`/server_info` has 124 KB, whatever the proxy does; `/listeners` some 200 bytes for each."""

OFF_LOOP_BYTES = 200_000
"""Larger answers are decoded in a thread: below it is done within some milliseconds."""

LONGEST_FILTER = 4000
"""Longer filters are left out and everything is read: Envoy takes request heads of up to 60 KB."""

COMPARED = (ConfigKind.LISTENER, ConfigKind.ROUTES, ConfigKind.CLUSTER)
"""Kinds of configuration an inspection reads."""

WARMING_CLUSTERS = "dynamic_warming_clusters"
_WARMING = "/stats?format=json&type=Gauges&filter=" + quote(r"^cluster_manager\.warming_clusters$", safe="")

T = TypeVar("T")

_TELLING_FIRST = (Denied, BadPayload, NotServed, Unreachable)
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9_\x80-\U0010ffff]")


class EnvoyInspector(ProxyInspector):
    """Reads what an Envoy holds; a `ProxyInspector`.

    Args:
        ways: ways in, the preferred one first. The first one that ends inside the pod is used, on the admin port.
        clock: time of what is read.
    """

    def __init__(self, ways: Sequence[ProxyAccess], clock: Clock) -> None:
        self._way = next((way for way in ways if way.reaches_loopback), None)
        self._clock = clock
        self._turns: WeakValueDictionary[ProxyKey, asyncio.Lock] = WeakValueDictionary()

    async def inspect(self, proxy: ProxyAddress, *, deadline_s: float) -> Inspection:
        """Return everything that is compared between replicas; see `ProxyInspector.inspect`.

        Small pages come first, so that a configuration too large for the deadline leaves the rest known. A way in that
        is refused is not tried again for the other pages.
        """
        asked = self._asked(proxy, deadline_s)
        parts = _Parts(self._clock)
        build = await parts.read(lambda: _build(asked))
        listeners = await parts.read(lambda: _listeners(asked))
        certificates = await parts.read(lambda: _certificates(asked))
        config = await parts.read(lambda: _digests(asked))
        if len(parts.failures) == 4:
            raise min(parts.failures, key=_rank)
        return Inspection(
            taken_at=self._clock.now(),
            build=build,
            certificates=certificates,
            config=config,
            listeners=listeners,
            cost_ms=sum(answer.took_s for answer in asked.answers) * 1000,
            cost_bytes=sum(len(answer.body) for answer in asked.answers),
            questions=len(asked.answers),
        )

    async def build(self, proxy: ProxyAddress, *, deadline_s: float) -> Build:
        """Return version, node and flags."""
        return await _build(self._asked(proxy, deadline_s))

    async def listeners(self, proxy: ProxyAddress, *, deadline_s: float) -> tuple[BoundListener, ...]:
        """Return the listeners and where they listen, by name."""
        return await _listeners(self._asked(proxy, deadline_s))

    async def upstreams(
        self, proxy: ProxyAddress, *, deadline_s: float, names: Sequence[str] = ()
    ) -> tuple[Upstream, ...]:
        """Return upstreams with their endpoints, by name; only those of these names when there are any."""
        path = "/clusters?format=json" + _filter("filter", names)
        found = await self._asked(proxy, deadline_s).read(path, CLUSTERS_BYTES, decode_upstreams)
        wanted = frozenset(names)
        return tuple(each for each in found if each.name in wanted) if names else found

    async def certificates(self, proxy: ProxyAddress, *, deadline_s: float) -> tuple[Certificate, ...]:
        """Return the certificates it holds, those of the bootstrap included."""
        return await _certificates(self._asked(proxy, deadline_s))

    async def config(
        self, proxy: ProxyAddress, kind: ConfigKind, *, deadline_s: float, name: str = ""
    ) -> tuple[ConfigResource, ...]:
        """Return the resources of one kind with their redacted bodies: static, then delivered, then warming ones.

        Envoy's `name_regex` leaves entries of refused updates in, whatever their name, so we look at the name again.
        """
        asked = self._asked(proxy, deadline_s)
        found: list[ConfigResource] = []
        for field in FIELDS[kind]:
            path = _dump(field) + _filter("name_regex", [name] if name else ())
            found += await asked.read(path, CONFIG_BYTES, partial(decode_resources, kind=kind, field=field))
        return tuple(each for each in found if each.digest.name == name) if name else tuple(found)

    async def statistics(self, proxy: ProxyAddress, pattern: str, *, deadline_s: float) -> tuple[Statistic, ...]:
        """Return the used statistics whose names match an RE2 pattern anywhere, by name; all of them when it is empty.

        Raises:
            UsageError: the proxy refuses the pattern, in its own words.
        """
        path = "/stats?format=json&usedonly" + (f"&filter={quote(pattern, safe='')}" if pattern else "")
        asked = self._asked(proxy, deadline_s)
        answer = await asked.get(path, STATISTICS_BYTES)
        if answer.status == 400 and pattern:
            raise UsageError(
                f"the proxy refuses the pattern: {printable(answer.body)}", "write it as RE2, without look-ahead"
            )
        return await asked.decoded(answer, path, decode_statistics)

    def _asked(self, proxy: ProxyAddress, deadline_s: float) -> _Asked:
        if self._way is None:
            raise NotServed(
                "no way in reaches the admin interface of the proxy",
                f"grant get and create on pods/portforward in namespace {proxy.key.namespace}",
            )
        turn = self._turns.setdefault(proxy.key, asyncio.Lock())
        return _Asked(self._way, proxy, self._clock, deadline_s, turn)


class _Asked:
    """The questions of one call to one proxy, within one deadline."""

    def __init__(
        self, way: ProxyAccess, proxy: ProxyAddress, clock: Clock, deadline_s: float, turn: asyncio.Lock
    ) -> None:
        self._way = way
        self._proxy = proxy
        self._clock = clock
        self._deadline_s = deadline_s
        self._end = clock.mono() + deadline_s
        self._turn = turn
        self.answers: list[Answer] = []

    async def read(self, path: str, max_bytes: int, decode: Callable[[bytes], T]) -> T:
        """Ask for a page and decode it.

        Raises:
            SourceError: no answer, or none that holds this page.
        """
        return await self.decoded(await self.get(path, max_bytes), path, decode)

    async def get(self, path: str, max_bytes: int) -> Answer:
        """Ask for a page, when no other question to this proxy is open.

        Raises:
            SourceError: no answer at all.
        """
        try:
            async with asyncio.timeout(self._left_s()):
                await self._turn.acquire()
        except TimeoutError as error:
            raise self._late(path) from error
        try:
            left_s = self._left_s()
            if not left_s:
                raise self._late(path)
            answer = await self._way.get(
                self._proxy.key, self._proxy.admin_port, path, deadline_s=left_s, max_bytes=max_bytes
            )
        finally:
            self._turn.release()
        self.answers.append(answer)
        return answer

    async def decoded(self, answer: Answer, path: str, decode: Callable[[bytes], T]) -> T:
        """Decode an answer, a large one off the event loop.

        Raises:
            SourceError: it is none that holds this page.
        """
        if answer.status != 200:
            raise _unexpected(answer, path)
        if len(answer.body) < OFF_LOOP_BYTES:
            return decode(answer.body)
        return await asyncio.to_thread(_undisturbed, decode, answer.body)

    def _left_s(self) -> float:
        return max(self._end - self._clock.mono(), 0.0)

    def _late(self, path: str) -> Unreachable:
        return Unreachable(
            f"no time was left to ask for {_page(path)} within {self._deadline_s:g} s", "the proxy may be busy"
        )


class _Parts:
    """Parts of one inspection, each known or unknown for its own reason."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.failures: list[SourceError] = []

    async def read(self, part: Callable[[], Awaitable[T]]) -> Known[T] | Unknown:
        """Read one part, unless the way in was refused before."""
        try:
            if refusal := next((each for each in self.failures if isinstance(each, Denied)), None):
                raise refusal
            return Known(await part(), self._clock.now())
        except SourceError as failure:
            self.failures.append(failure)
            return Unknown(failure.message)


def _undisturbed(decode: Callable[[bytes], T], body: bytes) -> T:
    with collector_paused():  # a collection would hold up everybody, and nothing here is garbage yet
        return decode(body)


async def _build(asked: _Asked) -> Build:
    return await asked.read("/server_info", SMALL_BYTES, decode_build)


async def _listeners(asked: _Asked) -> tuple[BoundListener, ...]:
    return await asked.read("/listeners?format=json", SMALL_BYTES, decode_listeners)


async def _certificates(asked: _Asked) -> tuple[Certificate, ...]:
    return await asked.read("/certs", CERTIFICATES_BYTES, decode_certificates)


async def _digests(asked: _Asked) -> tuple[ConfigDigest, ...]:
    """All kinds or none: a configuration that lacks one would differ from every sibling's."""
    found: list[ConfigDigest] = []
    for kind in COMPARED:
        path = _dump(DELIVERED[kind])
        found += await asked.read(path, CONFIG_BYTES, partial(decode_digests, kind=kind))
    if await _are_clusters_warming(asked):
        decode = partial(decode_digests, kind=ConfigKind.CLUSTER, field=WARMING_CLUSTERS)
        found += await asked.read(_dump(WARMING_CLUSTERS), CONFIG_BYTES, decode)
    return tuple(found)


async def _are_clusters_warming(asked: _Asked) -> bool:
    """Whether it is worth reading them: a dump of clusters costs the proxy far more than this count."""
    try:
        counts = await asked.read(_WARMING, SMALL_BYTES, decode_statistics)
    except NotServed:
        return False
    return any(count.value for count in counts)


def _dump(field: str) -> str:
    return f"/config_dump?resource={field}"


def _filter(parameter: str, names: Sequence[str]) -> str:
    """A query parameter that matches exactly these names, or nothing when there are none or too many.

    RE2 takes every punctuation character escaped by a backslash as itself, but for NUL, which no name holds.
    """
    pattern = quote("^(" + "|".join(_NOT_PLAIN.sub(r"\\\g<0>", name) for name in names) + ")$", safe="")
    return f"&{parameter}={pattern}" if names and len(pattern) <= LONGEST_FILTER else ""


def _page(path: str) -> str:
    """The part of a path that names the page: of a configuration dump its resource as well."""
    bare, _, query = path.partition("?")
    first = query.partition("&")[0]
    return f"{bare}?{first}" if first.startswith("resource=") else bare


def _rank(failure: SourceError) -> int:
    return next((rank for rank, kind in enumerate(_TELLING_FIRST) if isinstance(failure, kind)), len(_TELLING_FIRST))


def _unexpected(answer: Answer, path: str) -> SourceError:
    """Name what an answer other than 200 to a page means."""
    message = f"the proxy answered {answer.status} to {_page(path)}: {printable(answer.body)}".rstrip(": ")
    if answer.status == 403:
        return NotServed(message, "its `allow_paths` leaves this page out")
    if answer.status in {400, 404, 405}:
        return NotServed(message, "this build of the proxy does not offer the page")
    if answer.status in {502, 503, 504}:
        return Unreachable(message, "something before the admin interface answers, not the proxy")
    return BadPayload(message, "check that this port is Envoy's admin port")
