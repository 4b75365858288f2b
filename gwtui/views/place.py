"""Where am I: the clusters the console is opened on, and what there is to see before the first answer."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gwtui.views.spans import BLANK, Line, Role, Span, joined, line


def is_production(context: str) -> bool:
    """Whether the name of a context says that mistakes are expensive here."""
    return bool({"prod", "production", "prd"} & set(re.split(r"[^a-z0-9]+", context.lower())))


def where(clusters: Sequence[str]) -> Line:
    """The contexts, each with a word when it is a production one."""
    parts: list[Line] = []
    for name in clusters:
        alarm = (Span(" "), Span(" PROD ", Role.ALARM)) if is_production(name) else BLANK
        parts.append((Span(name, Role.ACCENT), *alarm))
    return joined(parts, " + ")


def first_frame(clusters: Sequence[str]) -> tuple[Line, ...]:
    """What is shown until there is something to show."""
    named = clusters or ("the current context",)
    connecting = [line(Span(f"   … connecting to {name} …", Role.ACCENT)) for name in named]
    return (line(Span(" gwtui  ", Role.STRONG), *where(named)), BLANK, BLANK, *connecting)
