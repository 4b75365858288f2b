"""The stages of a change as lines: what each does, what was seen, and how far its writes are."""

from __future__ import annotations

from collections.abc import Sequence

from gwtui.changes.journal import Change, Seen, Writing, Written
from gwtui.changes.plan import ObjectEdit, StageKind
from gwtui.views.change_glyphs import DONE, FAILED, GLYPHS, NEXT, PLANNED, UNTOLD, met, truths_of
from gwtui.views.spans import Line, Role, Span, joined, line, wrapped
from gwtui.views.stage_words import StageAt, State, current, stages_of, step_name, what_it_does

INDENT = 4
"""Cell at which it is told what belongs to a stage."""

STEPS_SHOWN = 4
"""Steps of a stage whose truths are told one by one; of more only those that are not through."""

_STATES = {
    State.PLANNED: PLANNED,
    State.UNDER_WAY: NEXT,
    State.PASSED: DONE,
    State.LEFT: UNTOLD,
    State.STOPPED: FAILED,
}


def stage_lines(change: Change, cells: int, inside: Sequence[Line] = ()) -> tuple[Line, ...]:
    """Return every stage, one or more lines each.

    Args:
        change: which one.
        cells: width.
        inside: what is to be told of the stage that is under way.
    """
    found = stages_of(change)
    widest = min(max((len(each.stage.title) for each in found), default=0), max(16, cells // 2 - INDENT))
    now = current(change)
    lines: list[Line] = []
    for each in found:
        lines += wrapped(_head(change, each, widest), cells, INDENT)
        if each.state in (State.UNDER_WAY, State.STOPPED) and each.stage.kind is StageKind.WRITE:
            lines += [part for told in _writes(change, each) for part in wrapped(told, cells, INDENT + 2)]
        if now is not None and each.number == now.number and each.state is State.UNDER_WAY:
            lines += inside
    return (*lines, *_taken_back(change))


def _head(change: Change, at: StageAt, widest: int) -> Line:
    glyph = _STATES[at.state]
    is_open = at.state in (State.UNDER_WAY, State.STOPPED)
    seen = {
        State.PLANNED: Span(what_it_does(change.plan, at.stage), Role.DIM),
        State.LEFT: Span(f"went on without: {at.text}", Role.WARN),
        State.PASSED: Span(at.text, Role.TEXT),
    }.get(at.state, Span("" if at.state is State.UNDER_WAY else "it ended here", Role.BAD))
    if at.stage.steps and any(_is_reversed(change, index) for index in at.stage.steps):
        seen = Span("taken back", Role.WARN)
    title = Span(f"{at.stage.title:<{widest}}  ", Role.STRONG if is_open else Role.TEXT)
    return line(Span(f"{glyph} ", GLYPHS[glyph]), Span(f"{at.number} ", Role.DIM), title, seen)


def _is_reversed(change: Change, step: int) -> bool:
    return any(isinstance(each, Written) and each.is_reverse and each.step == step for each in change.entries)


def _taken_back(change: Change) -> list[Line]:
    """How much of it was taken back within the change itself."""
    wished = {entry.step for entry in change.entries if isinstance(entry, Writing) and entry.is_reverse}
    done = {entry.step for entry in change.entries if isinstance(entry, Written) and entry.is_reverse}
    if not wished:
        return []
    glyph = DONE if not change.applied and not change.uncertain else NEXT
    count = f"taken back {len(done)} of {len(done | change.applied | change.uncertain)}"
    rest = ": nothing of it is in force" if glyph == DONE else ""
    return [line(Span(f"{glyph} ", GLYPHS[glyph]), Span(count, Role.STRONG), rest)]


def _writes(change: Change, at: StageAt) -> list[Line]:
    """What was written of a stage, and what was seen of it since."""
    written = {
        entry.step
        for entry in change.entries
        if isinstance(entry, Written) and not entry.is_reverse and entry.step in at.stage.steps
    }
    lines = [_line(NEXT if len(written) < len(at.stage.steps) else DONE, _of(len(written), len(at.stage.steps)))]
    told = [(index, _truths(change, at, index)) for index in at.stage.steps]
    if len(told) > STEPS_SHOWN:
        through = sum(all(seen is not None and seen.is_met for seen in truths.values()) for _, truths in told)
        told = [each for each in told if any(seen is None or not seen.is_met for seen in each[1].values())]
        lines.append(line(Span(f"{' ' * INDENT}{through} of {len(at.stage.steps)} seen in force", Role.DIM)))
    for index, truths in told[:STEPS_SHOWN]:
        if index in written:
            lines += _step(change, index, truths, waits=at.state is State.UNDER_WAY)
    return lines


def _of(written: int, whole: int) -> str:
    return f"{written} of {whole} written" if whole != 1 else "written" if written else "being written"


def _truths(change: Change, at: StageAt, index: int) -> dict[str, Seen | None]:
    step = change.plan.steps[index]
    names = at.stage.truths if isinstance(step, ObjectEdit) and at.stage.truths else truths_of(step)
    since = max(
        (n for n, e in enumerate(change.entries) if isinstance(e, Writing) and e.step == index and not e.is_reverse),
        default=0,
    )
    seen = {entry.truth: entry for entry in change.entries[since:] if isinstance(entry, Seen) and entry.step == index}
    return {name: seen.get(name) for name in names}


def _step(change: Change, index: int, truths: dict[str, Seen | None], *, waits: bool) -> list[Line]:
    parts: list[Line] = []
    is_next = waits
    for name, seen in truths.items():
        glyph = met(seen) if seen is not None else NEXT if is_next else PLANNED
        is_next = is_next and seen is not None
        parts.append(
            line(Span(f"{glyph} ", GLYPHS[glyph]), Span(name, Role.TEXT if seen or glyph == NEXT else Role.DIM))
        )
    head = line(Span(" " * INDENT), Span(step_name(change.plan.steps[index]), Role.STRONG), Span("  "))
    lines = [(*head, *joined(parts, "  "))]
    doubts = [seen for seen in truths.values() if seen is not None and not seen.is_met]
    lines += [_line(met(seen), f"{seen.truth}: {seen.text}") for seen in doubts]
    return lines


def _line(glyph: str, words: str) -> Line:
    return line(Span(f"{' ' * INDENT}{glyph} ", GLYPHS[glyph]), words)
