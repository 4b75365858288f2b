"""The guard of a change: whose figures are judged, and when they are out of bounds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from changing import EDGE, SHARD_A, SHARD_B, fleet, key_of, proxy, rate, ref, route, rule, snapshot_of, traffic
from gwtui.changes.plan import AdminPost, BlastRadius, Guard, Load, ObjectEdit, Plan
from gwtui.engine.guarding import Guarding
from gwtui.model.ids import ProxyKey
from gwtui.model.snapshot import Snapshot
from set_clock import QuickClock
from tests.engine.test_conducting import drain

SHOP = route("shop", rule(ref("shard-a", 90), ref("shard-b", 10)))
EDIT = ObjectEdit(key=key_of(SHOP), object_kind="HTTPRoute", before=SHOP, after=SHOP)
POST = AdminPost(proxy=ProxyKey("demo", "infra", "edge-x1"), path="/healthcheck/fail", reverse_path="/healthcheck/ok")
GUARD = Guard(bake_s=1.0, max_error_ratio=0.01)
TAKING = Load(gateway=SHARD_B, now_rps=1.0, then_rps=10.0)
LEFT = Load(gateway=SHARD_A, now_rps=9.0, then_rps=0.0)


def failing(name: str) -> Snapshot:
    """A fleet in which the proxies of one gateway answer every tenth request with an error."""
    manifests = fleet(SHOP)
    pods = [each["metadata"]["name"] for each in manifests if each["kind"] == "Pod"]
    good, bad = traffic(10.0), replace(traffic(10.0), error_ratio=rate(0.1))
    return snapshot_of(manifests, *(proxy(pod, bad if pod.startswith(name) else good) for pod in pods))


def plan(*loads: Load, post: bool = False, guard: Guard | None = GUARD) -> Plan:
    steps = (POST,) if post else (EDIT,)
    return drain(cluster="demo", steps=steps, blast=BlastRadius(gateways=(EDGE,), loads=loads), guard=guard)


@pytest.mark.parametrize(
    ("name", "made", "is_broken"),
    [
        ("edge", plan(), True),
        ("edge", plan(post=True), True),
        ("edge", plan(guard=None), False),
        ("shard-b", plan(TAKING), True),
        ("shard-b", plan(), False),
        ("shard-a", plan(TAKING, LEFT), False),
    ],
)
def test_a_look_judges_who_is_written_to_and_who_takes_over(name: str, made: Plan, *, is_broken: bool) -> None:
    guarding = Guarding(lambda: failing(name), QuickClock())
    assert bool(guarding.broken_now(made)) is is_broken
