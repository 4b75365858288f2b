"""A change as the document that writing commands print with `-o json`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gwtui.changes.differences import differences
from gwtui.changes.journal import Change, Seen, Writing, Written
from gwtui.changes.plan import BlastRadius, Drain, Load, ObjectEdit, Plan, Stage, Step
from gwtui.views.document_values import utc
from gwtui.views.net_edits import net_edits
from gwtui.views.stage_words import State, stages_of


def plan_document(plan: Plan) -> dict[str, Any]:
    """Return a plan that was not carried out; its verdict is null."""
    return {
        "id": plan.id,
        "title": plan.title,
        "cluster": plan.cluster,
        "made_at": utc(plan.made_at),
        "verdict": None,
        "verdict_text": "",
        "reason": plan.reason,
        "lease_s": plan.lease_s,
        "undoes": plan.undoes or None,
        "drain": _drain(plan.drain),
        "stages": [{**_stage(stage), "state": State.PLANNED.value, "text": ""} for stage in plan.stages],
        "steps": [{**_step(step), "state": "planned"} for step in plan.steps],
        "diff": [each for edit in net_edits(plan) for each in _diff(edit)],
        "blast_radius": _blast(plan.blast),
        "owners": [{"name": each.name, "evidence": each.evidence, "reverts": each.reverts} for each in plan.owners],
        "cautions": [{"code": each.code, "text": each.text} for each in plan.cautions],
        "refusals": [{"code": each.code, "text": each.text, "safe_way": each.safe_way} for each in plan.refusals],
        "checked": list(plan.checked),
    }


def change_document(change: Change) -> dict[str, Any]:
    """Return a change with what became of it."""
    document = plan_document(change.plan)
    return {
        **document,
        "verdict": change.verdict.value,
        "verdict_text": change.text,
        "who": change.who,
        "opened_at": utc(change.opened_at),
        "ended_at": utc(change.ended_at),
        "lease_ends_at": utc(change.lease_ends_at),
        "stages": [
            {**_stage(each.stage), "state": each.state.value, "text": each.text, "entered_at": utc(each.entered_at)}
            for each in stages_of(change)
        ],
        "steps": [
            {**_step(step), "state": _state(change, index), "truths": _truths(change, index)}
            for index, step in enumerate(change.plan.steps)
        ],
    }


def _state(change: Change, index: int) -> str:
    if index in change.uncertain:
        return "uncertain"
    if index in change.applied:
        return "in force"
    touched = any(isinstance(entry, Writing | Written) and entry.step == index for entry in change.entries)
    return "taken back" if touched else "not written"


def _truths(change: Change, index: int) -> list[dict[str, Any]]:
    return [
        {"truth": entry.truth, "is_met": entry.is_met, "text": entry.text, "at": utc(entry.at)}
        for entry in change.entries
        if isinstance(entry, Seen) and entry.step == index
    ]


def _step(step: Step) -> dict[str, Any]:
    if isinstance(step, ObjectEdit):
        return {"object": {"kind": step.object_kind, "namespace": step.key.namespace, "name": step.key.name}}
    return {"proxy": str(step.proxy), "post": step.path}


def _drain(drain: Drain | None) -> dict[str, Any] | None:
    if drain is None:
        return None
    return {
        "kind": drain.kind.value,
        "target": drain.target,
        "gateway": str(drain.gateway),
        "to": drain.to or None,
        "way": drain.way or None,
        "ends": [
            {"gateway": str(end.gateway), "clusters": list(end.clusters), "pod": end.pod or None} for end in drain.ends
        ],
        "deadline_s": drain.deadline_s,
    }


def _stage(stage: Stage) -> dict[str, Any]:
    return {"title": stage.title, "kind": stage.kind.value, "steps": list(stage.steps)}


def _diff(edit: ObjectEdit) -> Sequence[dict[str, Any]]:
    return [
        {"object": str(edit.key), "path": each.path, "before": each.before, "after": each.after}
        for each in differences(edit.before, edit.after)
    ]


def _blast(blast: BlastRadius) -> dict[str, Any]:
    return {
        "moved_rps": blast.moved_rps,
        "moved_share": blast.moved_share,
        "unknown": {"moved_rps": blast.unknown} if blast.unknown else {},
        "hostnames": list(blast.hostnames),
        "namespaces": list(blast.namespaces),
        "gateways": [str(each) for each in blast.gateways],
        "loads": [_load(each) for each in blast.loads],
    }


def _load(load: Load) -> dict[str, Any]:
    return {
        "gateway": str(load.gateway),
        "now_rps": load.now_rps,
        "then_rps": load.then_rps,
        "peak_rps": load.peak_rps,
        "peak_window_s": load.peak_window_s,
        "share_of_peak": load.share_of_peak,
    }
