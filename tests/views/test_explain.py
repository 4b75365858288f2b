"""An explanation in words and as a document."""

from __future__ import annotations

import pytest

import golden
from gwtui.explain.course import Outcome
from gwtui.views.explain import explanation_lines
from gwtui.views.explain_document import explanation_document
from gwtui.views.explain_verdict import verdict_of_all
from gwtui.views.spans import plain, width
from tests.explain.clusters import (
    GA,
    Json,
    app,
    explain,
    gateway,
    listener,
    path,
    policy,
    route,
    rule,
    service,
    to,
    view,
)

LINE = "GET 'https://shop.example.com/cart/42?x=1' -H 'x-canary: 1'"


def fleet() -> list[Json | list[Json]]:
    """A central ingress that splits a host over two shards, of which one does not know it."""
    canary = {**path("/cart"), "headers": [{"name": "x-canary", "value": "1"}]}
    cut = {"type": "URLRewrite", "urlRewrite": {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}}}
    secure = listener(
        "https",
        443,
        "HTTPS",
        hostname="*.example.com",
        tls={"certificateRefs": [{"name": "shop"}], "mode": "Terminate"},
    )
    door = service("infra", "edge", 443, labels={f"{GA}/gateway-name": "edge"}, type="LoadBalancer")
    return [
        [
            gateway("edge", secure)[0],
            {**door, "status": {"loadBalancer": {"ingress": [{"hostname": "edge.elb.test"}]}}},
        ],
        gateway("shard-a"),
        gateway("shard-b"),
        app("foo", "cart", 2, 3, port=8080),
        route(
            "infra",
            "edge-routes",
            ["edge"],
            rule(path("/cart"), to=[to("shard-b")]),
            rule(path("/search"), to=[to("shard-b")]),
            rule(canary, to=[to("shard-a", 90), to("shard-b", 10)]),
            hosts=["shop.example.com"],
        ),
        route("infra", "default", ["edge"], rule(path("/"), to=[to("shard-b")]), hosts=["shop.example.com"]),
        route(
            "foo",
            "cart",
            ["shard-a"],
            rule(path("/cart"), to=[to("cart", port=8080)], filters=[cut], name="cart"),
            hosts=["shop.example.com"],
        ),
        policy("foo", "login", {"group": GA, "kind": "HTTPRoute", "name": "cart"}, extAuth={}),
    ]


def test_the_document_of_an_explanation() -> None:
    golden.check("explain/split.json", explanation_document(explain(view(*fleet()), LINE)))


@pytest.mark.parametrize("cells", [140, 76])
def test_an_explanation_in_words(cells: int) -> None:
    lines = explanation_lines(explain(view(*fleet()), LINE), cells)
    assert max(map(width, lines)) <= cells
    golden.check(f"explain/split-{cells}.txt", "\n".join(plain(each).rstrip() for each in lines) + "\n")


def test_what_cannot_be_told_is_null_with_a_reason() -> None:
    odd = path("/(?=a).*", "RegularExpression")
    document = explanation_document(
        explain(
            view(gateway("edge"), route("foo", "r", ["edge"], rule(odd, to=[to("gone")]), hosts=["a.test"])),
            "a.test/a",
        )
    )
    (hop,) = document["hops"]
    assert (hop["winner"], document["outcome"], document["is_well"]) == (None, "unknown", False)
    assert "cannot be told" in hop["unknown"]["winner"]


def test_nothing_to_enter_by_is_a_document_too() -> None:
    found = explain(view(), "a.test")
    document = explanation_document(found)
    assert (document["hops"], document["outcome"]) == ([], "wrong")
    assert document["verdict"] == "there is no gateway that clients can enter by"
    assert "nothing takes this request" in "\n".join(map(plain, explanation_lines(found, 80)))


def test_a_gateway_that_gives_up_first_is_marked() -> None:
    found = view(
        gateway("edge"),
        gateway("shard"),
        app("foo", "app"),
        route("infra", "front", ["edge"], rule(path("/"), to=[to("shard")]), hosts=["a.test"]),
        route("foo", "r", ["shard"], rule(path("/"), to=[to("app")], timeouts={"request": "1m"}), hosts=["a.test"]),
    )
    told = "\n".join(map(plain, explanation_lines(explain(found, "a.test"), 120)))
    assert "timeout 60 s (timeouts.request)  ▲ infra/edge gives up after 15 s already" in told


def test_the_worst_of_several_front_doors_is_the_verdict() -> None:
    found = view(
        gateway("a"),
        gateway("b"),
        app("foo", "app"),
        route("foo", "good", ["a"], rule(path("/"), to=[to("app")]), hosts=["a.test"]),
        route("foo", "bad", ["b"], rule(path("/"), to=[to("gone")]), hosts=["a.test"]),
    )
    told = verdict_of_all(explain(found, "a.test"))
    assert told.outcome is Outcome.WRONG
    assert told.sentence == "all of these requests get 500: Service foo/gone does not exist"
    assert told.fix == "create Service foo/gone, or let rule 0 of foo/bad name another"
