"""The keys of the screen below, read from the bindings that are really in force there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.binding import ActiveBinding

from gwtui.tui.keymap import KEYS, display
from gwtui.tui.screens.reading import ReadingScreen
from gwtui.views.map_legend import MARKS
from gwtui.views.spans import BLANK, Line, Role, Span, line

_TITLES = {
    "map": "Map",
    "table": "Table",
    "proxies": "Proxies",
    "routes": "Routes",
    "rule": "Rule",
    "proxy": "Proxy",
    "page": "Rows",
    "drain": "Drain",
    "conductor": "A drain under way",
    "console": "Every screen",
    "app": "Everywhere",
}


class HelpScreen(ReadingScreen):
    """Lists bindings by where they come from."""

    def __init__(self, active: dict[str, ActiveBinding]) -> None:
        super().__init__(" Keys ")
        self._lines = help_lines(active)

    def on_mount(self) -> None:
        """Show the keys."""
        self._view.show(self._lines)


def help_lines(active: dict[str, ActiveBinding]) -> Sequence[Line]:
    """One line per action with all of its keys; actions in the order of the keymap, nearest screen first."""
    keys: dict[str, list[str]] = {}
    words: dict[str, str] = {}
    for key, entry in active.items():
        if entry.binding.id and entry.enabled:
            keys.setdefault(entry.binding.id, []).append(display(key))
            words[entry.binding.id] = entry.binding.tooltip or entry.binding.description
    order = [key.id for key in KEYS if key.id in keys]
    lines: list[Line] = []
    for section in _sections(order):
        lines.append(line(Span(_TITLES.get(section, section.capitalize()), Role.ACCENT)))
        lines += [
            line(Span(f"  {'  '.join(keys[name]):<16}", Role.KEY), words[name])
            for name in order
            if name.partition(".")[0] == section
        ]
        lines.append(BLANK)
    lines.append(line(Span("  ctrl-p          ", Role.KEY), "Every command by name, with a search"))
    lines += [BLANK, line(Span("Marks", Role.ACCENT))]
    lines += [line(Span(f"  {mark:<16}", Role.KEY), meaning) for mark, meaning in MARKS]
    lines.append(BLANK)
    writes = "What these keys do is written to the cluster, and to the journal."
    harmless = "No key on this screen changes anything in a cluster."
    lines.append(line(Span(f"  {writes if 'conductor.abort' in keys else harmless}", Role.DIM)))
    return lines


def _sections(order: Iterable[str]) -> list[str]:
    found = list(dict.fromkeys(name.partition(".")[0] for name in order))
    return sorted(found, key=lambda section: section in ("console", "app"))
