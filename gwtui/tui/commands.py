"""Command mode: everything that can be reached by name. The palette lists the same commands."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from gwtui.tui.app import GwtuiApp


class Command(NamedTuple):
    """One command."""

    names: tuple[str, ...]
    """The full name first, then what else it may be called."""
    help: str
    run: Callable[[GwtuiApp, str], None]
    """Called with what was typed after the name."""


COMMANDS = (
    Command(("map", "m", "topology"), "Show the shape of the fleet", lambda app, _: app.action_show_mode("map")),
    Command(
        ("proxies", "p", "proxy", "pods"),
        "Show every proxy, the worst first; a word after it filters",
        lambda app, rest: app.show_proxies(rest),
    ),
    Command(
        ("sources", "s", "status"), "How do we know: every source and its state", lambda app, _: app.action_sources()
    ),
    Command(("why", "pattern"), "Why this pattern: what proves it, what is missing", lambda app, _: app.action_why()),
    Command(("theme",), "Change the colours: theme NAME", lambda app, rest: app.choose_theme(rest)),
    Command(("pause",), "Hold the screen still, or let it go on", lambda app, _: app.action_pause()),
    Command(("help", "keys", "h"), "List the keys of this screen", lambda app, _: app.action_help()),
    Command(("quit", "q", "q!", "exit"), "Leave", lambda app, _: app.exit()),
)


def words() -> list[str]:
    """Full names, for completion."""
    return [command.names[0] for command in COMMANDS]


def run(app: GwtuiApp, typed: str) -> str:
    """Carry out what was typed. Returns why not, with the nearest command there is, or an empty text."""
    name, _, rest = typed.strip().removeprefix(":").partition(" ")
    if not name:
        return ""
    command = next((command for command in COMMANDS if name.lower() in command.names), None)
    if command is not None:
        command.run(app, rest.strip())
        return ""
    near = get_close_matches(name.lower(), [name for command in COMMANDS for name in command.names], n=1, cutoff=0.5)
    known = next((command.names[0] for command in COMMANDS if near and near[0] in command.names), "")
    return (
        f"no command {name}; did you mean :{known}?" if known else f"no command {name}; there are: {', '.join(words())}"
    )
