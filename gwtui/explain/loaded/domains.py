"""Which virtual host takes a host.

*Source:* `envoy.config.route.v3.VirtualHost.domains`: the exact one, then the longest that ends so, then the longest
that begins so, then any; a wildcard stands for one letter at least. No other virtual host is looked into.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from gwtui.explain.loaded.answers import Body

_ANY = "*"


class Hosted(NamedTuple):
    """A virtual host that takes a host."""

    virtual_host: Body
    domain: str


def hosted(virtual_hosts: Iterable[Body], host: str) -> Hosted | None:
    """Return the virtual host that takes a host; None when none does.

    Args:
        virtual_hosts: Those of one route configuration.
        host: As it is compared: with its port, unless ports are left out.
    """
    able = [
        (_rank(domain), Hosted(each, domain))
        for each in virtual_hosts
        for domain in each.get("domains", ())
        if _takes(domain.lower(), host.lower())
    ]
    return min(able, key=lambda each: each[0])[1] if able else None


def names_taken(names: Iterable[str], host: str) -> Iterator[str]:
    """Yield the server names of a filter chain that take a host: `a.test`, `*.test`."""
    return (each for each in names if _takes(each.lower(), host.lower()))


def _takes(domain: str, host: str) -> bool:
    if domain == _ANY:
        return True
    if domain.startswith("*"):
        return host.endswith(domain[1:]) and len(host) > len(domain) - 1
    if domain.endswith("*"):
        return host.startswith(domain[:-1]) and len(host) > len(domain) - 1
    return domain == host


def _rank(domain: str) -> tuple[int, int]:
    if domain == _ANY:
        return 3, 0
    return (1 if domain.startswith("*") else 2 if domain.endswith("*") else 0), -len(domain)
