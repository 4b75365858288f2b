"""A plan in stages, in words: by which way, what each stage does, how far it is, when nothing is left."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from gwtui.changes.journal import Change, Entered, Passed
from gwtui.changes.plan import AdminPost, Drain, DrainKind, End, ObjectEdit, Plan, Stage, StageKind, Step, Verdict
from gwtui.views import text

WAYS = {
    "weights": "the rules that send to it give it less, stage by stage",
    "replacement": "its routes are attached to who takes over and seen there, then the weights shift",
    "annotation": "its Gateway tells other clusters to send it less, percent by percent",
    "health": "it answers health checks with failure, so that whoever sends to it stops",
}
"""How a drain is done, by its way."""


class State(StrEnum):
    """How far a stage is."""

    PLANNED = "planned"
    UNDER_WAY = "under way"
    PASSED = "passed"
    LEFT = "left"
    """The operator, or a deadline, went on without having seen what it waits for."""
    STOPPED = "stopped"
    """The change ended within it."""


class StageAt(NamedTuple):
    """A stage, and how far it is."""

    stage: Stage
    number: int
    """From 1."""
    state: State
    text: str
    """What was seen once it is over."""
    entered_at: datetime | None
    """When it began; None before."""


def stages_of(change: Change) -> tuple[StageAt, ...]:
    """Return every stage of a change; of one that was entered again the last time counts."""
    entered: dict[int, datetime] = {}
    passed: dict[int, Passed] = {}
    for entry in change.entries:
        match entry:
            case Entered(stage=index, at=at):
                entered[index] = at
                passed.pop(index, None)
            case Passed(stage=index):
                passed[index] = entry
            case _:
                pass
    return tuple(
        StageAt(
            stage,
            index + 1,
            _state(change, passed.get(index), is_entered=index in entered),
            passed[index].text if index in passed else "",
            entered.get(index),
        )
        for index, stage in enumerate(change.plan.stages)
    )


def _state(change: Change, passed: Passed | None, *, is_entered: bool) -> State:
    if passed is not None:
        return State.PASSED if passed.is_met else State.LEFT
    if not is_entered:
        return State.PLANNED
    return State.UNDER_WAY if change.verdict is Verdict.OPEN else State.STOPPED


def current(change: Change) -> StageAt | None:
    """Return the stage that is under way, else the last one that was begun; None before the first."""
    begun = [each for each in stages_of(change) if each.state is not State.PLANNED]
    return next((each for each in begun if each.state is State.UNDER_WAY), begun[-1] if begun else None)


def brief(drain: Drain | None, stage: Stage) -> str:
    """Return the title of a stage where it is clear what is drained: `50 %`, `wait until empty`."""
    return stage.title.removeprefix(f"{drain.target} ") if drain is not None else stage.title


def target_name(drain: Drain) -> str:
    """Return the name of what is drained, without what it lies in: of a gateway, a pod, a backend, a namespace."""
    return drain.target.rpartition("/")[2]


def way_words(drain: Drain) -> str:
    """Return how it is drained, with what that means."""
    meaning = WAYS.get(drain.way)
    return f"{drain.way}: {meaning}" if meaning else drain.way


def left_to_others(drain: Drain) -> str:
    """Return what may follow once it is empty, and is not done silently; empty where nothing does."""
    namespace, name = drain.gateway.namespace, drain.gateway.name
    match drain.kind:
        case DrainKind.SHARD:
            return f"its pods run on; `kubectl -n {namespace} scale deployment {name} --replicas=0` stops them"
        case DrainKind.PROXY:
            pod = drain.target.partition("/")[2]
            return f"it runs on; `kubectl -n {namespace} delete pod {pod}` has it replaced"
        case _:
            return ""


def end_words(drain: Drain, end: End) -> str:
    """Name an end: `infra/edge → shard-a` for what one gateway sends, `infra/shard-a` for all that arrives."""
    name = end.place
    return f"{name} → {target_name(drain)}" if end.clusters else name


def step_names(plan: Plan, stage: Stage, most: int = 3) -> str:
    """Return what a stage writes: `edge-routes, foo/web, +3`; empty when it writes nothing."""
    steps = [plan.steps[index] for index in stage.steps]
    names = list(dict.fromkeys(step_name(step) for step in steps))
    more = f", +{len(names) - most}" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def step_name(step: Step) -> str:
    """Name what a step changes, without its kind where it is a route of any."""
    if isinstance(step, ObjectEdit):
        return f"{step.key.namespace}/{step.key.name}"
    return f"{step.proxy} {step.path.partition('?')[0]}"


def what_it_does(plan: Plan, stage: Stage) -> str:
    """Return what a stage does, in a few words."""
    if stage.kind is StageKind.WRITE:
        posts = all(isinstance(plan.steps[index], AdminPost) for index in stage.steps)
        bake = f", then watched {text.age(stage.bake_s)}" if stage.bake_s else ""
        return f"{'tells' if posts else 'writes'} {step_names(plan, stage)}{bake}"
    if stage.kind is StageKind.READY:
        return f"waits for {', '.join(map(str, stage.gateways))}" if stage.gateways else "waits for its proxies"
    return "waits, writes nothing"


def empty_words(drain: Drain) -> str:
    """Return what has to be seen for it to be empty."""
    ends: Sequence[str] = [end_words(drain, end) for end in drain.ends]
    if not ends:
        return "nobody can tell: no end of it is counted"
    return f"when nothing is under way at {', nor at '.join(ends)}"


def restores(plan: Plan) -> str:
    """Return how much taking a drain back restores: `3 objects`, `1 proxy`."""
    objects = {step.key for step in plan.steps if isinstance(step, ObjectEdit)}
    proxies = {step.proxy for step in plan.steps if isinstance(step, AdminPost) and step.reverse_path}
    parts = [text.plural(len(objects), "object")] if objects else []
    parts += [text.plural(len(proxies), "proxy", "proxies")] if proxies else []
    return " and ".join(parts) or "nothing"


def lasting(plan: Plan) -> tuple[AdminPost, ...]:
    """Return what nothing takes back."""
    return tuple(step for step in plan.steps if isinstance(step, AdminPost) and not step.reverse_path)
