"""The `[[prometheus]]` tables of the configuration file: which servers know the proxies, and when to ask them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gwtui.errors import UsageError
from gwtui.settings.tables import Key, Place, decode_keys

FALLBACK = "fallback"
"""Ask it where direct access to a proxy is refused, or where there are too many proxies."""

ALWAYS = "always"


@dataclass(frozen=True, slots=True, kw_only=True)
class PrometheusSettings:
    """One Prometheus-compatible server."""

    url: str = field(repr=False)
    """Base of its API. May hold user and password: it is never shown."""
    cluster: str = ""
    """Kubeconfig context it is for; empty: every one that has no table of its own."""
    use: str = FALLBACK
    match: str = ""
    """More matchers for every question, for example `cluster="prod-eu"`."""
    token_file: Path | None = None
    """File with a bearer token, read anew for every question."""
    ca_file: Path | None = None
    """PEM file with the authority that signed the server's certificate; None: the usual ones."""
    insecure: bool = False
    """Do not check the server's certificate."""
    proxies_above: int = 300
    """Above so many proxies they are not asked directly, even where that works."""


KEYS: Mapping[str, Key] = {
    "url": Key(str, is_required=True),
    "cluster": Key(str),
    "use": Key(str, choices=(FALLBACK, ALWAYS)),
    "match": Key(str),
    "token_file": Key(Path),
    "ca_file": Key(Path),
    "insecure": Key(bool),
    "proxies_above": Key(int),
}

_MATCHER = r'\s*[a-zA-Z_][a-zA-Z0-9_]*\s*(?:=~|!~|!=|=)\s*"(?:[^"\\]|\\.)*"\s*'
_MATCHERS = re.compile(f"{_MATCHER}(?:,{_MATCHER})*")


def decode_prometheus(table: Mapping[str, Any], place: Place) -> PrometheusSettings:
    """Return what one table says.

    Raises:
        UsageError: a key is unknown, has a wrong type or a value that cannot be used; the URL is never in the message.
    """
    chosen = PrometheusSettings(**decode_keys(table, KEYS, place))
    if not _is_base(chosen.url):
        raise place.refuse("url is not a base URL", "write it as http://HOST:PORT, with a path where there is one")
    if chosen.match and not _MATCHERS.fullmatch(chosen.match):
        raise place.refuse("match is not a list of matchers", """write it as 'cluster="prod-eu"', without braces""")
    if chosen.insecure and chosen.ca_file:
        raise place.refuse("ca_file has no use with insecure", "leave one of them out")
    if chosen.token_file and "@" in urlsplit(chosen.url).netloc:
        raise place.refuse("there are two ways to sign in", "leave out token_file, or user and password in url")
    if chosen.proxies_above < 0:
        raise place.refuse("proxies_above is below zero", 'write 0, or use = "always"')
    return chosen


def check_clusters(entries: Iterable[PrometheusSettings], path: Path) -> None:
    """Refuse two tables for one cluster.

    Raises:
        UsageError: there are two.
    """
    seen: dict[str, int] = {}
    for index, entry in enumerate(entries, 1):
        if entry.cluster in seen:
            of = f"cluster {entry.cluster!r}" if entry.cluster else "every cluster"
            first = seen[entry.cluster]
            raise UsageError(
                f"{path}: [[prometheus]] {index}: {of} has table {first} already", "give each a cluster of its own"
            )
        seen[entry.cluster] = index


def prometheus_for(entries: Iterable[PrometheusSettings], cluster: str) -> PrometheusSettings | None:
    """Return the server for a cluster: its own table, else the one for every cluster."""
    by_cluster = {entry.cluster: entry for entry in entries}
    return by_cluster.get(cluster) or by_cluster.get("")


def _is_base(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in {"http", "https"}
            and bool(parts.hostname)
            and parts.port != 0
            and not (parts.query or parts.fragment)
            and url.isprintable()
            and " " not in url
        )
    except ValueError:
        return False
