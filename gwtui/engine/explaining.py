"""Asks the proxies on the way of a request what they would do with it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

from gwtui.errors import GwtuiError
from gwtui.explain.agreement import Held, provable, route_configs, with_loaded
from gwtui.explain.course import Explanation, Hop, Proof
from gwtui.explain.loaded.answers import Body
from gwtui.explain.loaded.entrance import Entrance
from gwtui.explain.loaded.lookup import in_force
from gwtui.explain.request import Request
from gwtui.model.ids import ProxyKey
from gwtui.model.inspection import ConfigKind, ConfigResource
from gwtui.model.known import Known
from gwtui.model.snapshot import Snapshot

MOST_PROXIES = 12
"""Proxies that are asked for one request; of a large gateway some replicas stand for all."""
MOST_PER_GATEWAY = 3
AT_ONCE = 4

ReadConfig = Callable[[ProxyKey, ConfigKind, str], Awaitable[tuple[ConfigResource, ...]]]
"""Reads the resources of one kind, or the one of a name, from a proxy; raises `GwtuiError`."""


Prove = Callable[[Hop, ProxyKey, Body, Entrance, Request], Awaitable[Proof]]
"""Asks Envoy's own matcher which of the routes of a proxy takes a request."""

MOST_PROOFS = 16
"""Hops that are proved for one request."""


async def with_loaded_answers(
    explanation: Explanation, read: ReadConfig, snapshot: Snapshot, prove: Prove | None = None
) -> Explanation:
    """Return an explanation with what the proxies on its way hold. A proxy that cannot be read says why.

    Args:
        explanation: What the objects intend.
        read: Reads from proxies.
        snapshot: Tells their versions.
        prove: Proves the answer of one proxy of each hop; None proves nothing.
    """
    wanted: dict[ProxyKey, dict[str, None]] = {}
    for course in explanation.courses:
        named = route_configs(course)
        chosen = (proxy for _, hop in course.hops for proxy in hop.proxies[:MOST_PER_GATEWAY] if proxy in named)
        for proxy in chosen:
            if proxy in wanted or len(wanted) < MOST_PROXIES:
                wanted.setdefault(proxy, {}).update(dict.fromkeys(named[proxy]))
    turns = asyncio.Semaphore(AT_ONCE)

    async def held(proxy: ProxyKey, names: Sequence[str]) -> tuple[ProxyKey, Held]:
        async with turns:
            return proxy, await _held(proxy, names, read, snapshot)

    found = dict(await asyncio.gather(*(held(proxy, tuple(names)) for proxy, names in wanted.items())))
    told = await asyncio.to_thread(_attached, explanation, found)
    if prove is None:
        return told
    proving = _Proving(prove, found)
    courses = [replace(each, first=await proving.hop(each.first)) for each in told.courses]
    return replace(told, courses=tuple(courses))


class _Proving:
    """Has one hop after the other proved."""

    def __init__(self, prove: Prove, held: Mapping[ProxyKey, Held]) -> None:
        self._prove = prove
        self._held = held
        self._left = MOST_PROOFS

    async def hop(self, hop: Hop) -> Hop:
        """Return a hop, and all behind it, with its proof."""
        proved = await self._proved(hop)
        branches = [each if each.hop is None else replace(each, hop=await self.hop(each.hop)) for each in hop.branches]
        return replace(hop, proof=proved, branches=tuple(branches))

    async def _proved(self, hop: Hop) -> Proof | None:
        for proxy in hop.proxies:
            if self._left > 0 and proxy in self._held and (found := provable(hop, self._held[proxy])) is not None:
                self._left -= 1
                return await self._prove(hop, proxy, *found)
        return None


def _attached(explanation: Explanation, held: Mapping[ProxyKey, Held]) -> Explanation:
    return replace(explanation, courses=tuple(with_loaded(each, held) for each in explanation.courses))


async def _held(proxy: ProxyKey, names: Sequence[str], read: ReadConfig, snapshot: Snapshot) -> Held:
    try:
        listeners = in_force(await read(proxy, ConfigKind.LISTENER, ""))
        routes: list[Body] = []
        for name in names:
            routes += in_force(await read(proxy, ConfigKind.ROUTES, name))
    except GwtuiError as error:
        return Held(failure=f"could not be asked: {error.line()}")
    return Held(listeners=listeners, routes=tuple(routes), version=_version(proxy, snapshot))


def _version(proxy: ProxyKey, snapshot: Snapshot) -> str:
    view = snapshot.proxies.get(proxy)
    build = view.inspection.build if view is not None and view.inspection is not None else None
    return build.value.version if isinstance(build, Known) else ""
