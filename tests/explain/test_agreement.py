"""What a proxy has loaded is put beside what the objects intend: they agree, they differ, or it cannot be told."""

from __future__ import annotations

from typing import Any

import pytest

from gwtui.engine.explaining import MOST_PER_GATEWAY, with_loaded_answers
from gwtui.errors import Denied
from gwtui.explain.agreement import compared, names_rule
from gwtui.explain.course import Explanation, Hop
from gwtui.explain.loaded.answers import Answer, CannotTell, Forward, Loaded, Redirect, Reply, Share, Unrouted
from gwtui.model.ids import ProxyKey
from gwtui.model.inspection import ConfigDigest, ConfigKind, ConfigResource
from gwtui.model.snapshot import ClusterView, Snapshot
from gwtui.views.explain_verdict import agreement, verdict_of
from tests.explain.clusters import GA, Json, app, course, explain, gateway, path, route, rule, to, view

ANY = path("/")
NAME = "listener~80~a_test-route-0-httproute-r-foo-0-0-matcher-0"


def pod(gateway_name: str, number: int) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{gateway_name}-{number}",
            "namespace": "infra",
            "labels": {f"{GA}/gateway-name": gateway_name},
        },
        "status": {"phase": "Running"},
    }


def cluster(*backends: Json, pods: int = 0, **more: Any) -> ClusterView:
    own = route("foo", "r", ["edge"], rule(ANY, to=backends, **more), hosts=["a.test"])
    proxies = [pod("edge", number) for number in range(pods)]
    return view(gateway("edge"), app("foo", "app"), app("foo", "other"), own, *proxies)


def hop(*backends: Json, line: str = "a.test", **more: Any) -> Hop:
    return course(cluster(*backends, **more), line, entry="infra/edge").first


def forward(*shares: tuple[str, float], route: str = NAME) -> Loaded:
    action = Forward(shares=tuple(Share(cluster=cluster, ratio=ratio) for cluster, ratio in shares))
    return Loaded(routes="listener~80", virtual_host="v", domain="a.test", index=0, route=route, action=action)


def answers(action: Redirect | Reply) -> Loaded:
    return Loaded(routes="listener~80", virtual_host="v", domain="a.test", index=0, route=NAME, action=action)


APP, OTHER = "kube_foo_app_80", "kube_foo_other_80"
SPLIT = (to("app", 90), to("other", 10))
REDIRECT = {"filters": [{"type": "RequestRedirect", "requestRedirect": {"statusCode": 301}}]}

CASES: list[tuple[Hop, Answer, bool | None]] = [
    (hop(to("app")), forward((APP, 1.0)), True),
    (hop(to("app")), forward((OTHER, 1.0)), False),
    (hop(*SPLIT), forward((APP, 0.9), (OTHER, 0.1)), True),
    (hop(*SPLIT), forward((APP, 0.5), (OTHER, 0.5)), False),
    (hop(*SPLIT), forward((APP, 1.0)), False),
    # A backend that does not exist has the upstream that does not exist in its place.
    (hop(to("app", 1), to("gone", 1)), forward((APP, 0.5), ("blackhole-cluster", 0.5)), True),
    (hop(to("gone")), forward(("blackhole-cluster", 1.0)), True),
    (hop(to("gone")), answers(Reply(status=500)), True),
    (hop(to("app", 0), to("other", 0)), answers(Reply(status=500)), True),
    (hop(**REDIRECT), answers(Redirect(status=301)), True),
    (hop(**REDIRECT), answers(Redirect(status=302)), False),
    (hop(to("app")), answers(Reply(status=500)), False),
    # Another rule is another answer, even to the same place.
    (hop(to("app")), forward((APP, 1.0), route=NAME.replace("-0-0-", "-1-0-")), False),
    # No route: a 404 that is intended, and one that is not.
    (hop(to("app"), line="b.test"), Unrouted(reason="no virtual host"), True),
    (hop(to("app")), Unrouted(reason="no virtual host"), False),
    (hop(to("app"), line="b.test"), forward((APP, 1.0)), False),
    (hop(to("app")), CannotTell("a filter decides"), None),
]


@pytest.mark.parametrize(("intended", "answer", "expected"), CASES)
def test_answers_are_compared(intended: Hop, answer: Answer, *, expected: bool | None) -> None:
    assert compared(intended, answer).agrees is expected


def test_where_objects_leave_it_open_the_proxy_tells_and_does_not_disagree() -> None:
    made = view(
        gateway("edge"),
        app("foo", "app"),
        route("foo", "r", ["edge"], rule(path("/(?=a).*", "RegularExpression"), to=[to("app")]), hosts=["a.test"]),
    )
    found = compared(course(made, "a.test").first, forward((APP, 1.0)))
    assert found.agrees is None
    assert f"sends to {APP}" in found.words


async def test_a_proxy_settles_what_the_objects_leave_open() -> None:
    heavy = {"annotations": {"kgateway.dev/route-weight": "10"}}
    made = view(
        gateway("edge"),
        app("foo", "app"),
        app("foo", "other"),
        route("foo", "r", ["edge"], rule(ANY, to=[to("app")]), hosts=["a.test"], **heavy),
        route("foo", "exact", ["edge"], rule(path("/", "Exact"), to=[to("other")]), hosts=["a.test"]),
        pod("edge", 0),
    )
    assert explain(made, "a.test").courses[0].unknown_share == 1.0
    assert (await asked(Proxies(edge_0=APP), made)).is_well
    assert not (await asked(Proxies(), made)).is_well


def test_names_of_routes_are_told_apart_to_the_last_letter() -> None:
    winner = hop(to("app")).contest
    assert winner is not None
    assert winner.winner is not None
    assert names_rule(NAME, winner.winner)
    assert not names_rule("v-route-0-httproute-r-foo-10-0-matcher-0", winner.winner)
    assert not names_rule("v-route-0-httproute-other-r-foo-0-1-matcher-1", winner.winner)


def resource(kind: ConfigKind, name: str, body: Json) -> ConfigResource:
    return ConfigResource(digest=ConfigDigest(kind=kind, name=name, digest="d"), body=body)


MANAGER = "envoy.extensions.filters.network.http_connection_manager"


def listener_body() -> Json:
    manager = {
        "@type": f"type.googleapis.com/{MANAGER}.v3.HttpConnectionManager",
        "rds": {"route_config_name": "listener~80"},
        "http_filters": [{"name": "envoy.filters.http.router"}],
    }
    return {
        "name": "listener~80",
        "address": {"socket_address": {"address": "0.0.0.0", "port_value": 80}},
        "filter_chains": [
            {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
        ],
    }


def routes_body(upstream: str) -> Json:
    own = {"name": NAME, "match": {"prefix": "/"}, "route": {"cluster": upstream}}
    return {"name": "listener~80", "virtual_hosts": [{"name": "v", "domains": ["a.test"], "routes": [own]}]}


class Proxies:
    """Proxies that hold what a test says; one that holds nothing refuses to be asked."""

    def __init__(self, **held: str) -> None:
        self.held = {name.replace("_", "-"): upstream for name, upstream in held.items()}
        self.asked: list[tuple[str, ConfigKind, str]] = []

    async def read(self, proxy: ProxyKey, kind: ConfigKind, name: str) -> tuple[ConfigResource, ...]:
        self.asked.append((proxy.pod, kind, name))
        if proxy.pod not in self.held:
            raise Denied("pods/portforward is forbidden", "grant create on it")
        if kind is ConfigKind.LISTENER:
            return (resource(kind, "listener~80", listener_body()),)
        return (resource(kind, "listener~80", routes_body(self.held[proxy.pod])),)


async def asked(proxies: Proxies, made: ClusterView) -> Explanation:
    return await with_loaded_answers(explain(made, "a.test"), proxies.read, Snapshot())


async def test_every_proxy_on_the_way_is_asked_and_the_odd_one_is_told() -> None:
    proxies = Proxies(edge_0=APP, edge_1=OTHER)
    found = await asked(proxies, cluster(to("app"), pods=3))
    (only,) = found.courses
    agree = {proxy.pod: loaded.agrees for proxy, loaded in only.first.loaded.items()}
    assert agree == {"edge-0": True, "edge-1": False, "edge-2": None}
    assert agreement(only.first, only.first.gateway) == "1 of 3 proxies of infra/edge would do something else"
    assert verdict_of(only).sentence.endswith("but infra/edge-1 holds another answer")
    assert "forbidden" in only.first.loaded[ProxyKey("test", "infra", "edge-2")].words
    assert not found.is_well


async def test_proxies_that_agree_are_well() -> None:
    found = await asked(Proxies(edge_0=APP, edge_1=APP), cluster(to("app"), pods=2))
    assert found.is_well
    assert agreement(found.courses[0].first, found.courses[0].first.gateway) == "objects and both proxies agree"


async def test_of_many_replicas_few_are_asked_and_only_for_what_decides() -> None:
    proxies = Proxies(**{f"edge_{number}": APP for number in range(9)})
    await asked(proxies, cluster(to("app"), pods=9))
    assert len({pod for pod, _, _ in proxies.asked}) == MOST_PER_GATEWAY
    assert {name for _, kind, name in proxies.asked if kind is ConfigKind.ROUTES} == {"listener~80"}
