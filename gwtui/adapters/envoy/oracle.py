"""Which route takes a request, asked of Envoy's own matcher: the routes of a proxy in a throw-away Envoy of ours.

Nothing is sent to the proxy or to any backend: its routes are loaded here, each answering with its own place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from gwtui.adapters.envoy.echoing import PLACE, echoing, preparing
from gwtui.adapters.envoy.scratch import Reply, Scratch, plain_listener
from gwtui.errors import GwtuiError, UsageError
from gwtui.explain.loaded.answers import MISSHAPEN, Body, misshapen
from gwtui.explain.loaded.entrance import Entrance
from gwtui.explain.loaded.matches import strangers
from gwtui.explain.loaded.seen import TOUCHED, authority_of
from gwtui.explain.request import Request

_NOT_SENT = frozenset(
    {"connection", "content-length", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade"}
)
"""Headers between two neighbours: they are not passed on, and would be about our connection."""
_DEFAULT = "routes"
_KEEPS, _DROPS = "keeps", "drops"
"""Listeners that leave the port of hosts in place, and that drop it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What Envoy's matcher says."""

    virtual_host: str = ""
    """Empty when no route takes the request."""
    index: int | None = None
    """Position of the route in its virtual host, from 0; None when none takes it."""
    route: str = ""
    """Name of the route, which may have none."""
    target: str = ""
    """Cluster it sends to, or what it does instead, in few words."""
    status: int = 200
    """What the client gets where no route takes it: 404; 301 where TLS is asked for; 400 for what is no request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The verdict on one request, or why there is none."""

    verdict: Verdict | None
    doubts: tuple[str, ...] = ()
    """Why the proxy itself may decide otherwise, as sentences: it has what our Envoy has not."""
    problem: str = ""
    """Why there is no verdict, in one line with what to try."""


class Oracle:
    """Answers for route configurations of proxies. To be used as an asynchronous context.

    Args:
        tables: Route configurations as proxies write them (names with underscores), each with where its requests come
            in, under a name of letters and digits.
    """

    def __init__(self, tables: Mapping[str, tuple[Body, Entrance]]) -> None:
        self._tables = tables
        self.scratch = Scratch(
            {
                f"{name}-{variant}": plain_listener(echoing(table), preparing(entrance, drops_port=variant == _DROPS))
                for name, (table, entrance) in tables.items()
                for variant in ((_KEEPS, _DROPS) if _may_drop_port(entrance) else (_KEEPS,))
            }
        )
        """The Envoy that is asked."""

    async def __aenter__(self) -> Self:
        """Start an Envoy and load the routes.

        Raises:
            NotServed: there is no Envoy on this machine.
            BadPayload: it refuses the routes; in its own words.
            Unreachable: it does not answer in time.
        """
        await self.scratch.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        await self.scratch.__aexit__(kind, error, trace)

    async def ask(self, request: Request, name: str = _DEFAULT) -> Verdict:
        """Return which route takes a request.

        Args:
            request: As it arrives at the proxy.
            name: Of the route configuration.

        Raises:
            UsageError: it cannot be sent as it is.
            Unreachable: there was no answer.
        """
        if request.method == "CONNECT" or not request.path.isascii():
            raise UsageError(f"a {request.method} of {request.path} cannot be tried", "leave this one to the proxy")
        table, entrance = self._tables[name]
        headers = [(key, value) for key, value in request.headers if key not in _NOT_SENT]
        if entrance.is_encrypted and request.header("x-forwarded-proto") is None:
            headers.append(("x-forwarded-proto", "https"))
        query = "&".join(f"{key}={value}" if value else key for key, value in request.query)
        target = f"{request.path}?{query}" if query else request.path
        variant = _DROPS if _may_drop_port(entrance) and request.port == entrance.port else _KEEPS
        try:
            reply = await self.scratch.ask(
                f"{name}-{variant}", request.method, target, headers, host=authority_of(request)
            )
        except ValueError as error:
            raise UsageError(str(error), "leave this one to the proxy") from error
        return _verdict(table, reply)


async def prove(table: Body, entrance: Entrance, request: Request) -> Proof:
    """Return which route of a route configuration takes a request, by Envoy's own matcher. It never fails.

    Args:
        table: The route configuration as the proxy writes it, redacted or not.
        entrance: Where the request comes in, see `entrance_of`.
        request: As it arrives there.
    """
    try:
        async with Oracle({_DEFAULT: (table, entrance)}) as oracle:
            verdict = await oracle.ask(request)
        return Proof(verdict=verdict, doubts=tuple(dict.fromkeys(_doubts(table, verdict))))
    except GwtuiError as failure:
        return Proof(verdict=None, problem=failure.line())
    except MISSHAPEN:
        return Proof(verdict=None, problem=misshapen().reason)


def target_of(route: Body) -> str:
    """Return what a route does in few words: the clusters, `redirect`, `answer 500`."""
    action: Mapping[str, Any] = route.get("route") or {}
    if "cluster" in action:
        return str(action["cluster"])
    if "weighted_clusters" in action:
        clusters = action["weighted_clusters"].get("clusters", ())
        return ", ".join(f"{each.get('name', '?')} {each.get('weight', 0)}" for each in clusters)
    if "direct_response" in route:
        return f"answer {route['direct_response'].get('status', 0)}"
    return "redirect" if "redirect" in route else "something else"


def _may_drop_port(entrance: Entrance) -> bool:
    """Whether the proxy drops a port from hosts only where it is its own."""
    manager = entrance.manager or {}
    return bool(manager.get("strip_matching_host_port")) and not manager.get("strip_any_host_port")


def _verdict(table: Body, reply: Reply) -> Verdict:
    place = reply.headers.get(PLACE)
    if place is None:
        return Verdict(status=reply.status)
    position, index = map(int, place.split("/"))
    virtual_host = table["virtual_hosts"][position]
    route = virtual_host["routes"][index]
    return Verdict(
        virtual_host=virtual_host.get("name", ""),
        index=index,
        route=route.get("name", ""),
        target=target_of(route),
    )


def _doubts(table: Body, verdict: Verdict) -> Iterable[str]:
    """Of the routes that were tried up to the one that takes the request; of all when none does."""
    touched = TOUCHED | {each.lower() for each in table.get("internal_only_headers", ())}
    for virtual_host in table.get("virtual_hosts", ()):
        if verdict.virtual_host and virtual_host.get("name", "") != verdict.virtual_host:
            continue
        end = None if verdict.index is None else verdict.index + 1
        for index, route in enumerate(virtual_host.get("routes", ())[:end]):
            for each in strangers(route.get("match") or {}, touched):
                yield f"route {route.get('name') or index}: {each}"
