"""A drain that is under way: is it empty yet, who is still there, what was done, which keys steer it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from gwtui.changes.journal import Change, Counted, EndCount, Seen
from gwtui.changes.plan import Drain, End, Guard, StageKind, Verdict
from gwtui.model.traffic import Rate
from gwtui.views import judge, text
from gwtui.views.change_words import verdict_line
from gwtui.views.drains import is_open_drain
from gwtui.views.key_lines import Named, key_lines
from gwtui.views.plan_review import guard_words
from gwtui.views.spans import BLANK, Line, Role, Span, joined, line, wrapped
from gwtui.views.stage_lines import INDENT, stage_lines
from gwtui.views.stage_words import StageAt, State, current, end_words, restores

BAR_CELLS = 20
"""Cells of the bar of a deadline or a bake time."""

WIDE = 100
"""Cells from which on names and trends have more room."""

EXTENSION_S = 60.0
"""How much longer `w` waits."""

Trail = Mapping[End, Sequence[int | None]]
"""Requests under way at each end, oldest first."""

Errors = Sequence[tuple[str, Rate]]
"""The gateways of the plan with the share of 5xx of their answers."""


def conducting(
    change: Change,
    counted: Counted | None,
    cells: int,
    now: datetime,
    *,
    trail: Trail | None = None,
    errors: Errors = (),
    steered: str = "",
) -> tuple[Line, ...]:
    """Return everything about a plan with stages that is under way, or that was.

    Args:
        change: which one.
        counted: the newest reading of what is under way; None before the first.
        cells: width.
        now: the moment.
        trail: earlier readings, for a trend.
        errors: how the gateways of the plan answer now.
        steered: what the operator made it do, where that is not simply to go on.
    """
    at = current(change)
    inside: list[Line] = []
    if at is not None and at.state is State.UNDER_WAY and at.stage.kind is StageKind.EMPTY:
        is_newest = counted is not None and counted.stage == at.number - 1
        inside = _counts(change.plan.drain, counted if is_newest else None, cells, trail or {})
    elif at is not None and at.state is State.UNDER_WAY:
        inside = _bake(change, at, now)
    inside = [part for each in inside for part in _fit(each, cells)]
    lines = [*_fit(_head(change, at, now, steered), cells), BLANK, *stage_lines(change, cells, inside), BLANK]
    if change.verdict is Verdict.OPEN and counted is not None and counted.is_overdue and at is not None:
        lines += [part for each in _question(change, counted, cells) for part in _fit(each, cells)]
    lines += [part for each in _foot(change, errors) for part in _fit(each, cells)]
    return tuple(lines)


def keys(change: Change | None, *, is_over: bool, is_held: bool, is_overdue: bool, is_aborted: bool) -> Named:
    """Return the keys that steer it now, each with its word.

    Args:
        change: which one; None before anything is told of it.
        is_over: whether nobody carries it out any more.
        is_held: whether the operator holds it.
        is_overdue: whether its deadline is over.
        is_aborted: whether it is being taken back.
    """
    if is_over:
        is_drained = change is not None and is_open_drain(change)
        return [*([("z", "plan the undrain")] if is_drained else []), ("esc", "close")]
    if is_aborted:
        return [("esc", "close, it goes on")]
    longer = [("w", f"wait {EXTENSION_S:.0f} s longer")] if is_overdue else []
    return [
        *longer,
        ("space", "go on" if is_held else "hold"),
        ("n", "next step"),
        ("F", "faster"),
        ("a", "abort and restore"),
        ("?", "keys"),
        ("esc", "close, it goes on"),
    ]


def _fit(words: Line, cells: int) -> tuple[Line, ...]:
    indent = next((len(span.text) - len(span.text.lstrip()) for span in words), 0)
    return wrapped(words, cells, min(indent, INDENT) + 2)


def _head(change: Change, at: StageAt | None, now: datetime, steered: str) -> Line:
    """How far it is, for how long, within which bounds."""
    is_open = change.verdict is Verdict.OPEN
    number = at.number if at else 0
    state = line(Span(f"stage {number} of {len(change.plan.stages)}", Role.ACCENT)) if is_open else verdict_line(change)
    since = f"for {_span(((change.ended_at or now) - change.opened_at).total_seconds())}"
    guard = change.plan.guard
    return joined(
        [
            line(Span(f" {steered} ", Role.ALARM)) if steered and is_open else BLANK,
            state,
            line(Span(since, Role.DIM)),
            line(Span(f"guard {_bounds(guard)}", Role.DIM)) if guard else line(Span("no guard", Role.DIM)),
        ],
        " · ",
    )


def _bounds(guard: Guard) -> str:
    return guard_words(guard).partition(" for ")[0]


def _counts(drain: Drain | None, counted: Counted | None, cells: int, trail: Trail) -> list[Line]:
    """What is still under way, and how long it is waited for."""
    if counted is None or drain is None:
        return [line(Span(f"{' ' * INDENT}counting what is under way …", Role.ACCENT))]
    return [*_ends(drain, counted, cells, trail), *_waiting(drain, counted)]


def _bake(change: Change, at: StageAt, now: datetime) -> list[Line]:
    """How long it is watched, once all of it is seen."""
    seen = [entry for entry in change.entries if isinstance(entry, Seen) and entry.step in at.stage.steps]
    wanted = len(at.stage.steps) * len(at.stage.truths)
    own = {(entry.step, entry.truth) for entry in seen if at.entered_at is None or entry.at >= at.entered_at}
    if not at.stage.bake_s or not wanted or len(own) < wanted:
        return []
    left = (max(entry.at for entry in seen) + timedelta(seconds=at.stage.bake_s) - now).total_seconds()
    words = f" {text.age(left)} before the next stage" if left > 0 else " the next stage comes"
    return [line(Span(f"{' ' * INDENT}watching ", Role.DIM), _bar(left / at.stage.bake_s), words)]


def _ends(drain: Drain, counted: Counted, cells: int, trail: Trail) -> list[Line]:
    """One row per end: what it counts, and which way that goes."""
    names = [end_words(drain, each.end) for each in counted.ends]
    widest = min(max(map(len, [*names, "END"])), 44 if cells >= WIDE else 24)
    room = 24 if cells >= WIDE else 8
    heads = f"{'END':<{widest}}{'IN FLIGHT':>11}{'NEW/S':>8}{'WEBSOCKETS':>12}{'CONNS':>7}"
    lines = [line(Span(f"{' ' * INDENT}{heads}", Role.DIM))]
    for name, each in zip(names, counted.ends, strict=True):
        readings = [*trail.get(each.end, ()), *(() if trail.get(each.end) else (each.in_flight,))]
        lines.append(
            line(
                Span(f"{' ' * INDENT}{text.shorten(name, widest):<{widest}}"),
                Span(f"{_count(each.in_flight):>11}", _role(each.in_flight)),
                Span(f"{text.UNKNOWN if each.new_rps is None else text.rate(each.new_rps):>8}", _role(each.new_rps)),
                Span(f"{_count(each.upgrades):>12}", _role(each.upgrades)),
                Span(f"{_count(each.connections):>7}  "),
                Span(text.sparkline(readings, room), Role.SPARK),
            )
        )
        if each.unknown and each.in_flight is None:
            lines.append(line(Span(f"{' ' * INDENT}  not known: {each.unknown}", Role.UNKNOWN)))
    return lines


def _count(number: int | None) -> str:
    return text.UNKNOWN if number is None else text.count(number)


def _role(number: float | None) -> Role:
    return Role.UNKNOWN if number is None else Role.STRONG if number else Role.OK


def _waiting(drain: Drain, counted: Counted) -> list[Line]:
    lead = " " * INDENT
    lines = []
    if counted.remaining and not counted.is_overdue:
        lines.append(line(Span(f"{lead}remain   ", Role.DIM), Span(", ".join(counted.remaining), Role.WARN)))
    if counted.zeros:
        words = f"nothing at any end in {text.plural(counted.zeros, 'reading')} in a row"
        lines.append(line(Span(f"{lead}empty    ", Role.DIM), Span(words, Role.OK)))
    if counted.left_s is not None and not counted.is_overdue:
        bar = _bar(counted.left_s / drain.deadline_s) if drain.deadline_s else Span("")
        left = f" {text.age(counted.left_s)} left, then you are asked"
        lines.append(line(Span(f"{lead}deadline ", Role.DIM), bar, left))
    return lines


def _bar(share: float) -> Span:
    full = round(max(0.0, min(1.0, share)) * BAR_CELLS)
    return Span("█" * full + "░" * (BAR_CELLS - full), Role.DRAIN)


def _question(change: Change, counted: Counted, cells: int) -> list[Line]:
    """What to do at the deadline, and about whom."""
    drain = change.plan.drain
    deadline = f" of {text.age(drain.deadline_s)}" if drain else ""
    still = _still(counted.ends)
    whose = ", ".join(counted.remaining) or "nobody tells whose"
    choices = [("w", f"waits {EXTENSION_S:.0f} s longer"), ("n", "goes on without them"), ("a", "takes all back")]
    return [
        line(Span(f"{text.RAISED} The deadline{deadline} is over: {still}: {whose}", Role.WARN)),
        *key_lines(choices, cells),
        BLANK,
    ]


def _still(ends: Sequence[EndCount]) -> str:
    known = [each.in_flight for each in ends if each.in_flight is not None]
    most = max(known, default=None)
    if most is None:
        return "what is under way is not known"
    # Both ends of an edge count the same requests: they are not added.
    unknown = "" if len(known) == len(ends) else ", and not every end tells"
    return f"{text.plural(most, 'request')} still under way{unknown}"


def _foot(change: Change, errors: Errors) -> list[Line]:
    lines: list[Line] = []
    if errors:
        parts = [line(f"{name} ", judge.error_span(share)) for name, share in errors]
        lines.append(joined([line(Span("5xx now", Role.DIM)), *parts], "  "))
    drain = change.plan.drain
    if drain is None or change.verdict is Verdict.OPEN:
        return lines
    is_in_force = bool(change.applied or change.uncertain)
    if change.plan.undoes or not is_in_force:
        return lines
    if change.verdict is Verdict.VERIFIED:
        lines.append(line(Span(f"{drain.target} is empty", Role.OK), ": it may be stopped, changed, replaced."))
    else:
        lines.append(line(Span(f"{drain.target} was not seen empty", Role.WARN), ", and what was written is in force."))
    lines.append(line(Span("undrain ", Role.DIM), f"restores {restores(change.plan)}, from the journal"))
    return lines


def _span(seconds: float) -> str:
    """A time that runs: `00:41`, `1:02:07`."""
    whole = max(0, int(seconds))
    hours, rest = divmod(whole, 3600)
    clock = f"{rest // 60:02d}:{rest % 60:02d}"
    return f"{hours}:{clock}" if hours else clock
