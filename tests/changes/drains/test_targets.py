"""What an operator may name, and what is tried when the name is of nothing."""

from __future__ import annotations

import pytest

from changing import CLUSTER, GA, SHARD_A, SHARD_B, ref, route, rule
from draining import SENDING, ingress, key
from gwtui.changes.drains.needs import objects_needed
from gwtui.changes.drains.targets import parse_target
from gwtui.changes.drains.wish import Backend, DrainWish, Moved, OneProxy, Shard, cluster_of
from gwtui.errors import UsageError
from gwtui.model.ids import ProxyKey

TAKER = "infra/shard-b"


def parsed(text, source="", given=None):
    return parse_target((given or ingress())[0], CLUSTER, text, source=source)


def hint_of(text, **more):
    with pytest.raises(UsageError) as error:
        parsed(text, **more)
    return error.value.hint


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("infra/shard-a", Shard(SHARD_A)),
        ("infra/edge-x1", OneProxy(ProxyKey(CLUSTER, "infra", "edge-x1"))),
        ("infra/shop:infra/shard-a", Backend(key("HTTPRoute", "infra", "shop"), "infra/shard-a")),
        ("infra/shop:shard-a", Backend(key("HTTPRoute", "infra", "shop"), "infra/shard-a")),
        ("namespace/foo", Moved(SHARD_A, namespace="foo")),
        ("host/extra.example.com", Moved(SHARD_B, hostname="extra.example.com")),
    ],
)
def test_targets(text, target):
    assert parsed(text) == target
    assert cluster_of(target) == CLUSTER
    assert parsed(str(target)) == target


def test_kinds_are_tried_in_order():
    stream = route("pipe", rule("shard-a"), kind="TCPRoute")
    given = ingress(sending=[*SENDING, stream])
    assert parsed("infra/pipe:shard-a", given=given) == Backend(key("TCPRoute", "infra", "pipe"), "infra/shard-a")
    both = ingress(sending=[*SENDING, stream, route("pipe", rule("shard-a"), kind="GRPCRoute")])
    assert parsed("infra/pipe:shard-a", given=both) == Backend(key("GRPCRoute", "infra", "pipe"), "infra/shard-a")


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("infra/shard-c", "infra/shard-a"),
        ("infra/edge-x3", "infra/edge-x1"),
        ("infra/shpo:shard-a", "infra/shop"),
        ("infra/shop:shard-x", "infra/shard-a"),
        ("namespace/fo", "foo"),
        ("host/foo.exmple.com", "foo.example.com"),
        ("shard-a", "NS/GATEWAY"),
        ("/x", "NS/GATEWAY"),
        ("zzz/zzz", "infra/edge"),
    ],
)
def test_what_to_try_instead(text, near):
    assert near in hint_of(text)


def test_a_hostname_on_two_shards_needs_the_one_it_leaves():
    assert "--from" in hint_of("host/shop.example.com")
    assert parsed("host/shop.example.com", "infra/shard-a") == Moved(SHARD_A, hostname="shop.example.com")
    assert "infra/shard-a" in hint_of("host/shop.example.com", source="infra/shard-c")


def test_an_unknown_cluster():
    with pytest.raises(UsageError):
        parse_target(ingress()[0], "other", "infra/shard-a")


def needed(target, given=None, **more):
    snapshot, _ = given or ingress()
    return {f"{each.namespace}/{each.name}" for each in objects_needed(snapshot, DrainWish(target=target, **more))}


def test_what_has_to_be_read():
    assert needed(Shard(SHARD_A)) == {"infra/foo", "infra/bar", "infra/shop"}
    assert needed(Shard(SHARD_A), to=TAKER) == {
        *("infra/foo", "infra/bar", "infra/shop"),
        *("foo/web", "foo/shop", "bar/web"),
    }
    assert needed(Moved(SHARD_A, namespace="bar"), to=TAKER) == {"infra/bar", "bar/web"}
    assert needed(Backend(key("HTTPRoute", "infra", "shop"), "infra/shard-a")) == {"infra/shop"}
    assert not needed(OneProxy(ProxyKey(CLUSTER, "infra", "edge-x1")))


def test_delegated_routes_mirrors_and_failover_groups_have_to_be_read():
    child = {"group": GA, "kind": "HTTPRoute", "name": "child", "namespace": "infra"}
    mirror = {"type": "RequestMirror", "requestMirror": {"backendRef": {"name": "shard-a", "port": 8080}}}
    group = {"group": "gateway.kgateway.dev", "kind": "Backend", "name": "outer"}
    backends = [
        {
            "apiVersion": "gateway.kgateway.dev/v1alpha1",
            "kind": "Backend",
            "metadata": {"name": name, "namespace": "infra"},
            "spec": {"priorityGroups": [{"backendRefs": refs}]},
        }
        for name, refs in (("outer", [{**group, "name": "inner"}]), ("inner", [ref("shard-a"), ref("shard-b")]))
    ]
    sending = [
        route("top", {"backendRefs": [child]}),
        route("child", rule("shard-a"), parents=[], hosts=[]),
        route("copy", rule("shard-b", filters=[mirror])),
        route("over", {"backendRefs": [group]}),
    ]
    found = needed(Shard(SHARD_A), ingress(*backends, sending=sending))
    assert found == {"infra/child", "infra/copy", "infra/over", "infra/outer", "infra/inner"}
