"""The two lines on top of every screen: where am I, how is it, and how much of it do we know."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from gwtui.model.known import Unknown
from gwtui.model.snapshot import ProxyView, Snapshot
from gwtui.views import judge, text
from gwtui.views.fleet import Fleet
from gwtui.views.place import where
from gwtui.views.spans import BLANK, Line, Role, Span, joined, line, pad, spread, width

NOT_RECOGNISED = "pattern not recognised"

WIDE = 110
"""Cells from which the full wording is used."""


PATTERN_CELLS = 24
"""Cells of the pattern that come before how many proxies are not read; the rest of a long one gives way to that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """A screen that exists, as the tabs line names it."""

    key: str
    name: str
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How many proxies the figures are from."""

    answering: int
    asked: int
    """Those that are asked, or will be: the ones that could answer."""
    unread: int
    """Those that nobody asks: their data plane is none we know how to read."""
    oldest_s: float | None
    """Age in seconds of the oldest answer counted; None when nothing answers."""


def coverage(fleet: Fleet, now: datetime) -> Coverage:
    """Count the proxies that answer, of those that are asked."""
    asked = [view for view in fleet.proxies if _is_asked(fleet, view)]
    ages = [
        (now - view.answered_at).total_seconds()
        for view in asked
        if view.answered_at is not None and judge.is_answering(view, now)
    ]
    return Coverage(
        answering=len(ages),
        asked=len(asked),
        unread=len(fleet.proxies) - len(asked),
        oldest_s=max(ages, default=None),
    )


def _is_asked(fleet: Fleet, view: ProxyView) -> bool:
    """Whether the engine asks a proxy: those of kgateway's Envoys, and any whose gateway is not known yet."""
    owner = fleet.owners.get(view.key)
    return owner is None or fleet.gateways[owner].node.is_managed


def pattern_words(snapshot: Snapshot, *, wide: bool) -> str:
    """The deployment patterns in words, each once, in order of appearance; said where there is none."""
    ids = dict.fromkeys(found.id for cluster in snapshot.clusters.values() for found in cluster.topology.patterns)
    words = text.PATTERNS if wide else {**text.PATTERNS, **text.PATTERNS_IN_SHORT}
    found = [words.get(pattern, pattern) for pattern in ids]
    known = [cluster.topology for cluster in snapshot.clusters.values() if cluster.topology.gateways]
    if any(not topology.patterns for topology in known):
        found.append(NOT_RECOGNISED if wide or not found else "?")
    return " + ".join(found)


def header(
    snapshot: Snapshot,
    fleet: Fleet,
    clusters: Sequence[str],
    now: datetime,
    *,
    cells: int,
    badges: Iterable[Span] = (),
) -> Line:
    """The first line, `cells` wide.

    What does not fit goes in this order: name, wording, proxies that are not read, pattern, figures.
    """
    wide = cells >= WIDE
    known = coverage(fleet, now)
    place = where(clusters)
    pattern = pattern_words(snapshot, wide=wide)
    name = line(Span(" gwtui ", Role.STRONG)) if wide else BLANK
    left = (*name, Span(" "), *place, *_shape(pattern))
    in_short = (Span(" "), *place, *_shape(pattern_words(snapshot, wide=False)))
    shown = tuple((badge,) for badge in badges if wide)
    least = min(width(in_short), width(place) + PATTERN_CELLS)
    right: Line = BLANK
    for each in (known, replace(known, unread=0)) if known.asked else (known,):
        right = (*joined([*_figures(fleet, each, wide=wide), *shown], "   " if wide else "  "), Span(" "))
        if least + width(right) + 1 <= cells:
            break
    if width(place) + 2 + width(right) > cells:
        return pad((Span(" "), *place), cells)
    return spread(left if width(left) + width(right) + 1 <= cells or not pattern else in_short, right, cells)


def _shape(pattern: str) -> Line:
    return line(Span(" ▸ ", Role.DIM), Span(pattern, Role.STRONG)) if pattern else BLANK


def tabs(
    entries: Sequence[Tab],
    hints: Sequence[tuple[str, str]],
    *,
    cells: int,
    badges: Iterable[Span] = (),
    cost: Line = BLANK,
) -> Line:
    """The second line: the screens at the left, our own cost and the keys that work everywhere at the right.

    The badges stand here where the first line is too narrow for them.
    """
    left: list[Span] = []
    for tab in entries:
        left += [Span(" "), Span(tab.key, Role.KEY), Span(f" {tab.name} ", Role.BADGE if tab.active else Role.TEXT)]
    shown = [(badge,) for badge in badges if cells < WIDE]
    named: list[Line] = [(Span(key, Role.KEY), Span(f" {word}", Role.DIM)) for key, word in hints]
    right: Line = BLANK
    # Which screens there are and what is open come before keys that the help screen lists as well.
    for kept in ((cost, *named), (cost, *named[1:2]), named[1:2], ()):
        right = (*joined([*shown, *kept], "   "), Span(" "))
        if width(left) + width(right) + 1 <= cells:
            break
    return spread(tuple(left), right, cells)


def _figures(fleet: Fleet, known: Coverage, *, wide: bool) -> list[Line]:
    unread = f"{known.unread} not read" if known.unread else ""
    if not known.asked:
        words = text.plural(known.unread, "proxy", "proxies") + " not read" if wide else unread
        return [line(Span(words, Role.UNKNOWN))] if unread else []
    traffic = fleet.entry_traffic()
    answered = text.part_of(known.answering, known.asked)
    role = Role.TEXT if known.answering == known.asked else Role.WARN
    oldest = text.UNKNOWN if known.oldest_s is None else text.age(known.oldest_s)
    if wide:
        partial = (
            f"{answered} proxies answer, oldest {oldest}" if role is Role.WARN else f"{answered} proxies · {oldest}"
        )
    else:
        partial = f"{answered} · {oldest}"
    covered = line(Span(partial, role), Span(f" · {unread}" if unread else "", Role.UNKNOWN))
    if isinstance(traffic.rps, Unknown):
        return [
            line(Span(f"no rates: {traffic.rps.reason}", Role.UNKNOWN)) if wide else BLANK,
            covered,
        ]
    p99 = text.figure(traffic.p99_ms, text.ms)
    return [
        line(Span(text.rps(traffic.rps.value), Role.STRONG)),
        line(judge.error_span(traffic.error_ratio, suffix=" err" if wide else "")),
        line(f"p99 {p99}"),
        covered,
    ]
