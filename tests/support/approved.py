"""Approvals as the door gives them, of plans made for a test."""

from __future__ import annotations

from datetime import UTC, datetime

from gwtui.changes.door import Approval, Door
from gwtui.changes.plan import AdminPost, ObjectEdit, Plan, Step
from gwtui.model.ids import ObjectKey, ProxyKey


def plan_of(*steps: Step) -> Plan:
    return Plan(
        id="20260101-000000-0001",
        title="a change",
        made_at=datetime(2026, 1, 1, tzinfo=UTC),
        cluster="lab",
        steps=steps,
    )


def approved(*steps: Step) -> Approval:
    return Door(read_only=False).approve(plan_of(*steps))


def writing(key: ObjectKey) -> ObjectEdit:
    return ObjectEdit(key=key, object_kind="HTTPRoute", before={}, after={})


def posting(proxy: ProxyKey, path: str, reverse: str = "") -> AdminPost:
    return AdminPost(proxy=proxy, path=path, reverse_path=reverse)
