"""Every key of the console: one name, one default, one explanation. No key here writes anything."""

from __future__ import annotations

from typing import NamedTuple

from textual.binding import Binding, BindingType


class Key(NamedTuple):
    """One action and the keys that trigger it."""

    id: str
    """`screen.action`; what a user's own keymap refers to."""
    keys: str
    """Comma-separated Textual key names."""
    action: str
    label: str
    """One or two words, for the key line."""
    tooltip: str
    """A sentence, for the help screen."""
    is_shown: bool = True
    """Whether the key line at the bottom names it."""
    is_priority: bool = False
    """Whether it is handled before the focused widget gets its keys, and before the next key is looked at."""


KEYS = (
    Key("app.map", "1", "show_mode('map')", "Map", "Show the shape of the fleet", is_shown=False),
    Key("app.proxies", "2", "show_mode('proxies')", "Proxies", "Show every proxy, the worst first", is_shown=False),
    Key("app.sources", "s", "sources", "sources", "How do we know: every source, its state, and what to grant"),
    Key("app.why", "w", "why", "why", "Why this pattern: what proves it, or what is missing"),
    Key("app.pause", "p", "pause", "pause", "Hold the screen still; collecting goes on"),
    Key("app.help", "question_mark,f1", "help", "keys", "List the keys of this screen", is_shown=False),
    Key("app.quit", "Q", "quit", "quit", "Quit at once", is_shown=False),
    Key(
        "app.interrupt",
        "ctrl+c",
        "interrupt",
        "quit",
        "Copy a selection; otherwise twice within 2 s quits, always",
        is_shown=False,
        is_priority=True,
    ),
    Key(
        "console.filter",
        "slash",
        "filter",
        "filter",
        "Filter while typing: words that must occur, !word that must not",
        is_shown=False,
        is_priority=True,
    ),
    Key(
        "console.command",
        "colon",
        "command",
        "go",
        "Go somewhere by name, for example :proxies",
        is_shown=False,
        is_priority=True,
    ),
    Key("console.back", "escape", "back", "back", "One step back: close, clear the filter, leave", is_shown=False),
    Key("console.leave", "q", "leave", "back", "One step back; on the first screen twice to quit", is_shown=False),
    Key("map.up", "up,k", "move('up')", "up", "Select the card above", is_shown=False),
    Key("map.down", "down,j", "move('down')", "down", "Select the card below", is_shown=False),
    Key("map.left", "left,h", "move('left')", "upstream", "Select where the traffic comes from", is_shown=False),
    Key("map.right", "right,l", "move('right')", "downstream", "Select where the traffic goes", is_shown=False),
    Key("map.first", "home,g", "move('first')", "first", "Select the first card", is_shown=False),
    Key("map.last", "end,G", "move('last')", "last", "Select the last card", is_shown=False),
    Key("map.open", "enter", "open", "open", "Go into the selected card: its proxies, or the services of a namespace"),
    Key("map.unfold", "plus", "unfold", "unfold", "Open the selected fold and select its worst card", is_shown=False),
    Key(
        "map.fold",
        "minus",
        "fold",
        "fold",
        "Fold the selected card away with the others of its namespace",
        is_shown=False,
    ),
    Key("map.only", "f", "only", "focus", "Show only what the selected card touches; again: everything"),
    Key("map.yaml", "y", "yaml", "yaml", "Show the object behind the selected card"),
    Key("table.up", "up,k", "move(-1)", "up", "Select the row above", is_shown=False),
    Key("table.down", "down,j", "move(1)", "down", "Select the row below", is_shown=False),
    Key("table.page_up", "pageup", "page(-1)", "page up", "One page up", is_shown=False),
    Key("table.page_down", "pagedown", "page(1)", "page down", "One page down", is_shown=False),
    Key("table.first", "home,g", "edge(-1)", "first", "Select the first row", is_shown=False),
    Key("table.last", "end,G", "edge(1)", "last", "Select the last row", is_shown=False),
    Key("table.open", "enter", "open", "open", "Show every figure of the selected row"),
    Key("proxies.yaml", "y", "yaml", "yaml", "Show the pod of the selected proxy"),
    Key("proxies.sort_left", "less_than_sign", "sort(-1)", "sort", "Sort by the column to the left"),
    Key(
        "proxies.sort_right", "greater_than_sign", "sort(1)", "sort", "Sort by the column to the right", is_shown=False
    ),
    Key("reading.close", "escape,q", "dismiss", "close", "Back to the screen below"),
    Key("reading.up", "up,k", "scroll(-1)", "up", "One line up", is_shown=False),
    Key("reading.down", "down,j", "scroll(1)", "down", "One line down", is_shown=False),
    Key("reading.half_up", "ctrl+u,pageup", "half(-1)", "half page up", "Half a page up", is_shown=False),
    Key("reading.half_down", "ctrl+d,pagedown,space", "half(1)", "half page", "Half a page down"),
    Key("reading.first", "home,g", "edge(-1)", "top", "To the first line", is_shown=False),
    Key("reading.last", "end,G", "edge(1)", "bottom", "To the last line", is_shown=False),
    Key("detail.yaml", "y", "yaml", "yaml", "Show the object as YAML"),
)
"""Bindings by screen, in the order the help screen lists them."""

_DISPLAY = {
    "question_mark": "?",
    "slash": "/",
    "colon": ":",
    "plus": "+",
    "minus": "-",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "escape": "esc",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "home": "Home",
    "end": "End",
}


def bindings(*screens: str) -> list[BindingType]:
    """The bindings whose id starts with one of the names."""
    return [
        Binding(
            key.keys,
            key.action,
            key.label,
            id=key.id,
            show=key.is_shown,
            tooltip=key.tooltip,
            priority=key.is_priority,
        )
        for key in KEYS
        if key.id.partition(".")[0] in screens
    ]


def display(key: str) -> str:
    """A Textual key name as it is printed on a keyboard: `?`, `esc`, `ctrl-d`, `PgDn`."""
    *modifiers, base = key.split("+")
    return "-".join([*modifiers, _DISPLAY.get(base, base)])
