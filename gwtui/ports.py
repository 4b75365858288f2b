"""The seams between the engine and the outside world."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gwtui.model.health import ProxyState
from gwtui.model.ids import ProxyKey
from gwtui.model.observations import Observation
from gwtui.model.traffic import ProxySample


class Clock(Protocol):
    """The only source of time for the engine and the adapters."""

    def now(self) -> datetime:
        """The current time, aware UTC."""
        ...

    def mono(self) -> float:
        """Monotonic seconds; only differences mean anything."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class Source(Protocol):
    """Something that reports facts until it is cancelled.

    A source never ends by itself and never raises for a failure of the system it reads: it reports the failure as a
    `SourceReported` observation, waits with jittered back-off and goes on. What it does raise is a defect of ours.
    """

    @property
    def id(self) -> str:
        """Unique name, for logs and task names."""
        ...

    def observe(self) -> AsyncGenerator[Observation, None]:
        """Report facts until cancelled."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of a proxy's HTTP interface."""

    status: int
    body: bytes
    took_s: float
    """Seconds from sending the request to the last byte of the answer."""


class ProxyAccess(Protocol):
    """One way to reach the HTTP interface of a proxy. Read-only: GET alone exists here."""

    @property
    def name(self) -> str:
        """`pod proxy`, `port-forward`."""
        ...

    @property
    def reaches_loopback(self) -> bool:
        """Whether the way ends inside the pod, where the admin interface listens."""
        ...

    async def get(self, proxy: ProxyKey, port: int, path: str, *, deadline_s: float, max_bytes: int) -> Answer:
        """GET `path` (query included) from `port` of the proxy.

        Answers of any HTTP status made by the proxy itself come back as an `Answer`.

        Raises:
            Unreachable: no complete answer within `deadline_s` seconds, or the connection broke.
            Denied: the way in is refused (401, 403), with the right to grant as the hint.
            NotServed: the pod or the port does not exist.
            BadPayload: the answer was larger than `max_bytes`.
        """
        ...

    async def close(self) -> None:
        """Close every connection."""
        ...


@dataclass(frozen=True, slots=True)
class ProxyAddress:
    """What is needed to ask one proxy, from its pod object."""

    key: ProxyKey
    stats_port: int
    """From the pod annotation `prometheus.io/port`, default 9091."""
    admin_port: int = 19000


class ProxyReader(Protocol):
    """Reads one proxy's numbers through whatever ways in it was built with, in order of preference."""

    async def sample(self, proxy: ProxyAddress, *, deadline_s: float) -> tuple[ProxyState, ProxySample, str]:
        """Return the proxy's state, its counters and the way in that answered.

        Raises:
            SourceError: no way in answered; the last or most telling failure, with its hint.
        """
        ...
