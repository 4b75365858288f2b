"""The `[[proxy]]` tables of the configuration file: proxies at fixed addresses, without a Kubernetes API."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gwtui.errors import UsageError
from gwtui.settings.tables import Key, Place, decode_keys


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticProxy:
    """One proxy."""

    name: str
    admin: str
    """Base URL of its admin interface, for example `http://10.0.0.7:19000`."""
    gateway: str = ""
    """Proxies with the same one are replicas of each other; empty: it stands alone."""
    namespace: str = "default"


KEYS: Mapping[str, Key] = {
    "name": Key(str, is_required=True),
    "admin": Key(str, is_required=True),
    "gateway": Key(str),
    "namespace": Key(str),
}


def decode_proxy(table: Mapping[str, Any], place: Place) -> StaticProxy:
    """Return what one table says.

    Raises:
        UsageError: a key is unknown, has a wrong type or a value that cannot be used.
    """
    chosen = StaticProxy(**decode_keys(table, KEYS, place))
    if not chosen.name:
        raise place.refuse("name is empty", "give the proxy a name of its own")
    if not _is_base(chosen.admin):
        raise place.refuse("admin is not a base URL", "write it as http://HOST:PORT")
    return chosen


def check_names(proxies: Iterable[StaticProxy], path: Path) -> None:
    """Refuse two proxies of one name.

    Raises:
        UsageError: there are two.
    """
    seen: set[tuple[str, str]] = set()
    for proxy in proxies:
        if (proxy.namespace, proxy.name) in seen:
            raise UsageError(f"{path}: two [[proxy]] are called {proxy.namespace}/{proxy.name}", "rename one of them")
        seen.add((proxy.namespace, proxy.name))


def _is_base(url: str) -> bool:
    try:
        parts = urlsplit(url)
        is_plain = not (parts.query or parts.fragment or parts.username)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0 and is_plain
    except ValueError:
        return False
