"""A plan as it is reviewed before it is confirmed: what moves, who owns it, what differs, what speaks against it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gwtui.changes.differences import differences
from gwtui.changes.log_levels import is_of_log_levels
from gwtui.changes.plan import AdminPost, DrainKind, Guard, Load, ObjectEdit, Plan
from gwtui.views import text
from gwtui.views.net_edits import net_steps
from gwtui.views.plan_stages import deadline, stages, undo
from gwtui.views.spans import Line, Role, Span, line, wrapped
from gwtui.views.stage_words import target_name

LABEL_CELLS = 10
NEAR_PEAK = 0.8
"""Part of the observed peak above which a load is marked."""

LONGEST_VALUE = 60
"""Cells of a value within a difference."""


def plan_review(plan: Plan, cells: int) -> tuple[Line, ...]:
    """Return the review, one fact after the other; what speaks against the plan comes first.

    Args:
        plan: what is reviewed.
        cells: width; a longer fact goes on in the next line.
    """
    parts = (
        _refusals(plan),
        _moves(plan),
        _loads(plan),
        _owners(plan),
        _cautions(plan),
        (_row(*each) for each in stages(plan)),
        _diff(plan),
        _rest(plan),
    )
    return tuple(each for part in parts for fact in part for each in wrapped(fact, cells, LABEL_CELLS))


def confirmation(plan: Plan) -> str:
    """Return the word that confirms a plan: the name of what is drained, else of the first object.

    No stray key can type it. Names of pods are long and end in letters at random: of a proxy that is told something
    its gateway is asked for.
    """
    if plan.drain is not None:
        return plan.drain.gateway.name if plan.drain.kind is DrainKind.PROXY else target_name(plan.drain)
    first = plan.steps[0]
    if isinstance(first, ObjectEdit):
        return first.key.name
    return plan.blast.gateways[0].name if plan.blast.gateways else first.proxy.pod


def confirms(plan: Plan, typed: str) -> bool:
    """Whether what was typed confirms a plan: the word that is asked for, or the name of the first proxy's pod."""
    word = typed.strip()
    if word == confirmation(plan):
        return True
    return bool(plan.steps) and isinstance(plan.steps[0], AdminPost) and word == plan.steps[0].proxy.pod


def _row(label: str, *parts: str | Span) -> Line:
    return line(Span(f"{label:<{LABEL_CELLS}}", Role.DIM), *parts)


def _refusals(plan: Plan) -> Iterator[Line]:
    for refusal in plan.refusals:
        yield _row("Refused", Span(f"{text.FAILING_GLYPH} {refusal.text}", Role.BAD))
        yield _row("", Span("→ ", Role.DIM), refusal.safe_way)


def _moves(plan: Plan) -> Iterator[Line]:
    blast = plan.blast
    if is_of_log_levels(plan):
        yield _row("Moves", "nothing: traffic goes where it goes")
        yield _row("Gateways", ", ".join(map(str, blast.gateways)) or text.UNKNOWN)
        return
    what = [
        text.plural(len(names), one) for names, one in ((blast.hostnames, "hostname"), (blast.namespaces, "namespace"))
    ]
    if blast.moved_rps is None:
        moved = Span(f"{text.UNKNOWN} rps ({blast.unknown or 'not known'})", Role.UNKNOWN)
    else:
        share = (
            f" ({text.percent(blast.moved_share)} of what its gateways take)" if blast.moved_share is not None else ""
        )
        moved = Span(f"{text.rps(blast.moved_rps)}{share}", Role.STRONG)
    yield _row("Moves", moved, ", " + ", ".join(what))
    if blast.hostnames:
        yield _row(
            "Hosts", " ".join(blast.hostnames[:6]), f" +{len(blast.hostnames) - 6}" if len(blast.hostnames) > 6 else ""
        )
    if blast.gateways:
        yield _row("Gateways", ", ".join(map(str, blast.gateways)))


def _loads(plan: Plan) -> Iterator[Line]:
    for load in plan.blast.loads:
        yield _row(_short(load.gateway.name), *_load(load))


def _load(load: Load) -> tuple[str | Span, ...]:
    now = text.UNKNOWN if load.now_rps is None else text.rate(load.now_rps)
    then = f"{text.UNKNOWN} rps" if load.then_rps is None else text.rps(load.then_rps)
    share = load.share_of_peak
    if share is None or load.peak_rps is None:
        return (f"{now} → {then}",)
    seen = f"{text.rps(load.peak_rps)} in {text.age(load.peak_window_s)}"
    near = share >= NEAR_PEAK
    mark = Span(f" {text.RAISED}" if near else "", Role.WARN)
    return f"{now} → {then}", mark, Span(f": {text.percent(share)} of its observed peak ({seen})", Role.DIM)


def _owners(plan: Plan) -> Iterator[Line]:
    for owner in plan.owners:
        reverts = Span(f": will put back what it wants {text.RAISED}", Role.WARN) if owner.reverts else Span("")
        yield _row("Owner", f"{owner.name} ", Span(f"({owner.evidence})", Role.DIM), reverts)


def _cautions(plan: Plan) -> Iterator[Line]:
    for caution in plan.cautions:
        yield _row("Caution", Span(f"{text.RAISED} {caution.text}", Role.WARN))


def _diff(plan: Plan) -> Iterator[Line]:
    label = "Diff"
    steps = net_steps(plan)
    several = len(steps) > 1
    for step in steps:
        if not isinstance(step, ObjectEdit):
            back = f"  taken back by {step.reverse_path}" if step.reverse_path else ""
            yield _row(label, f"POST {step.path} to {step.proxy}", Span(back, Role.DIM))
            label = ""
            continue
        if several:
            yield _row(label, Span(str(step.key), Role.STRONG))
            label = ""
        for each in differences(step.before, step.after):
            yield _row(
                label,
                each.path,
                Span(f"  - {_value(each.before)}", Role.BAD),
                Span(f"  + {_value(each.after)}", Role.OK),
            )
            label = ""


def _rest(plan: Plan) -> Iterator[Line]:
    for number, checked in enumerate(plan.checked):
        yield _row("" if number else "Checked", Span(checked, Role.OK))
    yield _row("Verify", _verify(plan))
    for row in deadline(plan):
        yield _row(*row)
    yield _row("Undo", *undo(plan), *_lease(plan))
    if plan.guard is not None:
        yield _row("Guard", guard_words(plan.guard))
    if plan.reason:
        yield _row("Reason", plan.reason)


def _verify(plan: Plan) -> str:
    if is_of_log_levels(plan):
        return "loaded: the proxy is asked for its levels again"
    if not plan.stages:
        return "stored → programmed → loaded on every proxy → observed"
    truths = {truth for stage in plan.stages for truth in stage.truths}
    if truths == {"stored"}:
        return "each stage stored before the next begins; nobody here tells more"
    if truths:
        return "each stage stored → programmed → loaded on every proxy before the next begins"
    return "the proxy is asked whether it does what it was told"


def _lease(plan: Plan) -> tuple[Span, ...]:
    if plan.lease_s is None:
        return ()
    return (Span(f" · lease {text.age(plan.lease_s)}: taken back after that", Role.ACCENT),)


def guard_words(guard: Guard) -> str:
    """Return the bounds of a guard: `errors ≤ 0.5%, p99 ≤ 200 ms for 1 min, else taken back`."""
    bounds = [
        f"errors ≤ {text.ratio(guard.max_error_ratio)}" if guard.max_error_ratio is not None else "",
        f"p99 ≤ {text.ms(guard.max_p99_ms)}" if guard.max_p99_ms is not None else "",
    ]
    return f"{', '.join(filter(None, bounds))} for {text.age(guard.bake_s)}, else taken back"


def _value(value: Any) -> str:
    if value is None:
        return "nothing"
    shown = value if isinstance(value, str) else str(value)
    return text.shorten(shown, LONGEST_VALUE)


def _short(name: str) -> str:
    return text.shorten(name, LABEL_CELLS - 1)
