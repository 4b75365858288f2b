"""From a scene to a report: every rule is asked, what is too young to be told waits, the rest is ranked."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from gwtui.changes.journal import Change
from gwtui.model.ids import GatewayKey
from gwtui.triage.finding import Action, Finding, Preceding, Severity, beside_claims
from gwtui.triage.look import Look
from gwtui.triage.memory import FORGETFUL, GAP_S, KEPT_S, USUAL_S, Memory, Seen
from gwtui.triage.namespaces import by_namespace
from gwtui.triage.preceding import preceding
from gwtui.triage.ranking import ranked
from gwtui.triage.registry import RULES
from gwtui.views.scene import Scene


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """What is wrong at one moment."""

    findings: tuple[Finding, ...]
    """The worst first; symptoms are within their causes."""
    at: datetime
    """The moment of the scene."""

    def count(self, severity: Severity) -> int:
        """How many findings are of this severity."""
        return sum(finding.severity is severity for finding in self.findings)

    @property
    def is_healthy(self) -> bool:
        """Whether nothing is more than worth knowing."""
        return all(finding.severity is Severity.INFO for finding in self.findings)


class Evaluated(NamedTuple):
    """A report, and what the next evaluation needs of this one."""

    report: Report
    memory: Memory


def evaluate(scene: Scene, changes: tuple[Change, ...] = (), memory: Memory = FORGETFUL) -> Evaluated:
    """Return what is wrong in a scene.

    Args:
        scene: What is known, and when it is looked at.
        changes: What our journal remembers, oldest first.
        memory: What the evaluation before left.
    """
    making = evaluation(scene, changes, memory)
    while True:
        try:
            next(making)
        except StopIteration as made:
            found: Evaluated = made.value
            return found


def evaluation(
    scene: Scene, changes: tuple[Change, ...] = (), memory: Memory = FORGETFUL
) -> Generator[None, None, Evaluated]:
    """Do as `evaluate` in small parts: others may have their turn at every yield."""
    look = Look(scene, changes, memory.usual)
    yield from look.parts()
    made: dict[str, Finding] = {}
    for rule in RULES:
        for finding in rule.find(look):
            if finding is None:
                yield
            else:
                made[finding.id] = finding
        yield
    seen = _seen(memory, made, scene.now)
    told = list(_told(look, made, seen))
    yield
    report = Report(ranked(told), scene.now)
    yield
    usual = _usual(look, memory)
    return Evaluated(report, Memory(seen=seen, usual=usual, began=memory.began or scene.now, at=scene.now))


def _seen(memory: Memory, made: Mapping[str, Finding], now: datetime) -> dict[str, Seen]:
    kept = {
        id_: each
        for id_, each in memory.seen.items()
        if id_ not in made and (now - each.last).total_seconds() < (KEPT_S if each.was_told else GAP_S)
    }
    for id_, finding in made.items():
        before = memory.seen.get(id_)
        first = held = finding.since if finding.since is not None else now
        was_told = False
        if before is not None:
            first, was_told = min(first, before.first), before.was_told
            if (now - before.last).total_seconds() <= GAP_S:
                held = min(held, before.held)
        was_told = was_told or (now - held).total_seconds() >= finding.grace_s
        kept[id_] = Seen(first, held, now, finding if finding.lingers_s else None, was_told)
    return kept


def _told(look: Look, made: Mapping[str, Finding], seen: Mapping[str, Seen]) -> Iterator[Finding]:
    """What is old enough to be told, and what is over and still told."""
    for id_, each in seen.items():
        finding = made.get(id_)
        if finding is None:
            if each.newest is None or look.now - each.last > timedelta(seconds=each.newest.lingers_s):
                continue
            finding = each.newest
        if (look.now - each.held).total_seconds() >= finding.grace_s:
            before = preceding(look, finding, each.first)
            actions, evidence = (*finding.actions, *_undo(finding, before)), beside_claims(finding.evidence)
            yield replace(finding, since=each.first, preceded_by=before, actions=actions, evidence=evidence)


def _undo(finding: Finding, before: tuple[Preceding, ...]) -> Iterator[Action]:
    """What takes back our own change that came before, where the rule does not offer it already."""
    ours = next((each for each in before if each.change), None)
    if ours is not None and not any(action.key == "z" for action in finding.actions):
        yield Action("z", f"take back {ours.change}", f"gwtui undo {ours.change}", change=ours.change)


def _usual(look: Look, memory: Memory) -> Mapping[tuple[GatewayKey, str], float]:
    """What each namespace usually takes: followed slowly, so that a burst stands out against it."""
    passed_s = (look.now - memory.at).total_seconds() if memory.at is not None else 0.0
    weight = min(1.0, max(0.0, passed_s / USUAL_S))
    if memory.at is not None and not weight:
        return memory.usual
    found: dict[tuple[GatewayKey, str], float] = {}
    for entry in look.entries:
        if entry.node.tier < 1 or len(entry.node.namespaces) < 2:
            continue
        for namespace, rps in by_namespace(entry).items():
            before = memory.usual.get((entry.node.key, namespace))
            found[entry.node.key, namespace] = rps if before is None else before + weight * (rps - before)
    return found
