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


def _show_proxies(app: GwtuiApp, pattern: str) -> None:
    """Show all proxies, filtered when a pattern is given."""
    from gwtui.tui.screens.proxies import ProxiesScreen  # noqa: PLC0415 - after the first frame

    app.action_show_mode("proxies")
    if isinstance(app.screen, ProxiesScreen) and pattern:
        app.screen.pattern = pattern
        app.screen.repaint()


def _show_routes(app: GwtuiApp, pattern: str) -> None:
    """Show all rules, filtered when a pattern is given."""
    from gwtui.tui.screens.routes import RoutesScreen  # noqa: PLC0415 - after the first frame

    app.action_show_mode("routes")
    if isinstance(app.screen, RoutesScreen) and pattern:
        app.screen.pattern = pattern
        app.screen.repaint()


def _show_triage(app: GwtuiApp, pattern: str) -> None:
    """Show what is wrong, filtered when a pattern is given."""
    from gwtui.tui.screens.triage import TriageScreen  # noqa: PLC0415 - after the first frame

    app.action_show_mode("triage")
    if isinstance(app.screen, TriageScreen) and pattern:
        app.screen.pattern = pattern
        app.screen.repaint()


def _open_proxy(app: GwtuiApp, name: str) -> None:
    """Open the proxy that is meant by a name; the worst one without a name."""
    from gwtui.tui.screens.proxy import ProxyScreen  # noqa: PLC0415 - after the first frame
    from gwtui.views.matching import nearest  # noqa: PLC0415
    from gwtui.views.proxies import rows  # noqa: PLC0415

    scene = app.scene
    by_name = {str(row.key): row.key for row in reversed(rows(scene.snapshot, scene.now, figures=scene.fleet))}
    names = [*reversed(by_name)]
    found = nearest(name, names) if name else next(iter(names), None)
    if found is None:
        known = "" if not names else f"; the worst is {names[0]}"
        app.notify(
            f"no proxy is called {name}{known}" if name else "no proxy is known yet", severity="warning", markup=False
        )
        return
    if isinstance(app.screen, ProxyScreen):
        app.pop_screen()
    app.push_screen(ProxyScreen(by_name[found]))


def _drain(app: GwtuiApp, words: str) -> None:
    """Open the wizard for what is named: `infra/shard-a`, and who takes over after it."""
    problem = app.drains.wish_named(words)
    if problem:
        app.notify(problem, severity="warning", markup=False)


def _undrain(app: GwtuiApp, name: str) -> None:
    """Plan to fill again what is named."""
    problem = app.drains.undo(name)
    if problem:
        app.notify(problem, severity="warning", markup=False)


def _explain(app: GwtuiApp, request: str) -> None:
    """Ask where a request goes."""
    from gwtui.tui.screens.explain import ExplainScreen  # noqa: PLC0415 - loaded when it is needed

    app.push_screen(ExplainScreen(request))


COMMANDS = (
    Command(("map", "m", "topology"), "Show the shape of the fleet", lambda app, _: app.action_show_mode("map")),
    Command(("proxies", "p", "pods"), "Show every proxy, the worst first; a word after it filters", _show_proxies),
    Command(
        ("routes", "route", "r", "httproutes"),
        "Show every rule of every route; words after it filter: host: ns: gw: backend: state:",
        _show_routes,
    ),
    Command(("triage", "t", "findings"), "What is wrong, the worst first; words after it filter", _show_triage),
    Command(("changes", "journal"), "What was changed, by whom", lambda app, _: app.action_show_mode("changes")),
    Command(("proxy",), "Open one proxy: proxy NAME, or a part of it; without a name the worst", _open_proxy),
    Command(("explain", "x"), "Where a request goes: explain [METHOD] URL, or a pasted curl command", _explain),
    Command(("drain",), "Plan to empty something: drain NS/GATEWAY NS/TAKER, or NS/POD", _drain),
    Command(("undrain",), "Plan to fill again what was emptied: undrain NS/GATEWAY", _undrain),
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
