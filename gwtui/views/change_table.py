"""Changes as text: a table, a timeline for an incident document, a patch for a pull request."""

from __future__ import annotations

from collections.abc import Sequence

from gwtui.changes.differences import as_patch_file
from gwtui.changes.journal import Change
from gwtui.changes.plan import Plan
from gwtui.views import text
from gwtui.views.change_words import told
from gwtui.views.net_edits import net_edits

NONE = "no changes are remembered\n"


def changes_table(changes: Sequence[Change]) -> str:
    """Return one line per change, the newest first."""
    if not changes:
        return NONE
    rows = [
        (each.id, each.plan.cluster, each.verdict.value, each.who, _state(each), each.plan.title) for each in changes
    ]
    heads = ("ID", "CLUSTER", "VERDICT", "WHO", "STATE", "CHANGE")
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(len(heads) - 1)]
    lines = [
        "  ".join([*(f"{cell:<{width}}" for cell, width in zip(row[:-1], widths, strict=True)), row[-1]]).rstrip()
        for row in (heads, *reversed(rows))
    ]
    return "\n".join(lines) + "\n"


def _state(change: Change) -> str:
    if change.uncertain:
        return "uncertain"
    if not change.applied:
        return "-"
    if change.lease_ends_at is not None:
        return f"until {text.clock(change.lease_ends_at)}"
    return "in force"


def timeline(change: Change) -> str:
    """Return a change as Markdown: what was planned, and what happened when."""
    plan = change.plan
    head = [f"## {plan.title}", "", f"- change `{change.id}` on {plan.cluster} by {change.who}: **{change.verdict}**"]
    if change.text:
        head.append(f"- {change.text}")
    if plan.reason:
        head.append(f"- reason: {plan.reason}")
    if plan.drain is not None:
        head.append(f"- {'fills again' if plan.undoes else 'empties'} {plan.drain.target}, by {plan.drain.way}")
    if plan.undoes:
        head.append(f"- takes back `{plan.undoes}`")
    rows = [f"| {entry.at:%H:%M:%S} | {_cell(told(plan, entry))} |" for entry in change.entries]
    return "\n".join([*head, "", f"| {change.opened_at:%Y-%m-%d} (UTC) | |", "|---|---|", *rows, ""]) + "\n"


def _cell(words: str) -> str:
    return words.replace("|", "\\|")


def patch_of_plan(plan: Plan) -> str:
    """Return what a plan does to its objects as a patch of their YAML, each from before its first step on."""
    return "".join(as_patch_file(each.before, each.after) for each in net_edits(plan))
