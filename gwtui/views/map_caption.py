"""What stands around a map that leaves the console: which clusters, which pattern, when, how much of it was seen."""

from __future__ import annotations

from gwtui.model.known import Unknown
from gwtui.views import judge, text
from gwtui.views.header import coverage, pattern_words
from gwtui.views.place import where
from gwtui.views.scene import Scene
from gwtui.views.spans import BLANK, Line, Role, Span, crop, joined, line, plain, width

STATES = (
    (text.OK_GLYPH, "ok", Role.OK),
    (text.DEGRADED_GLYPH, "degraded", Role.WARN),
    (text.FAILING_GLYPH, "failing", Role.BAD),
    (text.DRAINING_GLYPH, "draining", Role.DRAIN),
    (text.UNKNOWN_GLYPH, "unknown", Role.UNKNOWN),
)
"""Glyph, word and role of every state a card may be in."""

REASONS_SHOWN = 12
"""Gateways that are not well whose reasons are written out; the rest is counted."""


def printable(words: str) -> str:
    """The words with a blank for each control character: it could act on a terminal, and XML does not allow it."""
    return "".join(each if each.isprintable() else " " for each in words)


def headline(scene: Scene, *, cells: int | None = None) -> Line:
    """The clusters and the pattern they run: `prod-eu PROD ▸ sharded behind central ingress`.

    Args:
        scene: What is looked at.
        cells: Room in cells: patterns are named in short, and then cut, to fit; None means as long as it takes.
    """
    unnamed = "pattern not recognised" if scene.has_gateways else ""
    found: Line = BLANK
    for is_wide in (True, False):
        pattern = pattern_words(scene.snapshot, wide=is_wide) or unnamed
        shape = line(Span(" ▸ ", Role.DIM), Span(pattern, Role.STRONG)) if pattern else BLANK
        found = (*where(scene.clusters), *shape)
        if cells is None or width(found) <= cells:
            return found
    return found if cells is None else crop(found, cells)


def taken(scene: Scene) -> str:
    """The moment: `2026-03-01 14:02:50 UTC`."""
    return f"{scene.now:%Y-%m-%d %H:%M:%S} UTC"


def covered(scene: Scene) -> Line:
    """How many proxies the figures are from: `5/6 proxies answered, oldest 2 s ago · 1 not read`."""
    known = coverage(scene.fleet, scene.now)
    if not known.asked and not known.unread:
        return line(Span("no proxies found", Role.WARN))
    if not known.asked:
        return line(Span(f"{text.plural(known.unread, 'proxy', 'proxies')} not read", Role.UNKNOWN))
    answered = f"{text.part_of(known.answering, known.asked)} proxies answered"
    age = "" if known.oldest_s is None else f", oldest {text.age(known.oldest_s)} ago"
    return line(
        Span(answered + age, Role.TEXT if known.answering == known.asked else Role.WARN),
        Span(f" · {known.unread} not read" if known.unread else "", Role.UNKNOWN),
    )


def figures(scene: Scene) -> tuple[Line, ...]:
    """What comes in from clients: rate, errors, p99; nothing where no proxy of tier 1 answers."""
    traffic = scene.fleet.entry_traffic()
    if isinstance(traffic.rps, Unknown):
        return ()
    return (
        line(Span(text.rps(traffic.rps.value), Role.STRONG)),
        line(judge.error_span(traffic.error_ratio, suffix=" err")),
        line(f"p99 {text.figure(traffic.p99_ms, text.ms)}"),
    )


def evidence(scene: Scene) -> tuple[str, ...]:
    """One line for each pattern and what proves it; what is missing where none was recognised."""
    several = len(scene.snapshot.clusters) > 1
    lines: list[str] = []
    for name in sorted(scene.snapshot.clusters):
        shape = scene.snapshot.clusters[name].topology
        lead = f"{name}: " if several else ""
        lines += [f"{lead}{text.PATTERNS.get(each.id, each.id)}: {'; '.join(each.evidence)}" for each in shape.patterns]
        if shape.gateways and not shape.patterns:
            lines.append(f"{lead}pattern not recognised: {'; '.join(shape.missing) or 'nothing told'}")
    return tuple(lines)


def problems(scene: Scene) -> tuple[Line, ...]:
    """Clusters that could not be read as they should, then what belongs to no gateway."""
    several = len(scene.snapshot.clusters) > 1
    notices = [notice.banner() for notice in scene.notices]
    strays = [
        line(Span(f" {text.DEGRADED_GLYPH} {name + ': ' if several else ''}{problem}", Role.WARN))
        for name, view in sorted(scene.snapshot.clusters.items())
        for problem in view.topology.problems
    ]
    return (*notices, *strays)


def hurts(scene: Scene) -> tuple[Line, ...]:
    """One line for each gateway that is not well and why, worst first; boxes have no room for long reasons."""
    sick = sorted(
        (entry for entry in scene.fleet.gateways.values() if entry.verdict.rank < judge.OK.rank),
        key=lambda entry: (entry.verdict.rank, entry.node.key),
    )
    several = len(scene.snapshot.clusters) > 1
    lines = []
    for entry in sick[:REASONS_SHOWN]:
        verdict, key = entry.verdict, entry.node.key
        name = f"{key.cluster} {key}" if several else str(key)
        reason = f": {verdict.reason}" if verdict.reason else ""
        lines.append(line(verdict.mark, Span(f" {name}  {verdict.word}{reason}", verdict.role)))
    hidden = len(sick) - len(lines)
    more = (line(Span(f"and {text.plural(hidden, 'gateway')} more", Role.DIM)),) if hidden else ()
    return (*lines, *more)


def states() -> Line:
    """The legend of the states."""
    return joined([line(Span(f"{glyph} {word}", role)) for glyph, word, role in STATES], "  ")


def sentence(scene: Scene) -> str:
    """Headline, moment and coverage in one plain line."""
    return " ".join(f"{plain(headline(scene))} · {taken(scene)} · {plain(covered(scene))}".split())
