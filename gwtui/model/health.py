"""How we know: the state of each source and of each proxy's way in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class SourceState(StrEnum):
    """Loading, empty, forbidden, failed and stale are different things; empty is a ready source with no objects."""

    LOADING = "loading"
    """No first answer yet."""
    READY = "ready"
    PARTIAL = "partial"
    """Listing everything is refused; some namespaces are read instead, each as a source of its own."""
    NOT_SERVED = "not served"
    """The server does not offer this kind."""
    FORBIDDEN = "forbidden"
    """401 or 403."""
    FAILED = "failed"
    """No first answer, and the last try failed."""
    STALE = "stale"
    """Was ready; the stream is broken. The last values stay visible with their age."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceHealth:
    """The state of one source, and what to do about it."""

    state: SourceState
    since: datetime
    """When this state began, aware UTC."""
    detail: str = ""
    """One line: what was answered."""
    hint: str = ""
    """One line: what to try or to grant."""
    undecodable: tuple[str, ...] = ()
    """Objects that could not be decoded, each as `namespace/name: reason`."""


class ProxyState(StrEnum):
    """What one proxy is doing, from its own admin answers."""

    UNKNOWN = "unknown"
    """Never asked, or not an Envoy we know how to ask."""
    LIVE = "live"
    DRAINING = "draining"
    INITIALIZING = "initializing"
    FAILING = "failing"
    """Asked and did not answer, or answered rubbish."""
    FORBIDDEN = "forbidden"
    """We may not ask (401 or 403)."""
