"""The main screens there are. Each is imported when it is shown first, which is after the first frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.screen import Screen


def _map() -> Screen[None]:
    from gwtui.tui.screens.map import MapScreen  # noqa: PLC0415 - after the first frame

    return MapScreen()


def _proxies() -> Screen[None]:
    from gwtui.tui.screens.proxies import ProxiesScreen  # noqa: PLC0415 - after the first frame

    return ProxiesScreen()


def _routes() -> Screen[None]:
    from gwtui.tui.screens.routes import RoutesScreen  # noqa: PLC0415 - after the first frame

    return RoutesScreen()


def _changes() -> Screen[None]:
    from gwtui.tui.screens.changes import ChangesScreen  # noqa: PLC0415 - after the first frame

    return ChangesScreen()


def _triage() -> Screen[None]:
    from gwtui.tui.screens.triage import TriageScreen  # noqa: PLC0415 - after the first frame

    return TriageScreen()


MODES: dict[str, str | Callable[[], Screen[Any]]] = {
    "map": _map,
    "proxies": _proxies,
    "routes": _routes,
    "triage": _triage,
    "changes": _changes,
}
"""Screen by mode."""

TABS: tuple[tuple[str, str, str], ...] = (
    ("1", "Map", "map"),
    ("2", "Proxies", "proxies"),
    ("3", "Routes", "routes"),
    ("4", "Triage", "triage"),
    ("5", "Changes", "changes"),
)
"""(key, name, mode), in the order the header lists them."""
