"""What proxies hold, as it is judged: refused updates, certificates that end, replicas that differ."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from gwtui.model.known import Known, Unknown
from gwtui.model.services import Service
from gwtui.model.snapshot import ProxyView
from gwtui.views import config_state, judge, proxies
from gwtui.views.expiry import Expiry, first_expiry
from gwtui.views.matching import nearest
from gwtui.views.proxies import rows
from gwtui.views.refusals import refused_kinds, refused_since, refused_words
from gwtui.views.remembered import ByIdentity
from gwtui.views.replicas import odd, odd_mark, odd_words
from gwtui.views.scene import Scene
from gwtui.views.spans import plain
from tests.tui import fleet as made
from tests.tui import inspected


def at(seconds: float) -> datetime:
    return made.NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("days", "cell", "words"),
    [
        (-1, "✖ expired", "expired"),
        (0, "0 d ▲", "less than a day left: replace it now"),
        (1, "1 d ▲", "1 day left: replace it now"),
        (7, "7 d ▲", "7 days left: replace it now"),
        (8, "8 d ▲", "8 days left: renewal is due"),
        (30, "30 d ▲", "30 days left: renewal is due"),
        (31, "31 d", "31 days left"),
    ],
)
def test_days_have_words(days: int, cell: str, words: str) -> None:
    assert Expiry(days).cell.text == cell
    assert Expiry(days).words == words


def test_the_statistic_stands_in_for_a_list_that_is_not_known() -> None:
    full = inspected.full(made.PROXIES[0])
    assert first_expiry(full, made.NOW) == Expiry(6)
    counted = replace(full.samples[-1], certificate_days=3)
    unlisted = replace(full.inspection, certificates=Unknown("403"))
    assert first_expiry(replace(full, samples=(counted,), inspection=unlisted), made.NOW) == Expiry(3)
    assert first_expiry(replace(full, samples=(counted,), inspection=None), made.NOW) == Expiry(3)
    assert first_expiry(replace(full, inspection=None), made.NOW) is None


def test_an_expired_certificate_a_refused_update_and_an_odd_replica_are_judged() -> None:
    found = {row.key: row for row in rows(inspected.snapshot(), made.NOW)}
    assert found[inspected.EDGE_1].verdict.word == judge.REJECTED
    reason = found[inspected.EDGE_1].verdict.reason
    assert "refuses routes listener~80 since 14:02:48 UTC and keeps what it had" in reason
    assert found[inspected.SHARD_A].verdict is judge.OK
    well = replace(
        inspected.snapshot().proxies[inspected.SHARD_B], traffic=made.healthy().proxies[inspected.SHARD_B].traffic
    )
    assert judge.proxy(well, made.NOW).word == "expired"
    urgent = replace(well, inspection=inspected.inspection(inspected.EDGE_2))
    assert judge.proxy(urgent, made.NOW).word == "cert 6 d"


def test_what_the_control_plane_counts_as_refused_is_told_of_the_gateway() -> None:
    snapshot = made.healthy()
    cluster = snapshot.clusters[made.CLUSTER]
    refused = Known({made.EDGE: ("RouteConfiguration",)}, made.NOW)
    snapshot = replace(snapshot, clusters={made.CLUSTER: replace(cluster, refusals=refused)})
    scene = Scene(snapshot, (made.CLUSTER,), made.NOW)
    assert scene.fleet.gateways[made.EDGE].verdict.word == judge.REJECTED
    assert scene.fleet.gateways[made.SHARD_A].verdict is judge.OK


def test_a_listener_that_was_refused_is_told_in_the_proxys_words() -> None:
    inspection = inspected.inspection(inspected.SHARD_A)
    first, *others = inspection.config.value
    refused = replace(inspection, config=Known((replace(first, error="unknown filter"), *others), made.NOW))
    verdict = judge.proxy(replace(made.healthy().proxies[inspected.SHARD_A], inspection=refused), made.NOW)
    assert (verdict.word, verdict.glyph) == ("rejected", "✖")
    assert verdict.reason == "refuses listeners: listener~80: unknown filter"
    assert plain(config_state.cell(replace(made.PROXIES[0], inspection=refused), made.NOW)) == "✖ lds"


def test_replicas_are_compared_again_only_when_one_was_inspected() -> None:
    snapshot = inspected.snapshot()
    views = [snapshot.proxies[key] for key in (inspected.EDGE_1, inspected.EDGE_2)]
    found = odd(made.EDGE, views)
    assert set(found) == {inspected.EDGE_1, inspected.EDGE_2}
    asked_again = [replace(each, series=(), traffic=replace(each.traffic, error_ratio=made.seen(0))) for each in views]
    assert odd(made.EDGE, asked_again) is found
    anew = [replace(each, inspection=replace(each.inspection)) for each in views]
    assert odd(made.EDGE, anew) is not found
    alike = [replace(each, inspection=inspected.inspection(inspected.EDGE_1)) for each in views]
    assert odd(made.EDGE, alike) == {}


def test_a_replica_whose_configuration_still_warms_says_so() -> None:
    snapshot = inspected.snapshot()
    base = inspected.inspection(inspected.EDGE_1)
    first, *others = base.config.value
    warming = replace(base, config=Known((replace(first, is_warming=True), *others), made.NOW))
    views = [
        replace(snapshot.proxies[key], inspection=held)
        for key, held in ((inspected.EDGE_1, base), (inspected.EDGE_2, base), (inspected.SHARD_A, warming))
    ]
    found = odd(made.EDGE, views)
    assert set(found) == {inspected.SHARD_A}
    assert odd_words(found[inspected.SHARD_A]) == "≠ config (listener listener~80 still warming): 1 of 3 is so"
    assert config_state.digest(views[2]).value != config_state.digest(views[0]).value


def test_errors_are_compared_each_time() -> None:
    views = [replace(each, inspection=None) for each in made.healthy().proxies.values()][:3]
    assert odd(made.EDGE, views) == {}
    erring = replace(views[0], traffic=replace(views[0].traffic, error_ratio=made.seen(0.05)))
    found = odd(made.EDGE, [erring, *views[1:]])
    assert odd_words(found[erring.key]) == "≠ errors: far more than the other 2 proxies"
    assert odd_mark(found[erring.key]) == "≠ 1 of 3"
    assert odd(made.EDGE, views[:1]) == {}


def test_values_are_remembered_by_the_identity_of_what_they_are_made_from() -> None:
    made_from: list[object] = []
    held: ByIdentity[str, object] = ByIdentity(most=2)
    source, equal = [1], [1]

    def make() -> object:
        made_from.append(None)
        return object()

    first = held.get("a", (source,), make)
    assert held.get("a", (source,), make) is first
    assert held.get("a", (equal,), make) is not first
    assert held.get("a", (equal, source), make) is not first
    assert len(made_from) == 3
    for name in "bcd":
        held.get(name, (source,), make)
    assert len(held._held) <= 2


def test_unknown_configuration_says_why_and_equal_replicas_look_equal() -> None:
    full = inspected.full(made.PROXIES[0])
    assert plain(config_state.cell(full, made.NOW)).startswith("● ")
    assert plain(config_state.cell(replace(full, inspection=None), made.NOW)) == "○ not inspected yet"
    denied = replace(full.inspection, config=Unknown("port-forward refused"))
    assert plain(config_state.cell(replace(full, inspection=denied), made.NOW)) == "○ port-forward refused"
    snapshot = inspected.snapshot()
    cells = {
        key: plain(config_state.cell(snapshot.proxies[key], made.NOW))
        for key in (inspected.EDGE_1, inspected.EDGE_2, inspected.SHARD_A)
    }
    assert cells[inspected.EDGE_1] != cells[inspected.EDGE_2] == cells[inspected.SHARD_A]


def test_the_row_tells_which_subscription_refuses_and_for_how_long() -> None:
    def refusing(**services: Service) -> ProxyView:
        return replace(inspected.full(made.PROXIES[0]), services=services)

    since = Service(rejected=1, accepted=2, refused_since=at(-540))
    one = refusing(lds=Service(rejected=4, accepted=2), **{"rds.listener~80": since})
    assert plain(config_state.cell(one, made.NOW)) == "✖ rds 9m"
    assert (refused_since(one), refused_words(one)) == (at(-540), "routes listener~80")
    later = replace(since, refused_since=at(-60))
    two = refusing(cds=later, **{"rds.listener~80": since, "rds.listener~81": since})
    assert plain(config_state.cell(two, made.NOW)) == "✖ cds+rds 9m"
    assert refused_words(two) == "routes listener~80, routes listener~81 and 1 more"
    assert refused_kinds(refusing(cds=later, lds=later, **{"eds.kube_a": later})) == "cds+2"
    assert (refused_kinds(refusing()), refused_since(refusing())) == ("", None)


def test_every_column_can_be_sorted_by_and_unknown_is_last() -> None:
    for name in proxies.SORTS:
        found = rows(inspected.snapshot(), made.NOW, sort=name)
        assert len(found) == 6
        if name != "state":
            assert {row.key for row in found[-2:]} == {made.FAILING_PROXY.key, made.FORBIDDEN_PROXY.key}, name
    first = rows(inspected.snapshot(), made.NOW, sort="cert")[0]
    assert first.key == inspected.SHARD_B


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("infra/edge-1", "infra/edge-1"),
        ("edge-1", "infra/edge-1"),
        ("EDGE", "infra/edge-2"),
        ("hard", "infra/shard"),
        ("shadr", "infra/shard"),
        ("xyzzy", None),
    ],
)
def test_the_nearest_name_is_meant(typed: str, meant: str | None) -> None:
    assert nearest(typed, ["infra/edge-2", "infra/edge-1", "infra/shard"]) == meant
