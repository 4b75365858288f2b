"""What a proxy would do with a request, in the words of its own configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Body = Mapping[str, Any]
"""A resource as the proxy writes it (proto3 JSON, names with underscores), redacted."""


@dataclass(frozen=True, slots=True)
class CannotTell:
    """The configuration alone does not decide."""

    reason: str
    """What does, as the rest of a sentence: `it depends on …`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One of the clusters that requests go to."""

    cluster: str
    ratio: float
    """Its part of the requests, from 0 to 1."""
    weight: int | None = None
    """None of the only one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forward:
    """Send it to a cluster."""

    shares: tuple[Share, ...]
    """Empty when all weights are 0: such a request fails."""
    timeout_s: float | None = None
    """For the whole answer; None is no limit."""
    prefix_rewrite: str = ""
    """In place of what the path matched."""
    regex_rewrite: tuple[str, str] | None = None
    """Expression and substitution."""
    host_rewrite: str = ""
    """The host that is sent; empty keeps it, or does something that is not a plain text."""
    mirrors: tuple[str, ...] = ()
    """Clusters that get a copy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect:
    """Answer with another place. Empty and None keep that part of the URL."""

    status: int
    scheme: str = ""
    host: str = ""
    port: int | None = None
    path: str = ""
    prefix_rewrite: str = ""
    regex_rewrite: tuple[str, str] | None = None
    drops_query: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Answer with a fixed response."""

    status: int
    body: str = ""
    """As far as it is text in the configuration."""


Action = Forward | Redirect | Reply | CannotTell


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The route that takes it."""

    routes: str
    """Name of the route configuration; empty for connections that are passed on as they are."""
    virtual_host: str
    domain: str
    """The domain of the virtual host that took the host."""
    index: int
    """Position of the route in its virtual host, from 0."""
    route: str
    """Its name; of a connection that is passed on, that of the filter chain."""
    action: Action
    caveats: tuple[str, ...] = ()
    """What may come before the route has its way, each as a sentence: `ext_authz may refuse it`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unrouted:
    """No route takes it: the proxy answers by itself, or closes the connection."""

    reason: str
    status: int | None = 404
    """None closes the connection."""
    routes: str = ""
    virtual_host: str = ""
    domain: str = ""
    caveats: tuple[str, ...] = ()


Answer = Loaded | Unrouted | CannotTell


MISSHAPEN = (AttributeError, KeyError, TypeError, ValueError)
"""What reading a body raises that does not have the shape Envoy promises."""


def misshapen() -> CannotTell:
    """What is said of such a body."""
    return CannotTell("the configuration does not have the shape that Envoy promises")


def every(*verdicts: bool | CannotTell) -> bool | CannotTell:
    """Whether all hold: one that does not decides, then one of which it cannot be told."""
    doubt: CannotTell | None = None
    for each in verdicts:
        if each is False:
            return False
        if isinstance(each, CannotTell) and doubt is None:
            doubt = each
    return doubt or True
