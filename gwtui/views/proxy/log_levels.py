"""Log levels of a proxy: those at start, those that changes hold now, and what may be typed for another one."""

from __future__ import annotations

from collections.abc import Iterable

from gwtui.changes.journal import Change
from gwtui.changes.log_levels import loggers_words, open_levels, start_words
from gwtui.model.admin_posts import LOG_LEVELS
from gwtui.model.ids import ProxyKey
from gwtui.model.inspection import Build
from gwtui.model.known import Known, Unknown
from gwtui.model.loggers import LOGGERS
from gwtui.views import text
from gwtui.views.proxy.page import fact
from gwtui.views.spans import Line, Role, Span

PROMPT = "logger=level such as http=debug; a level alone is for all loggers; → completes, enter plans it"


def log_levels(build: Known[Build] | Unknown, changes: Iterable[Change], key: ProxyKey) -> list[Line]:
    """The levels at start, and one line per logger that a change gave another one."""
    if isinstance(build, Known) and build.value.log_level:
        start = fact(
            "log levels", f"{start_words(build.value)} at start", Span("  L gives a logger another one", Role.DIM)
        )
    else:
        start = fact("log levels", Span(text.UNKNOWN, Role.UNKNOWN), Span("  at start", Role.DIM))
    lines = [start]
    for each in open_levels(changes, key):
        until = f" until {text.clock(each.until)}" if each.until else ""
        words = f"{text.RAISED} {loggers_words((each.logger,))} at {each.level}{until}"
        lines.append(fact("", Span(words, Role.WARN), Span(f"  change {each.change}", Role.DIM)))
    return lines


def completions() -> list[str]:
    """What may be typed, in the order it is proposed: what an incident needs first."""
    levels = ["debug", *(level for level in LOG_LEVELS if level != "debug")]
    return [*(f"{logger}={level}" for logger in sorted(LOGGERS) for level in levels), *levels]
