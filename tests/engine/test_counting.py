"""Counting what is under way at the ends of a drained edge: unknown is never zero, and zero is proven."""

from __future__ import annotations

import pytest

from executing import Fleet
from gwtui.changes.plan import End
from gwtui.engine.counting import ZEROS, Counting, Counts
from gwtui.errors import Unreachable
from gwtui.model.ids import GatewayKey, ProxyKey
from set_clock import QuickClock

EDGE, SHARD = (GatewayKey("lab", "infra", name) for name in ("edge", "shard-a"))
EDGE_1, SHARD_1, SHARD_2 = (ProxyKey("lab", "infra", pod) for pod in ("edge-1", "shard-a-1", "shard-a-2"))
TO_SHARD = "kube_infra_shard-a_8080"
SENT = End(gateway=EDGE, clusters=(TO_SHARD,))
ARRIVING = End(gateway=SHARD)


def fleet() -> Fleet:
    found = Fleet(QuickClock())
    found.pods = {EDGE: ["edge-1"], SHARD: ["shard-a-1", "shard-a-2"]}
    return found


def counts(of: Fleet, *ends: End) -> Counts:
    return Counting(of.find, of.look, of.clock).of(ends)


async def read(of: Fleet, counted: Counts, times: int = 1) -> None:
    for _ in range(times):
        await counted.read()
        await of.clock.sleep(0.5)


async def test_both_ends_are_added_up_over_their_proxies() -> None:
    lab = fleet()
    lab.statistics = {
        EDGE_1: {
            f"cluster.{TO_SHARD}.upstream_rq_active": 3,
            f"cluster.{TO_SHARD}.upstream_rq_pending_active": 1,
            f"cluster.{TO_SHARD}.upstream_rq_total": 100,
            f"cluster.{TO_SHARD}.upstream_cx_active": 2,
            "cluster.kube_infra_shard-b_8080.upstream_rq_active": 9,
        },
        SHARD_1: {
            "http.http.downstream_rq_active": 2,
            "http.http.downstream_rq_completed": 50,
            "http.http.downstream_cx_upgrades_active": 1,
            "http.http.downstream_cx_active": 7,
            "http.admin.downstream_rq_active": 1,
            "cluster.kube_foo_web_80.upstream_rq_active": 1,
            "cluster.xds_cluster.upstream_rq_active": 1,
        },
        SHARD_2: {
            "http.http.downstream_rq_active": 1,
            "cluster.kube_foo_web_80.upstream_rq_active": 1,
            "cluster.backend_bar_chat_0.upstream_rq_active": 1,
        },
    }
    counted = counts(lab, SENT, ARRIVING)
    await counted.read()
    sent, arriving = counted.ends
    assert (sent.in_flight, sent.connections, sent.upgrades, sent.new_rps) == (4, 2, None, None)
    assert (arriving.in_flight, arriving.connections, arriving.upgrades) == (3, 7, 1)
    assert counted.remaining == ("2 foo/web", "1 bar/chat")
    assert counted.zeros == 0


async def test_it_is_empty_after_some_readings_in_a_row_without_new_requests() -> None:
    lab = fleet()
    counted = counts(lab, SENT, ARRIVING)
    await read(lab, counted, ZEROS)
    assert (counted.zeros, counted.is_empty) == (ZEROS - 1, False), "the first reading tells no new requests"
    await read(lab, counted)
    assert counted.is_empty
    lab.statistics[EDGE_1] = {f"cluster.{TO_SHARD}.upstream_rq_total": 1}
    await read(lab, counted)
    assert (counted.ends[0].in_flight, counted.ends[0].new_rps) == (0, 2.0)
    assert not counted.is_empty
    await read(lab, counted, ZEROS)
    assert counted.is_empty


async def test_who_remains_is_asked_only_while_somebody_does() -> None:
    lab = fleet()
    counted = counts(lab, ARRIVING)
    await read(lab, counted, 2)
    first, second = lab.asked[0], lab.asked[-1]
    assert "upstream" in first
    assert "upstream" not in second
    assert all(each.startswith("^") and each.endswith("$") for each in lab.asked)


@pytest.mark.parametrize("end", [SENT, ARRIVING])
async def test_a_proxy_that_does_not_answer_is_never_empty(end: End) -> None:
    lab = fleet()
    pod = EDGE_1 if end is SENT else SHARD_2
    lab.statistics[pod] = Unreachable("connection refused")
    counted = counts(lab, end)
    await read(lab, counted, 10)
    (count,) = counted.ends
    assert (count.in_flight, count.new_rps, count.connections) == (None, None, None)
    assert count.unknown == f"{pod.pod}: connection refused"
    assert counted.zeros == 0
    del lab.statistics[pod]
    await read(lab, counted, ZEROS + 1)
    assert counted.is_empty


async def test_what_is_not_known_is_no_zero() -> None:
    lab = fleet()
    for end, why in (
        (End(gateway=GatewayKey("lab", "infra", "other")), "infra/other is not in the topology"),
        (End(gateway=GatewayKey("far", "infra", "edge")), "nothing is known of cluster far"),
    ):
        counted = counts(lab, end)
        await read(lab, counted, 6)
        assert (counted.ends[0].in_flight, counted.ends[0].unknown, counted.zeros) == (None, why, 0)
    nothing = counts(lab)
    await read(lab, nothing, 6)
    assert nothing.zeros == 0


async def test_a_counter_that_went_down_is_a_restart() -> None:
    lab = fleet()
    counted = counts(lab, SENT)
    lab.statistics[EDGE_1] = {f"cluster.{TO_SHARD}.upstream_rq_total": 100}
    await read(lab, counted, 3)
    assert counted.zeros == 2
    lab.statistics[EDGE_1] = {f"cluster.{TO_SHARD}.upstream_rq_total": 5}
    await read(lab, counted)
    assert (counted.ends[0].new_rps, counted.zeros) == (None, 0)
    await read(lab, counted)
    assert (counted.ends[0].new_rps, counted.zeros) == (0.0, 1)


async def test_a_proxy_whose_pod_is_gone_counts_nothing() -> None:
    lab = fleet()
    one = counts(lab, End(gateway=SHARD, pod="shard-a-1"))
    whole = counts(lab, ARRIVING)
    lab.statistics[SHARD_1] = {"http.http.downstream_rq_active": 5}
    for counted in (one, whole):
        await read(lab, counted)
        assert counted.ends[0].in_flight == 5
    lab.gone = {"shard-a-1"}
    for counted in (one, whole):
        await read(lab, counted, ZEROS + 1)
        assert (counted.ends[0].in_flight, counted.is_empty) == (0, True)
