"""The first window of a drain: what is emptied, who takes over, and how it is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from gwtui.changes.drains.wish import BAKE_S, DEADLINE_S, RAMP, Backend, DrainWish, Moved, OneProxy, Shard, Target
from gwtui.changes.plan import Load
from gwtui.views import judge, text
from gwtui.views.drain_takers import OTHER_CLUSTERS, Taker, flow_to, gateway_of, is_peering
from gwtui.views.key_lines import Named
from gwtui.views.plan_review import NEAR_PEAK
from gwtui.views.scene import Scene
from gwtui.views.spans import BLANK, Line, Role, Span, joined, line, wrapped

T = TypeVar("T")

LABEL_CELLS = 10

RAMPS: tuple[tuple[int, ...], ...] = (RAMP, (0,))
"""Ramps to choose from."""
BAKES = (BAKE_S, 15.0, 60.0, 0.0)
DEADLINES = (DEADLINE_S, 300.0, 900.0, 15.0)
"""Spans in seconds to choose from, the usual one first."""


def with_next(wish: DrainWish, option: str) -> DrainWish:
    """Return the wish with the next choice of an option: `ramp`, `bake`, `deadline` or `load`."""
    match option:
        case "ramp":
            return replace(wish, ramp=_after(wish.ramp, RAMPS))
        case "bake":
            return replace(wish, bake_s=_after(wish.bake_s, BAKES))
        case "deadline":
            return replace(wish, deadline_s=_after(wish.deadline_s, DEADLINES))
        case _:
            return replace(wish, accepts_load=not wish.accepts_load)


def _after(value: T, choices: Sequence[T]) -> T:
    return choices[(choices.index(value) + 1) % len(choices)] if value in choices else choices[0]


def wizard(
    scene: Scene, wish: DrainWish, found: Sequence[Taker], targets: Sequence[Target], cells: int
) -> tuple[Line, ...]:
    """Return the window's lines.

    Args:
        scene: What is looked at.
        wish: What is chosen so far.
        found: Who can take over; the one `wish.to` names is marked.
        targets: What can be drained from here; more than one can be chosen from.
        cells: Width.
    """
    lines = [*_target(scene, wish.target, targets), BLANK, *_takers(wish, found, cells), BLANK, *_options(wish)]
    return tuple(part for each in lines for part in wrapped(each, cells, LABEL_CELLS))


def keys(targets: Sequence[Target], found: Sequence[Taker]) -> Named:
    """Return the keys of the window."""
    named = [("enter", "make the plan, write nothing")]
    if len(found) > 1:
        named.append(("↑ ↓", "who takes over"))
    if len(targets) > 1:
        named.append(("← →", "which backend"))
    return [*named, ("?", "keys"), ("esc", "cancel")]


def _row(label: str, *parts: str | Span) -> Line:
    return line(Span(f"{label:<{LABEL_CELLS}}", Role.DIM), *parts)


def _target(scene: Scene, target: Target, targets: Sequence[Target]) -> list[Line]:
    choice = f"  {targets.index(target) + 1} of {len(targets)}" if len(targets) > 1 else ""
    lines = [
        _row("Drain", Span(_name(target), Role.STRONG), Span(choice, Role.DIM)),
        _row("", Span(_what_is(scene, target), Role.DIM)),
    ]
    entry = gateway_of(scene, target)
    if entry is not None and isinstance(target, OneProxy):
        view = next((each for each in entry.proxies if each.key == target.proxy), None)
        is_heard = view is not None and view in entry.heard
        rate = text.figure(view.traffic.rps, text.rps) if view is not None and is_heard else f"{text.UNKNOWN} rps"
        lines.append(_row("Now", rate))
    elif entry is not None:
        answering = f"{text.part_of(entry.answering, len(entry.proxies))} proxies answer"
        rate = text.figure(entry.traffic.rps, text.rps) if entry.answering else f"{text.UNKNOWN} rps"
        errors = judge.error_span(entry.traffic.error_ratio, suffix=" err")
        lines.append(_row("Now", *joined([line(rate), line(errors), line(answering)], " · ")))
        if entry.node.namespaces:
            lines.append(_row("Serves", ", ".join(entry.node.namespaces)))
    elif isinstance(target, Backend):
        flow = flow_to(scene, target)
        rate = text.figure(flow.rps, text.rps) if flow is not None else f"{text.UNKNOWN} rps"
        lines.append(_row("Now", rate, Span(" from every route that names it", Role.DIM)))
    return lines


def _name(target: Target) -> str:
    return target.backend if isinstance(target, Backend) else str(target)


def _what_is(scene: Scene, target: Target) -> str:
    match target:
        case Shard(gateway=key) if is_peering(scene, key):
            return "what other clusters send through it goes to others: its annotation asks them to"
        case Shard():
            return "everything that other gateways send to it goes elsewhere; what is under way ends by itself"
        case OneProxy():
            return "one proxy: the others of its gateway take what it takes"
        case Backend(route=route):
            return f"what route {route.namespace}/{route.name} sends to it goes to its other backends"
        case Moved(source=source):
            return f"what {source} serves of it moves to another gateway"


def _takers(wish: DrainWish, found: Sequence[Taker], cells: int) -> list[Line]:
    widest = min(max((len(each.name) for each in found if each.load), default=0), max(16, cells - LABEL_CELLS - 44))
    lines: list[Line] = []
    if any(each.load for each in found):
        heads = f"    {'':<{widest}}{'NOW':>9}{'WITH IT':>9}  {'OF PEAK':<9}{'PROXIES':>8}"
        lines.append(_row("Goes to", Span(heads, Role.DIM)))
    for each in found:
        is_chosen = each.to == wish.to
        mark = Span("▸ " if is_chosen else "  ", Role.ACCENT)
        state = each.verdict.mark if each.verdict else Span(" ")
        role = Role.STRONG if is_chosen else Role.TEXT
        name = Span(f" {text.shorten(each.name, widest):<{widest}}" if each.load else f" {each.name}", role)
        lines.append(_row("" if lines else "Goes to", mark, state, name, *_load(each)))
        if is_chosen and each.verdict is not None and each.verdict.rank < judge.OK.rank:
            why = each.verdict.reason or each.verdict.word
            lines.append(_row("", Span(f"    {text.RAISED} it is not well: {why}", Role.WARN)))
    is_somebody = any(each.to or each.name == OTHER_CLUSTERS for each in found)
    if not is_somebody and not isinstance(wish.target, OneProxy):
        nobody = "backend of its rules" if isinstance(wish.target, Backend) else "gateway of its tier"
        lines.append(_row("", Span(f"    {text.RAISED} no other {nobody} can take over", Role.WARN)))
    return lines


def _load(taker: Taker) -> tuple[Span, ...]:
    load = taker.load
    if load is None:
        return (Span(f"  {taker.answering} answer" if taker.answering else "", Role.DIM),)
    now, then = (text.UNKNOWN if rate is None else text.rate(rate) for rate in (load.now_rps, load.then_rps))
    share, role = _share(load)
    return (
        Span(f"{now:>9}{then:>9}  "),
        Span(f"{share:<9}", role),
        Span(f"{taker.answering:>8}"),
    )


def _share(load: Load) -> tuple[str, Role]:
    share = load.share_of_peak
    if share is None:
        return text.UNKNOWN, Role.UNKNOWN
    raised = share >= NEAR_PEAK
    return f"{text.percent(share)}{' ' + text.RAISED if raised else ''}", Role.WARN if raised else Role.TEXT


def _options(wish: DrainWish) -> list[Line]:
    lines = []
    if not isinstance(wish.target, OneProxy):
        ramp = " → ".join(map(str, wish.ramp)) + " %" if len(wish.ramp) > 1 else "at once"
        lines.append(_option("r", "ramp", ramp, "what it keeps, stage by stage"))
        lines.append(_option("b", "bake", text.age(wish.bake_s) if wish.bake_s else "none", "between two stages"))
    lines.append(_option("t", "deadline", text.age(wish.deadline_s), "for what is under way, then you are asked"))
    load = "accepted" if wish.accepts_load else "refused"
    lines.append(_option("l", "load above the observed peak", load, ""))
    return lines


def _option(key: str, name: str, value: str, meaning: str) -> Line:
    told = Span(f"  {meaning}" if meaning else "", Role.DIM)
    return _row("", Span(key, Role.KEY), f"  {name}  ", Span(value, Role.STRONG), told)
