"""The tabs of the proxy detail, and the line that names them."""

from __future__ import annotations

from typing import NamedTuple

from gwtui.views.spans import Line, Role, Span, width

HERE = "▸"
"""Stands before the open tab, in the place of its key."""


class ProxyTab(NamedTuple):
    """One tab."""

    id: str
    key: str
    """The letter that opens it."""
    title: str
    short: str = ""
    """The title where there is little room, when it differs."""


TABS = (
    ProxyTab("traffic", "t", "Traffic"),
    ProxyTab("listeners", "l", "Listeners"),
    ProxyTab("routes", "r", "Routes"),
    ProxyTab("upstreams", "u", "Upstreams"),
    ProxyTab("certificates", "c", "Certificates", "Certs"),
    ProxyTab("config", "o", "Config"),
    ProxyTab("stats", "a", "Stats"),
    ProxyTab("about", "b", "About"),
)
"""In the order they stand in."""


def beside(tab: str, direction: int) -> str:
    """The tab before (-1) or after (1) another; after the last comes the first."""
    names = [each.id for each in TABS]
    return names[(names.index(tab) + direction) % len(names)]


def tab_line(active: str, cells: int) -> Line:
    """The tabs with their keys in at most `cells` cells; the open one is marked."""
    spacious = _tabs(active, gap="   ", short=False)
    return spacious if width(spacious) <= cells else _tabs(active, gap=" ", short=True)


def _tabs(active: str, *, gap: str, short: bool) -> Line:
    spans: list[Span] = []
    for tab in TABS:
        title = tab.short if short and tab.short else tab.title
        if spans:
            spans.append(Span(gap))
        if tab.id == active:
            spans += [Span(HERE, Role.ACCENT), Span(" "), Span(title, Role.BADGE)]
        else:
            spans += [Span(tab.key, Role.KEY), Span(f" {title}")]
    return tuple(spans)
