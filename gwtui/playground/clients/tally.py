"""What the clients count, and the form in which they report it."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from itertools import accumulate

LATENCY_MS = (0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1e3, 2.5e3, 5e3, 1e4, 3e4, 6e4, 3e5, 6e5, 1.8e6, 3.6e6)
"""Upper bounds of the latency buckets: Envoy's own, so that both can be compared."""


class Protocol(StrEnum):
    """What clients speak. gRPC is short calls and long streams, SSE and WebSocket are long streams alone."""

    HTTP1 = "http1"
    HTTP2 = "http2"
    GRPC = "grpc"
    SSE = "sse"
    WEBSOCKET = "websocket"


class Outcome(StrEnum):
    """How a request or a stream ended."""

    OK = "ok"
    FAILED = "failed"
    """A short request failed, or a long stream never began."""
    CUT = "cut"
    """A long stream began and ended before its time."""


class Tally:
    """Counts of one path of a host. `sent` is `ok` plus `failed` plus what is under way."""

    def __init__(self) -> None:
        self.sent = 0
        self.ok = 0
        self.failed = 0
        self.status: Counter[int] = Counter()

    def record(self, status: int | None, *, complete: bool) -> bool:
        """Count one end of a request: no answer, a broken answer or a 5xx is a failure. Returns whether it was none."""
        if status is not None:
            self.status[status] += 1
        is_ok = complete and status is not None and status < 500
        if is_ok:
            self.ok += 1
        else:
            self.failed += 1
        return is_ok

    def as_json(self) -> dict[str, object]:
        """The counts, statuses as text."""
        return {
            "sent": self.sent,
            "ok": self.ok,
            "failed": self.failed,
            "status": {str(code): count for code, count in sorted(self.status.items())},
        }


class ProtocolTally:
    """Counts of one protocol of a host. `sent` is `ok`, `failed`, `cut` and what is under way."""

    def __init__(self) -> None:
        self.sent = 0
        self.ended: Counter[Outcome] = Counter()
        self.open = 0
        """Long streams that have begun and not ended."""

    def as_json(self) -> dict[str, int]:
        """The counts."""
        return {"sent": self.sent, **{each.value: self.ended[each] for each in Outcome}, "open": self.open}


class HostTally(Tally):
    """Counts of a host: those of its paths and of its streams, which are under no path.

    `omitted` are ordinary requests that were due and never sent, because these clients or the host were too slow.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        super().__init__()
        self.omitted = 0
        self.paths = {path: Tally() for path in paths}
        self.protocols = {each: ProtocolTally() for each in Protocol}
        """The same requests and streams by what they speak; a stream that was cut is not among its failures."""
        self._latency = [0] * (len(LATENCY_MS) + 1)

    def start(self, path: str) -> Tally:
        """Count a request to a path that is sent now; returns the path's own counts."""
        of_path = self.paths.setdefault(path, Tally())
        self.sent += 1
        of_path.sent += 1
        return of_path

    def took(self, seconds: float) -> None:
        """Record how long an ordinary request took, from sending it to the end of its answer."""
        self._latency[bisect_left(LATENCY_MS, seconds * 1000)] += 1

    def as_json(self) -> dict[str, object]:
        """As above and `omitted`, the same by path in `paths` and by protocol in `protocols`.

        `latency_ms` tells of ordinary, answered requests: cumulative buckets, [upper bound in ms, count], the last one
        without a bound.
        """
        bounds = (*LATENCY_MS, None)
        return {
            **super().as_json(),
            "omitted": self.omitted,
            "paths": {path: tally.as_json() for path, tally in sorted(self.paths.items())},
            "protocols": {name.value: tally.as_json() for name, tally in self.protocols.items()},
            "latency_ms": [list(each) for each in zip(bounds, accumulate(self._latency), strict=True)],
        }
