"""The seams between the engine and the outside world."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from gwtui.changes.door import Approval
from gwtui.changes.journal import Entry
from gwtui.changes.rights import Rule
from gwtui.model.health import ProxyState
from gwtui.model.ids import ObjectKey, ProxyKey
from gwtui.model.inspection import (
    BoundListener,
    Build,
    Certificate,
    ConfigKind,
    ConfigResource,
    Inspection,
    Statistic,
    Upstream,
)
from gwtui.model.observations import Observation
from gwtui.model.samples import ProxySample


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


class Part(StrEnum):
    """What a sample may hold beside counters."""

    GAUGES = "gauges"
    LATENCY = "latency"
    DETAIL = "detail"
    """Latency, that of every upstream and route included."""


class ProxyReader(Protocol):
    """Reads one proxy's numbers through whatever ways in it was built with, in order of preference."""

    async def sample(
        self, proxy: ProxyAddress, *, deadline_s: float, parts: frozenset[Part] = frozenset()
    ) -> tuple[ProxyState, ProxySample, str]:
        """Return the proxy's state, its sample and the way in that answered.

        Counters are always read. Gauges that are not asked for are those read last, with their time.

        Raises:
            SourceError: no way in answered; the last or most telling failure, with its hint.
        """
        ...


class ProxyInspector(Protocol):
    """Reads what a proxy holds, on request: everything that is too dear for every sample. Read-only.

    Every method needs a way to the admin interface. Each raises the same failures:

    Raises:
        Denied: the way in is refused, with the right to grant as the hint.
        NotServed: the proxy does not offer this page (`allow_paths`, an older build), or the pod is gone.
        Unreachable: no complete answer within `deadline_s` seconds.
        BadPayload: the answer is too large, or not what this page holds.
    """

    async def inspect(self, proxy: ProxyAddress, *, deadline_s: float) -> Inspection:
        """Return everything that is compared between replicas. Pages that fail are Unknown parts.

        Raises only when no part could be read.
        """
        ...

    async def build(self, proxy: ProxyAddress, *, deadline_s: float) -> Build:
        """Return version, node and flags."""
        ...

    async def listeners(self, proxy: ProxyAddress, *, deadline_s: float) -> tuple[BoundListener, ...]:
        """Return the listeners and where they listen."""
        ...

    async def upstreams(
        self, proxy: ProxyAddress, *, deadline_s: float, names: Sequence[str] = ()
    ) -> tuple[Upstream, ...]:
        """Return upstreams with their endpoints; only those of these names when there are any, which costs less."""
        ...

    async def certificates(self, proxy: ProxyAddress, *, deadline_s: float) -> tuple[Certificate, ...]:
        """Return the certificates it holds, those of the bootstrap included."""
        ...

    async def config(
        self, proxy: ProxyAddress, kind: ConfigKind, *, deadline_s: float, name: str = ""
    ) -> tuple[ConfigResource, ...]:
        """Return the resources of one kind with their redacted bodies; the one of this name when it is given."""
        ...

    async def statistics(self, proxy: ProxyAddress, pattern: str, *, deadline_s: float) -> tuple[Statistic, ...]:
        """Return the used statistics whose names match an RE2 pattern, by name.

        Raises:
            UsageError: the proxy refuses the pattern, in its own words.
        """
        ...


Operation = dict[str, Any]
"""One operation of a JSON Patch (RFC 6902)."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What the API server answered to a write."""

    document: dict[str, Any]
    """The object whole, as it is (or, for a dry run, would be) stored."""
    warnings: tuple[str, ...] = ()
    """Texts of its `Warning` headers."""


class ObjectWriter(Protocol):
    """Reads single objects whole and writes them, in one cluster."""

    async def read(self, key: ObjectKey) -> dict[str, Any]:
        """Return an object as the server has it, `managedFields` included.

        Raises:
            NotServed: it is gone, or its kind is not served.
            SourceError: it could not be read.
        """
        ...

    async def rehearse(self, key: ObjectKey, operations: Sequence[Operation]) -> Stored:
        """Return what a patch would make of the object: a server-side dry run with strict field validation.

        Raises:
            Conflict: the object is another one than the patch was made for, or somebody else owns the field.
            Rejected: the server's validation is against it, in its own words.
            Denied: we may not.
        """
        ...

    async def write(self, approval: Approval, key: ObjectKey, operations: Sequence[Operation]) -> Stored:
        """Patch the object for real, as field manager `gwtui`.

        Raises as `rehearse`; `Unreachable` leaves it open whether the server took it. Beside these:

        Raises:
            Refused: there is no approval, or it is one of a plan that does not write this object. Nothing was sent.
        """
        ...

    async def rules(self, namespace: str) -> tuple[Rule, ...] | None:
        """Return what we may do in a namespace, believed for a minute; None when the server cannot tell."""
        ...


class ProxyActuator(Protocol):
    """Tells proxies to do something, through a way in that reaches their loopback."""

    async def post(self, approval: Approval, proxy: ProxyAddress, path: str, *, deadline_s: float) -> Answer:
        """POST to the admin interface, once.

        Answers of any HTTP status made by the proxy itself come back as an `Answer`.

        Raises:
            Refused: the path is not on the list of `model.admin_posts`, or the approval's plan does not send it to this
                proxy. Nothing was sent.
            SourceError: as `ProxyAccess.get`; `Unreachable` leaves it open whether the proxy did it.
        """
        ...


class ProxyAdmin(Protocol):
    """Changes a running proxy by its admin interface, and reads what is told to approved plans alone.

    Every method sends one POST. Each raises the same failures:

    Raises:
        Refused: the approval's plan does not do this to this proxy. Nothing was sent.
        Rejected: the proxy is against it, in its own words. Nothing was done.
        NotServed: the proxy does not offer the page, or is gone. Nothing was done.
        Denied: the way in is refused, with the right to grant as the hint. Nothing was sent.
        SourceError: anything else leaves it open whether the proxy did it.
    """

    async def post(self, approval: Approval, proxy: ProxyAddress, path: str, *, deadline_s: float) -> None:
        """Make the proxy do what a path and its query say."""
        ...

    async def log_levels(self, approval: Approval, proxy: ProxyAddress, *, deadline_s: float) -> Mapping[str, str]:
        """Return the level of each logger now."""
        ...


class Journal(Protocol):
    """Where changes are remembered. Append-only."""

    def append(self, entry: Entry) -> None:
        """Write an entry and see it on the disk before returning.

        Raises:
            Refused: it cannot be kept, with the reason: then nothing may be written.
        """
        ...

    def entries(self) -> tuple[Entry, ...]:
        """Everything that was appended, oldest first. A line that was torn by a crash is left out.

        Raises:
            Refused: it cannot be read.
        """
        ...

    def claim(self, change: str, now: datetime) -> AbstractContextManager[None]:
        """Be the one process that carries out a change, inside the block. It ends with the process, however that ends.

        Raises:
            Refused: another process carries it out, or this cannot be made sure.
        """
        ...


FindInspector = Callable[[ProxyKey], tuple[ProxyInspector, ProxyAddress]]
"""Who asks a proxy, and where it is; raises `GwtuiError` when that is not known."""

FindAdmin = Callable[[ProxyKey], tuple[ProxyAdmin, ProxyAddress]]
"""Who tells a proxy, and where it is; raises `GwtuiError` when that is not known."""
