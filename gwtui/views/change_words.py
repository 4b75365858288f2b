"""Entries of the journal in words, and a change that is under way as lines."""

from __future__ import annotations

from collections.abc import Sequence

from gwtui.changes.journal import Change, Ended, Entered, Entry, Opened, Passed, Seen, Writing, Written
from gwtui.changes.plan import AdminPost, ObjectEdit, Plan, Step, Verdict
from gwtui.views import text
from gwtui.views.change_glyphs import DONE, FAILED, GLYPHS, NEXT, UNTOLD, met, truths_of
from gwtui.views.spans import BLANK, Line, Role, Span, line, wrapped
from gwtui.views.stage_lines import stage_lines

TOLD_AT = 16
"""Cell from which on it is told what was seen of a truth."""

ROLES = {
    Verdict.VERIFIED: Role.OK,
    Verdict.OPEN: Role.ACCENT,
    Verdict.UNVERIFIED: Role.WARN,
    Verdict.ROLLED_BACK: Role.WARN,
    Verdict.REFUSED: Role.BAD,
    Verdict.UNDONE: Role.DIM,
}
"""How a verdict looks."""


def told(plan: Plan, entry: Entry) -> str:
    """Return what an entry tells, as one line."""
    match entry:
        case Opened():
            return f"change {plan.id}"
        case Writing() | Written():
            return _told_of_write(plan, entry)
        case Seen(truth=truth, text=seen):
            return f"{met(entry)} {truth:<11}{seen}"
        case Entered() | Passed():
            return _told_of_stage(plan, entry)
        case Ended(change=change, verdict=verdict, text=why):
            whose = "" if change == plan.id else f"change {change} is "
            return f"{whose}{verdict}{': ' if why else ''}{why}"


def _told_of_write(plan: Plan, entry: Writing | Written) -> str:
    words = step_words(plan, entry.step)
    if isinstance(entry, Writing):
        return f"{'taking back' if entry.is_reverse else 'writing'} {words}"
    if isinstance(plan.steps[entry.step], AdminPost):
        return f"the proxy took {words}"
    return f"the server took {words}, generation {entry.generation or '?'}"


def _told_of_stage(plan: Plan, entry: Entered | Passed) -> str:
    which = f"stage {entry.stage + 1} of {len(plan.stages)}"
    if isinstance(entry, Entered):
        return f"{NEXT} {which}: {plan.stages[entry.stage].title}"
    return f"{DONE if entry.is_met else UNTOLD} {which}: {entry.text}"


def step_words(plan: Plan, index: int) -> str:
    """Name a step of a plan."""
    step = plan.steps[index]
    return str(step.key) if isinstance(step, ObjectEdit) else f"{step.proxy} POST {step.path}"


def progress(change: Change, cells: int) -> tuple[Line, ...]:
    """Return how far a change is: each stage, or each step with its truths, then the verdict.

    Args:
        change: which one.
        cells: width; what is longer goes on in the next line.
    """
    lines: list[Line] = []
    if change.plan.stages:
        lines += [*stage_lines(change, cells), BLANK]
    else:
        for index in range(len(change.plan.steps)):
            lines += [line(Span(step_words(change.plan, index), Role.STRONG)), *_step(change, index), BLANK]
    lines.append(verdict_line(change))
    if change.verdict is Verdict.UNVERIFIED and (change.applied or change.uncertain):
        lines.append(line(Span("it is in force: ", Role.DIM), "z on Changes (5) takes it back"))
    if change.verdict is Verdict.OPEN:
        lines.append(line(Span("esc leaves this window; the change goes on", Role.DIM)))
    return tuple(part for each in lines for part in wrapped(each, cells, TOLD_AT))


def _step(change: Change, index: int) -> list[Line]:
    own = [entry for entry in change.entries if isinstance(entry, Writing | Written | Seen) and entry.step == index]
    if not own:
        return [line(Span(f"  {text.UNKNOWN_GLYPH} not written yet", Role.DIM))]
    is_written = any(isinstance(entry, Written) for entry in own)
    step = change.plan.steps[index]
    lines = [_sent(own, step)]
    seen = {entry.truth: entry for entry in own if isinstance(entry, Seen)}
    for at, truth in enumerate(truths_of(step)):
        if truth in seen:
            found = seen[truth]
            lines.append(_line(met(found), truth, found.text))
        else:
            is_next = is_written and change.verdict is Verdict.OPEN and len(seen) == at
            lines.append(_line(NEXT if is_next else text.UNKNOWN_GLYPH, truth, "waiting" if is_next else ""))
    lines += [
        _line(DONE if isinstance(entry, Written) else NEXT, "taken back", "")
        for entry in own
        if isinstance(entry, Writing | Written) and entry.is_reverse
    ]
    return lines


def _sent(own: Sequence[Entry], step: Step) -> Line:
    if any(isinstance(entry, Written) for entry in own):
        return _line(DONE, "written", f"taken by the {'server' if isinstance(step, ObjectEdit) else 'proxy'}")
    if any(isinstance(entry, Writing) for entry in own):
        return _line(NEXT, "written", "sent")
    return _line(text.UNKNOWN_GLYPH, "written", "nothing was to be sent")


def _line(glyph: str, what: str, seen: str) -> Line:
    role = GLYPHS.get(glyph, Role.DIM)
    return line(Span(f"  {glyph} ", role), Span(f"{what:<{TOLD_AT - 4}}", role if glyph == FAILED else Role.TEXT), seen)


def verdict_line(change: Change) -> Line:
    """Return how a change ended, or that it has not."""
    role = ROLES[change.verdict]
    if change.verdict is Verdict.OPEN:
        return line(Span(f"{NEXT} under way", role))
    return line(Span(str(change.verdict), role), f"  {change.text}" if change.text else "")
