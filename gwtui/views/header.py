"""The two lines on top of every screen: where am I, how is it, and how much of it do we know."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from gwtui.model.known import Unknown
from gwtui.model.snapshot import Snapshot
from gwtui.views import judge, text
from gwtui.views.fleet import Fleet
from gwtui.views.place import where
from gwtui.views.spans import BLANK, Line, Role, Span, joined, line, pad, spread, width

NOT_RECOGNISED = "pattern not recognised"

WIDE = 110
"""Cells from which the full wording is used."""


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
    known: int
    oldest_s: float | None
    """Age in seconds of the oldest answer counted; None when nothing answers."""


def coverage(fleet: Fleet, now: datetime) -> Coverage:
    """Count the proxies that answer."""
    ages = [
        (now - view.answered_at).total_seconds()
        for view in fleet.proxies
        if view.answered_at is not None and judge.is_answering(view, now)
    ]
    return Coverage(answering=len(ages), known=len(fleet.proxies), oldest_s=max(ages, default=None))


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
    """The first line, `cells` wide. What does not fit goes in this order: name, pattern, wording of the figures."""
    wide = cells >= WIDE
    known = coverage(fleet, now)
    figures = [*_figures(fleet, known, wide=wide), *((badge,) for badge in badges if wide)]
    right = (*joined(figures, "   " if wide else "  "), Span(" "))
    place = where(clusters)
    pattern = pattern_words(snapshot, wide=wide)
    name = line(Span(" gwtui ", Role.STRONG)) if wide else BLANK
    shape = line(Span(" ▸ ", Role.DIM), Span(pattern, Role.STRONG)) if pattern else BLANK
    left = (*name, Span(" "), *place, *shape)
    if pattern and width(left) + width(right) + 1 > cells:
        left = (Span(" "), *place, Span(" ▸ ", Role.DIM), Span(pattern_words(snapshot, wide=False), Role.STRONG))
    if width(place) + 2 + width(right) > cells:
        return pad((Span(" "), *place), cells)
    return spread(left, right, cells)


def tabs(entries: Sequence[Tab], hints: Sequence[tuple[str, str]], *, cells: int, badges: Iterable[Span] = ()) -> Line:
    """The second line: the screens at the left, the keys that work everywhere at the right.

    The badges stand here where the first line is too narrow for them.
    """
    left: list[Span] = []
    for tab in entries:
        left += [Span(" "), Span(tab.key, Role.KEY), Span(f" {tab.name} ", Role.BADGE if tab.active else Role.TEXT)]
    shown = [(badge,) for badge in badges if cells < WIDE]
    right = joined([*shown, *((Span(key, Role.KEY), Span(f" {word}", Role.DIM)) for key, word in hints)], "   ")
    return spread(tuple(left), (*right, Span(" ")), cells)


def _figures(fleet: Fleet, known: Coverage, *, wide: bool) -> list[Line]:
    if not known.known:
        return []
    traffic = fleet.entry_traffic()
    answered = text.part_of(known.answering, known.known)
    role = Role.TEXT if known.answering == known.known else Role.WARN
    oldest = text.UNKNOWN if known.oldest_s is None else text.age(known.oldest_s)
    if wide:
        partial = (
            f"{answered} proxies answer, oldest {oldest}" if role is Role.WARN else f"{answered} proxies · {oldest}"
        )
    else:
        partial = f"{answered} · {oldest}"
    if isinstance(traffic.rps, Unknown):
        return [
            line(Span(f"no rates: {traffic.rps.reason}", Role.UNKNOWN)) if wide else BLANK,
            line(Span(partial, role)),
        ]
    p99 = text.figure(traffic.p99_ms, text.ms)
    return [
        line(Span(text.rps(traffic.rps.value), Role.STRONG)),
        line(judge.error_span(traffic.error_ratio, suffix=" err" if wide else "")),
        line(f"p99 {p99}"),
        line(Span(partial, role)),
    ]
