"""Every key of the console: one name, one default, one explanation. No key writes: at most it opens a plan."""

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


_PROXY_TABS = (
    Key("proxy.next", "right_square_bracket,tab", "beside(1)", "next tab", "The next tab"),
    Key("proxy.previous", "left_square_bracket,shift+tab", "beside(-1)", "tab", "The tab before", is_shown=False),
    Key("proxy.traffic", "t", "tab('traffic')", "traffic", "Figures over time, and what we cost", is_shown=False),
    Key("proxy.listeners", "l", "tab('listeners')", "listeners", "Where it listens, and what came in", is_shown=False),
    Key("proxy.routes", "r", "tab('routes')", "routes", "Routes with counters of their own", is_shown=False),
    Key("proxy.upstreams", "u", "tab('upstreams')", "upstreams", "Upstreams and their endpoints", is_shown=False),
    Key("proxy.certificates", "c", "tab('certificates')", "certificates", "Certificates it holds", is_shown=False),
    Key("proxy.config", "o", "tab('config')", "config", "The configuration it holds", is_shown=False),
    Key("proxy.stats", "a", "tab('stats')", "stats", "Raw statistics by a pattern", is_shown=False),
    Key("proxy.about", "b", "tab('about')", "about", "Build, way in, and how we know", is_shown=False),
)
"""Handled before the next key is looked at: a tab, and what is typed for it right after, arrive in this order."""

KEYS = (
    Key("app.map", "1", "show_mode('map')", "Map", "Show the shape of the fleet", is_shown=False),
    Key("app.proxies", "2", "show_mode('proxies')", "Proxies", "Show every proxy, the worst first", is_shown=False),
    Key("app.routes", "3", "show_mode('routes')", "Routes", "Show every rule of every route", is_shown=False),
    Key("app.triage", "4", "show_mode('triage')", "Triage", "Show what is wrong, the worst first", is_shown=False),
    Key(
        "app.changes", "5", "show_mode('changes')", "Changes", "Show what was changed, and take it back", is_shown=False
    ),
    Key("app.sources", "s", "sources", "sources", "How do we know: every source, its state, and what to grant"),
    Key("app.why", "w", "why", "why", "Why this pattern: what proves it, or what is missing"),
    Key("app.pause", "p", "pause", "pause", "Hold the screen still; collecting goes on"),
    Key("app.help", "question_mark,f1", "help", "keys", "List the keys of this screen", is_shown=False),
    Key("app.quit", "Q", "quit", "quit", "Quit at once; while a drain is under way, asks once more", is_shown=False),
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
    Key("map.drain", "d", "drain", "drain", "Plan to empty the selected gateway; of a drained one: to fill it again"),
    Key("map.explain", "x", "explain", "explain", "Where a request goes that the selected card takes"),
    Key("map.yaml", "y", "yaml", "yaml", "Show the object behind the selected card"),
    Key("table.up", "up,k", "move(-1)", "up", "Select the row above", is_shown=False),
    Key("table.down", "down,j", "move(1)", "down", "Select the row below", is_shown=False),
    Key("table.page_up", "pageup", "page(-1)", "page up", "One page up", is_shown=False),
    Key("table.page_down", "pagedown", "page(1)", "page down", "One page down", is_shown=False),
    Key("table.first", "home,g", "edge(-1)", "first", "Select the first row", is_shown=False),
    Key("table.last", "end,G", "edge(1)", "last", "Select the last row", is_shown=False),
    Key("table.open", "enter", "open", "open", "Show every figure of the selected row"),
    Key("proxies.drain", "d", "drain", "drain", "Plan to take everything away from the selected proxy"),
    Key("proxies.explain", "x", "explain", "explain", "Where a request goes that the gateway of the proxy takes"),
    Key("proxies.yaml", "y", "yaml", "yaml", "Show the pod of the selected proxy"),
    Key("proxies.sort_left", "less_than_sign", "sort(-1)", "sort", "Sort by the column to the left"),
    Key(
        "proxies.sort_right", "greater_than_sign", "sort(1)", "sort", "Sort by the column to the right", is_shown=False
    ),
    Key("routes.edit", "e", "edit", "edit", "Edit the route of the selected rule; nothing is written before its plan"),
    Key("routes.drain", "d", "drain", "drain", "Plan to take everything away from a backend of the selected rule"),
    Key("routes.explain", "x", "explain", "explain", "Where a request goes that the selected rule is for"),
    Key("routes.yaml", "y", "yaml", "yaml", "Show the route of the selected rule"),
    Key("routes.sort_left", "less_than_sign", "sort(-1)", "sort", "Sort by the column to the left"),
    Key("routes.sort_right", "greater_than_sign", "sort(1)", "sort", "Sort by the column to the right", is_shown=False),
    Key("rule.drain", "d", "drain", "drain", "Plan to take everything away from a backend of the rule"),
    Key("rule.explain", "x", "explain", "explain", "Where a request goes that this rule is for"),
    Key("rule.yaml", "y", "yaml", "yaml", "Show the route as YAML"),
    Key("page.up", "up,k", "move(-1)", "up", "One row up", is_shown=False),
    Key("page.down", "down,j", "move(1)", "down", "One row down", is_shown=False),
    Key("page.page_up", "pageup,ctrl+u", "page(-1)", "page up", "One page up", is_shown=False),
    Key("page.page_down", "pagedown,ctrl+d,space", "page(1)", "page down", "One page down", is_shown=False),
    Key("page.first", "home,g", "edge(-1)", "first", "To the first row", is_shown=False),
    Key("page.last", "end,G", "edge(1)", "last", "To the last row", is_shown=False),
    *(key._replace(is_priority=True) for key in _PROXY_TABS),
    Key(
        "proxy.open", "enter", "open", "open", "Open the row: the endpoints of an upstream, a resource of configuration"
    ),
    Key("proxy.unfold", "plus,right", "fold(False)", "unfold", "Unfold the row", is_shown=False),
    Key("proxy.fold", "minus,left", "fold(True)", "fold", "Fold the row, or what it lies in", is_shown=False),
    Key("proxy.compare", "equals_sign", "compare", "compare", "Compare the resource with a sibling's that differs"),
    Key("proxy.next_match", "n", "match(1)", "next", "The next match of the search", is_shown=False),
    Key("proxy.previous_match", "N", "match(-1)", "previous", "The match before", is_shown=False),
    Key("proxy.yaml", "y", "yaml", "yaml", "Show the pod as YAML"),
    Key(
        "proxy.log",
        "L",
        "log_level",
        "log level",
        "Plan another log level for a while",
        is_shown=False,
        is_priority=True,
    ),
    Key("editor.less", "minus", "shift(-1)", "less", "Shift the weight of the chosen backend down by ten"),
    Key("editor.more", "plus", "shift(1)", "more", "Shift the weight of the chosen backend up by ten"),
    Key(
        "editor.sum",
        "equals_sign",
        "sum",
        "keep sum",
        "Whether shifts keep the sum of the rule's weights",
        is_shown=False,
    ),
    Key("editor.value", "enter", "value", "change", "Type another value for the chosen thing; a number is a weight"),
    Key("editor.add", "a", "add", "add", "Add one more of what is chosen"),
    Key("editor.hostname", "n", "add('hostname')", "hostname", "Add a hostname", is_shown=False),
    Key("editor.match", "m", "add('match')", "match", "Add a match to the rule", is_shown=False),
    Key(
        "editor.filter",
        "f",
        "add('filter')",
        "filter",
        "Add a filter to the rule: header, redirect, rewrite, mirror, cors",
        is_shown=False,
    ),
    Key("editor.backend", "b", "add('backend')", "backend", "Add a backend to the rule", is_shown=False),
    Key("editor.timeout", "t", "add('timeout')", "timeout", "Give the rule a timeout", is_shown=False),
    Key("editor.rule", "r", "add('rule')", "rule", "Add a rule after the chosen one", is_shown=False),
    Key("editor.remove", "x,delete", "remove", "remove", "Take the chosen thing out"),
    Key("editor.copy", "c", "copy", "copy", "Copy the chosen rule", is_shown=False),
    Key("editor.earlier", "K", "shove(-1)", "earlier", "Move the chosen rule or backend up", is_shown=False),
    Key("editor.later", "J", "shove(1)", "later", "Move the chosen rule or backend down", is_shown=False),
    Key("editor.undo", "u", "undo", "undo", "Take the last change of the draft back"),
    Key("editor.whole", "E", "whole", "$EDITOR", "Edit the whole object in your own editor", is_shown=False),
    Key("editor.discard", "D", "discard", "forget", "Forget the draft", is_shown=False),
    Key("editor.plan", "v", "plan", "review", "Make a plan of the draft and review it"),
    Key("triage.whole", "space", "whole", "evidence", "Show everything about the selected finding"),
    Key("triage.drain", "d", "drain", "drain", "Plan to take traffic away from what the finding is about"),
    Key("triage.edit", "e", "edit", "edit", "Edit the route of the finding; nothing is written before its plan"),
    Key("triage.undo", "z", "undo", "undo", "Plan to take back the change that came before the finding"),
    Key("triage.yaml", "y", "yaml", "yaml", "Show the object at the place of the finding"),
    Key("changes.undo", "z", "undo", "undo", "Plan to take the selected change back"),
    Key("changes.resume", "r", "resume", "take up", "Take up the selected change where it was cut off"),
    Key("plan.leave", "escape", "leave", "close", "Close; a change that is under way goes on"),
    Key("plan.lease", "ctrl+t", "lease", "lease", "Take the change back after a time", is_priority=True),
    Key("plan.guard", "ctrl+g", "guard", "guard", "Take it back when errors or p99 get worse", is_priority=True),
    Key("plan.save", "ctrl+s", "save", "save", "Write the plan as a patch file", is_priority=True),
    Key("plan.up", "up,pageup", "scroll(-1)", "up", "Scroll the review up", is_shown=False, is_priority=True),
    Key("plan.down", "down,pagedown", "scroll(1)", "down", "Scroll the review down", is_shown=False, is_priority=True),
    Key("drain.plan", "enter", "plan", "plan", "Make the plan and review it; nothing is written before"),
    Key("drain.up", "up,k", "choose(-1)", "up", "Who takes over: the one above"),
    Key("drain.down", "down,j", "choose(1)", "down", "Who takes over: the one below"),
    Key("drain.before", "left,h", "target(-1)", "backend", "The backend before"),
    Key("drain.after", "right", "target(1)", "backend", "The backend after"),
    Key("drain.ramp", "r", "option('ramp')", "ramp", "Stage by stage, or at once"),
    Key("drain.bake", "b", "option('bake')", "bake", "How long each stage is watched before the next"),
    Key("drain.deadline", "t", "option('deadline')", "deadline", "How long requests under way are waited for"),
    Key("drain.load", "l", "option('load')", "load", "Whether others may get more than they were seen to take"),
    Key("drain.help", "question_mark,f1", "app.help", "keys", "List the keys of this window"),
    Key("drain.close", "escape,q", "dismiss", "cancel", "Close; nothing is planned"),
    Key("conductor.hold", "space", "hold", "hold", "Begin nothing more, or go on; what is written stays"),
    Key("conductor.next", "n", "next", "next step", "Go on without what the present step still waits for"),
    Key("conductor.faster", "F", "faster", "faster", "Watch no step any longer than it takes to see it in force"),
    Key("conductor.abort", "a", "abort", "abort", "Take everything back and end; asks once more"),
    Key("conductor.wait", "w", "wait", "wait longer", "Wait a minute longer for what is under way"),
    Key("conductor.undrain", "z", "undrain", "undrain", "Plan to fill again what was emptied"),
    Key("conductor.up", "up,k,pageup", "scroll(-1)", "up", "Scroll up", is_shown=False),
    Key("conductor.down", "down,j,pagedown", "scroll(1)", "down", "Scroll down", is_shown=False),
    Key("conductor.help", "question_mark,f1", "app.help", "keys", "List the keys of this window"),
    Key("conductor.leave", "escape,q", "leave", "close", "Close; the drain goes on, enter on Changes opens it again"),
    Key(
        "explain.beside",
        "tab,shift+tab",
        "beside",
        "answer",
        "From the request to the answer and back",
        is_priority=True,
    ),
    Key("explain.edit", "e,i", "edit", "edit", "Go to the line with the request"),
    Key("explain.again", "r", "again", "again", "Explain the same request as things are now"),
    Key("explain.follow", "f", "follow", "follow", "Explain what a client asks for next that follows the redirect"),
    Key("reading.close", "escape,q", "dismiss", "close", "Back to the screen below"),
    Key("reading.up", "up,k", "scroll(-1)", "up", "One line up", is_shown=False),
    Key("reading.down", "down,j", "scroll(1)", "down", "One line down", is_shown=False),
    Key("reading.half_up", "ctrl+u,pageup", "half(-1)", "half page up", "Half a page up", is_shown=False),
    Key("reading.half_down", "ctrl+d,pagedown,space", "half(1)", "half page", "Half a page down"),
    Key("reading.first", "home,g", "edge(-1)", "top", "To the first line", is_shown=False),
    Key("reading.last", "end,G", "edge(1)", "bottom", "To the last line", is_shown=False),
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
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "equals_sign": "=",
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
