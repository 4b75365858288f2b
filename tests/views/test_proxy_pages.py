"""The tabs of the proxy detail as values: what they say, and what they refuse to say."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from gwtui.model.ids import ProxyKey
from gwtui.model.inspection import BoundListener, ConfigKind, Endpoint, Statistic
from gwtui.model.known import Known, Unknown
from gwtui.model.rejections import Rejections
from gwtui.model.resources import HTTP_ROUTES, TRAFFIC_POLICIES
from gwtui.model.services import Service
from gwtui.model.snapshot import Snapshot
from gwtui.model.traffic import ListenerTraffic
from gwtui.views.proxy import config
from gwtui.views.proxy.about import about
from gwtui.views.proxy.certificates import certificates
from gwtui.views.proxy.config import ResourceKey
from gwtui.views.proxy.difference import difference
from gwtui.views.proxy.listeners import joined_listeners, listeners, stat_address
from gwtui.views.proxy.page import Page
from gwtui.views.proxy.reading import Reading, Readings, told
from gwtui.views.proxy.routes import routes
from gwtui.views.proxy.statistics import statistics
from gwtui.views.proxy.subject import headline, subject
from gwtui.views.proxy.tabs import TABS, beside, tab_line
from gwtui.views.proxy.traffic import traffic
from gwtui.views.proxy.upstreams import EndpointKey, trouble_words, upstreams
from gwtui.views.scene import Scene
from gwtui.views.spans import plain, width
from tests.tui import fleet as made
from tests.tui import inspected

GONE = ProxyKey(made.CLUSTER, "infra", "never-was")
SILENT = made.FAILING_PROXY.key


def scene(snapshot: Snapshot | None = None, later_s: float = 0) -> Scene:
    return Scene(snapshot or inspected.snapshot(), (made.CLUSTER,), made.NOW + timedelta(seconds=later_s))


def words(page: Page) -> list[str]:
    """All lines of a page as text."""
    return [plain(each).rstrip() for each in (*page.head, *map(page.line_of, range(len(page.keys))))]


def text(page: Page) -> str:
    return "\n".join(words(page))


def read(value: object) -> Reading:
    return Reading().answered(value, made.NOW)


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("127.0.0.1:8080", "127.0.0.1_8080"),
        ("0.0.0.0:8080", "0.0.0.0_8080"),
        ("[::]:8080", "[__]_8080"),
        ("[fd00::1]:443", "[fd00__1]_443"),
        ("/run/admin.sock", "/run/admin.sock"),
    ],
)
def test_addresses_are_written_as_statistics_write_them(address: str, name: str) -> None:
    assert stat_address(address) == name


def test_listeners_are_joined_with_what_is_wanted_and_what_is_counted() -> None:
    node = made.TOPOLOGY.gateways[0]
    traffic_80 = ListenerTraffic(rps=made.seen(40), error_ratio=made.seen(0))
    counted = {"[__]_80": traffic_80, "0.0.0.0_7000": traffic_80}
    bound = (BoundListener(name="listener~80", address="[::]:80"), BoundListener(name="stats", address="0.0.0.0:9091"))
    rows = joined_listeners(bound, node, counted)
    assert [(row.name, row.address, [each[0] for each in row.declared], row.traffic) for row in rows] == [
        ("listener~80", "[::]:80", ["http"], traffic_80),
        ("stats", "0.0.0.0:9091", [], None),
        ("", "0.0.0.0_7000", [], traffic_80),
        ("listener~443", "", ["https"], None),
    ]


def test_while_it_is_not_known_what_listens_nothing_is_said_to_be_missing() -> None:
    node = made.TOPOLOGY.gateways[0]
    assert joined_listeners(None, node, {}) == ()
    page = listeners(scene(), inspected.EDGE_1, Reading().failed("403: pods/portforward", "grant it", made.NOW), 140)
    assert "not in the proxy" not in text(page)
    assert words(page)[:3] == ["✖ cannot read the listeners", "  403: pods/portforward", "  → grant it"]
    assert "[__]_443" in text(page)


def test_a_listener_the_gateway_wants_and_the_proxy_lacks_is_a_row() -> None:
    page = listeners(scene(), inspected.EDGE_1, read(inspected.LISTENERS[:1]), 140)
    assert "✖ not in the proxy: https 443/HTTPS" in text(page)


def test_exposed_routes_have_figures_and_the_others_say_what_would_give_them_some() -> None:
    page = routes(scene(), inspected.EDGE_1, 140)
    rows = words(page)
    assert "infra/cart" in rows[1]
    assert "shop.example.com on https" in rows[1]
    assert "1.20%▲" in rows[1]
    assert "shop.example.com on http " in rows[3]
    assert "3.1k" in rows[3]
    assert rows[2].startswith("legacy ?")
    assert rows[-1] == "○ infra/feed not exposed: set statPrefix by a TrafficPolicy on infra/feed"
    assert "latency: not asked for" in plain(page.story_of(page.keys[0]))


def test_where_policies_were_not_read_a_route_is_not_said_to_be_hidden() -> None:
    snapshot = inspected.snapshot()
    cluster = snapshot.clusters[made.CLUSTER]
    objects = {kind: held for kind, held in cluster.objects.items() if kind != TRAFFIC_POLICIES}
    snapshot = replace(snapshot, clusters={made.CLUSTER: replace(cluster, objects=objects)})
    assert "infra/feed may be exposed" in text(routes(scene(snapshot), inspected.EDGE_1, 140)).replace(
        "httproutes/", ""
    )


def test_names_of_routes_follow_the_objects() -> None:
    snapshot = inspected.snapshot()
    cluster = snapshot.clusters[made.CLUSTER]
    assert "infra/cart" in text(routes(scene(snapshot), inspected.EDGE_1, 140))
    objects = {**cluster.objects, HTTP_ROUTES: {}}
    snapshot = replace(snapshot, clusters={made.CLUSTER: replace(cluster, objects=objects)})
    assert "the route itself could not be read" in text(routes(scene(snapshot), inspected.EDGE_1, 140))


def test_the_worst_upstream_is_first_and_one_nobody_used_last() -> None:
    page = upstreams(scene(), inspected.SHARD_B, read(inspected.UPSTREAMS), 140)
    assert page.keys == ["batch", "report", "xds_cluster"]
    rows = words(page)
    assert "▸ extra/batch" in rows[1]
    for figure in ("1.08%▲", "1/3", "4.2▲ ✖ open", "36▲", "2▲"):
        assert figure in rows[1], figure
    assert "no request was sent to it yet" in rows[3]


def test_endpoints_say_why_they_get_nothing() -> None:
    page = upstreams(scene(), inspected.SHARD_B, read(inspected.UPSTREAMS), 140, unfolded={"batch"})
    assert page.keys[1:4] == [
        EndpointKey("batch", "10.0.3.8:8080", 1),
        EndpointKey("batch", "10.0.3.9:8080", 2),
        EndpointKey("batch", "10.0.3.7:8080", 0),
    ]
    rows = words(page)
    assert "✖ 10.0.3.8:8080" in rows[2]
    assert "ejected: it answered with too many errors" in rows[2]
    assert "not ready, says Kubernetes" in rows[3]
    assert "● 10.0.3.7:8080" in rows[4]


def test_a_trouble_we_do_not_know_is_told_in_the_proxys_own_words() -> None:
    assert trouble_words(Endpoint(address="a", troubles=("some_new_flag",))) == "some new flag"
    assert trouble_words(Endpoint(address="a")) == ""


def test_endpoints_that_could_not_be_read_are_not_no_endpoints() -> None:
    failed = Reading().failed("timed out", "", made.NOW)
    page = upstreams(scene(), inspected.SHARD_B, failed, 140, unfolded={"batch"})
    assert "its endpoints are not known: timed out" in text(page)
    assert "holds no endpoint" not in text(page)


def test_a_filter_leaves_the_rows_that_match() -> None:
    page = upstreams(scene(), inspected.SHARD_B, read(inspected.UPSTREAMS), 140, pattern="extra !batch")
    assert page.keys == ["report"]


def test_the_first_certificate_to_end_is_on_top() -> None:
    rows = words(certificates(scene(), inspected.SHARD_B, read(inspected.CERTIFICATES[inspected.SHARD_B]), 140))
    assert "shard-b.infra.svc" in rows[1]
    assert "✖ expired 47 h ago" in rows[1]
    assert "20 days left: renewal is due ▲" in rows[2]


def test_certificates_seen_by_an_inspection_are_shown_before_the_page_is_read() -> None:
    page = certificates(scene(), inspected.EDGE_1, Reading().asking(made.NOW), 140)
    assert "6 days left: replace it now ▲" in text(page)
    assert "CA" in text(page)


def test_a_proxy_without_certificates_says_so() -> None:
    assert "holds no certificate" in text(certificates(scene(), inspected.EDGE_1, read(()), 140))


def test_a_certificate_that_is_not_valid_yet_is_not_well() -> None:
    early = replace(inspected.certificate(60, "a.test", serial="1"), valid_from=made.NOW + timedelta(days=1))
    assert "✖ not valid before 2026-03-02" in text(certificates(scene(), inspected.EDGE_1, read((early,)), 140))


def test_what_differs_is_on_top_and_what_only_a_sibling_has_is_a_row() -> None:
    page = config.resources(scene(), inspected.EDGE_1, read(inspected.CONFIGURATIONS[inspected.EDGE_1]), 140)
    assert page.keys[0] == ResourceKey(ConfigKind.ROUTES, inspected.ROUTES_80)
    assert "≠ routes" in text(page)
    less = tuple(one for one in inspected.CONFIGURATIONS[inspected.EDGE_1] if one.digest.kind is not ConfigKind.ROUTES)
    page = config.resources(scene(), inspected.EDGE_1, read(less), 140)
    assert "not here, a sibling has it" in text(page)


def test_a_refused_and_a_warming_resource_say_so() -> None:
    held = inspected.CONFIGURATIONS[inspected.EDGE_2]
    refused = replace(held[0], digest=replace(held[0].digest, error="no such filter", digest=""))
    warming = replace(held[1], digest=replace(held[1].digest, is_warming=True))
    rows = words(config.resources(scene(), inspected.SHARD_A, read((warming, held[3], refused)), 140))
    assert "✖ refused: no such filter" in rows[1]
    assert "none taken" in rows[1]
    assert any("◐ warming" in row for row in rows)


def test_bodies_are_read_again_only_when_the_proxy_holds_something_else() -> None:
    found = subject(scene(), inspected.EDGE_1)
    assert config.is_outdated(Reading(), found)
    early = Reading().answered(inspected.CONFIGURATIONS[inspected.EDGE_1], made.NOW - timedelta(minutes=5))
    assert not config.is_outdated(early, found)
    other = Reading().answered(inspected.CONFIGURATIONS[inspected.EDGE_2], made.NOW - timedelta(minutes=5))
    assert config.is_outdated(other, found)
    assert not config.is_outdated(read(inspected.CONFIGURATIONS[inspected.EDGE_2]), found)


def test_differences_are_told_for_what_they_are() -> None:
    (own, other) = (
        next(one for one in inspected.CONFIGURATIONS[key] if one.digest.kind is ConfigKind.ROUTES)
        for key in (inspected.EDGE_1, inspected.EDGE_2)
    )
    kind, name, sibling = ConfigKind.ROUTES, inspected.ROUTES_80, inspected.EDGE_2
    found = difference(kind, name, own, other, sibling)
    changed = [line.strip(" +-") for line in found.lines if line[0] in "+-"]
    assert changed == ['timeout: "15s"', 'timeout: "30s"'] * 5
    assert found.lines[0].startswith("@ virtual_hosts › listener~80~shop_example_com › routes › ")
    redacted = replace(own, digest=replace(own.digest, digest="other"))
    assert "differs in a redacted value" in difference(kind, name, own, redacted, sibling).words
    assert difference(kind, name, own, redacted, sibling).lines == ()
    assert difference(kind, name, own, own, sibling).words == "equal in both by now"
    only_here = difference(kind, name, own, None, sibling)
    assert "only this proxy has it" in only_here.words
    assert all(line[0] in "+@" for line in only_here.lines)
    assert "only edge-5f6d8-def23 has it" in difference(kind, name, None, other, sibling).words
    assert difference(kind, name, None, None, sibling).lines == ()


def test_statistics_are_not_asked_for_without_a_pattern_and_old_answers_say_what_they_answer() -> None:
    assert "nothing is asked for without a pattern" in text(statistics(Reading(), "", "", 140, made.NOW))
    assert "asked once typing pauses: abc" in text(statistics(Reading(), "abc", "", 140, made.NOW))
    page = statistics(read(inspected.STATISTICS), "batch.up", "batch", 140, made.NOW)
    assert "4 statistics match batch" in words(page)[0]
    assert "typing …" in words(page)[0]


def test_statistics_show_large_numbers_texts_and_histograms() -> None:
    largest = Statistic(name="a.b", value=2**64 - 1)
    rows = words(statistics(read((largest, *inspected.STATISTICS)), "b", "b", 140, made.NOW))
    assert any("18,446,744,073,7" in row or "…" in row for row in rows)
    assert any("histogram cluster.batch.upstream_rq_time  P50 8 ms, P99 371 ms" in row for row in rows)


def test_about_tells_what_the_control_plane_counts() -> None:
    told = scene()
    cluster = told.snapshot.clusters[made.CLUSTER]
    counted = Rejections(refused={"RouteConfiguration": 9}, replaced={"ref_not_found": 3})
    cluster = replace(cluster, refusals=Known({}, made.NOW), rejections={made.EDGE: counted})
    snapshot = replace(told.snapshot, clusters={made.CLUSTER: cluster})
    shown = text(about(Scene(snapshot, (made.CLUSTER,), made.NOW), inspected.EDGE_1, Readings()))
    assert "counts nothing that infra/edge refuses now" in shown
    assert "updates refused: RouteConfiguration 9  since it started" in shown
    assert "rules replaced by an answer 500: ref_not_found 3  since it started" in shown


def test_many_subscriptions_are_listed_in_part_and_refusing_ones_first() -> None:
    several = {f"sds.s{number:02}": Service(accepted=1) for number in range(20)}
    since = made.NOW - timedelta(minutes=9)
    services = {**several, "cds": Service(rejected=2, accepted=1), "lds": Service(rejected=1, refused_since=since)}
    snapshot = inspected.snapshot()
    key = inspected.EDGE_1
    snapshot = replace(snapshot, proxies={**snapshot.proxies, key: replace(snapshot.proxies[key], services=services)})
    shown = text(about(Scene(snapshot, (made.CLUSTER,), made.NOW), key, Readings()))
    assert shown.index("✖ listeners stale: refuses updates since") < shown.index("● clusters  1 taken, 2 refused")
    assert "secret s09" in shown
    assert "secret s10" not in shown
    assert "and 10 more" in shown


def test_about_tells_of_every_page_how_it_was_read() -> None:
    readings = Readings(
        listeners=Reading().failed("404: not offered", "allow /listeners", made.NOW),
        upstreams=read(inspected.UPSTREAMS),
        config=Reading().asking(made.NOW),
    )
    shown = text(about(scene(), inspected.EDGE_1, readings))
    for part in (
        "1.38.1",
        "✖ the listeners: 404: not offered",
        "→ allow /listeners",
        "● the endpoints  read 0 s ago",
        "○ the configuration: being read",
        "○ the certificates: read when its tab is open",
        "○ listeners: not inspected",
        "✖ routes listener~80 stale: refuses updates since 14:02:48 UTC  version a1b2c3d4, 31 taken, 5 refused",
        "● listeners  version 1b2c3d4e, 12 taken, 0 refused",
        "what was wrong with refused ones, its log tells",
        "drain_strategy = Gradual",
        "by pod proxy",
    ):
        assert part in shown, part


@pytest.mark.parametrize("key", [GONE, SILENT, made.FORBIDDEN_PROXY.key])
@pytest.mark.parametrize("cells", [79, 139])
def test_a_proxy_of_which_nothing_is_known_has_pages_without_a_zero(key: ProxyKey, cells: int) -> None:
    pages = (
        traffic(scene(), key, cells),
        listeners(scene(), key, Reading(), cells),
        routes(scene(), key, cells),
        upstreams(scene(), key, Reading(), cells),
        certificates(scene(), key, Reading(), cells),
        config.resources(scene(), key, Reading(), cells),
        about(scene(), key, Readings()),
    )
    for page in pages:
        assert not [row for row in words(page) if " 0 " in f" {row} " or "0%" in row], words(page)


def test_a_proxy_that_is_gone_is_said_to_be_gone() -> None:
    assert "gone from the cluster" in plain(headline(scene(), GONE))
    assert "✖ rejected" in plain(headline(scene(), inspected.EDGE_1))
    assert "≠ config" in plain(headline(scene(), inspected.EDGE_1))


@pytest.mark.parametrize("cells", [79, 139])
def test_every_line_of_the_traffic_has_its_place(cells: int) -> None:
    page = traffic(scene(), inspected.SHARD_B, cells)
    charts = [page.line_of(at) for at, key in enumerate(page.keys) if key is not None]
    assert len(charts) == 8
    assert {width(each) for each in charts} == {cells}
    assert "last 5 min" in words(page)[0]


def test_traffic_tells_figures_their_time_and_where_they_come_from() -> None:
    page = traffic(scene(), inspected.SHARD_B, 139)
    shown = text(page)
    for part in (
        "3.6k rps",
        "1.04%▲ 37/s",
        "380 ms",
        "max 4.5k",
        "2 s ago · downstream_rq_active",
        "2/s▲ no route (404)",
    ):
        assert part in shown, part
    assert plain(page.story_of("requests")).endswith("2 s ago · from http.http.downstream_rq_total")


def test_a_proxy_that_went_silent_keeps_its_course_and_has_no_present() -> None:
    snapshot = inspected.snapshot()
    view = snapshot.proxies[inspected.SHARD_B]
    silent = replace(view, state=made.FAILING_PROXY.state, reason="connection refused")
    snapshot = replace(snapshot, proxies={**snapshot.proxies, view.key: silent})
    shown = text(traffic(scene(snapshot), view.key, 139))
    assert "connection refused" in shown
    assert "max 4.5k" in shown
    assert "3.6k rps" not in shown
    assert "no route" not in shown


def test_tabs_are_a_ring_and_fit_a_narrow_terminal() -> None:
    names = [tab.id for tab in TABS]
    assert [beside(name, 1) for name in names] == [*names[1:], names[0]]
    assert [beside(beside(name, 1), -1) for name in names] == names
    for name in names:
        narrow, wide = plain(tab_line(name, 79)), plain(tab_line(name, 139))
        assert len(narrow) <= 79
        assert narrow.count("▸") == wide.count("▸") == 1
    assert len({tab.key for tab in TABS}) == len(TABS)


def test_a_reading_keeps_the_last_answer_when_the_next_fails() -> None:
    first = Reading().answered(("a",), made.NOW)
    later = made.NOW + timedelta(seconds=20)
    failed = first.asking(later).failed("connection reset", "try later", later)
    assert failed.last == Known(("a",), made.NOW)
    (notice,) = told(failed, "the listeners", later)
    assert plain(notice) == ("◐ the listeners as of 20 s ago: reading again failed, connection reset → try later")
    assert told(first, "the listeners", later) == ()
    assert "as of 50 s ago" in plain(told(first, "the listeners", made.NOW + timedelta(seconds=50))[0])


def test_a_page_is_due_when_it_is_old_and_nobody_asks() -> None:
    assert Reading().is_due(made.NOW, 15)
    assert not Reading().asking(made.NOW).is_due(made.NOW + timedelta(hours=1), 15)
    answered = Reading().answered((), made.NOW)
    assert not answered.is_due(made.NOW + timedelta(seconds=14.9), 15)
    assert answered.is_due(made.NOW + timedelta(seconds=15), 15)
    failed = Reading().failed("no", "", made.NOW)
    assert not failed.is_due(made.NOW + timedelta(seconds=14.9), 15)
    assert failed.last == Unknown("no")


def test_waiting_is_said_with_how_long_it_takes() -> None:
    asking = Reading().asking(made.NOW)
    assert plain(told(asking, "the bodies", made.NOW)[0]) == "reading the bodies of the proxy …"
    assert "for 12 s" in plain(told(asking, "the bodies", made.NOW + timedelta(seconds=12))[0])
