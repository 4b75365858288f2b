"""Envoy's own matcher is asked, without a proxy or a backend being touched, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from gwtui.adapters.envoy.echoing import PLACE, echoing
from gwtui.adapters.envoy.inspector import EnvoyInspector
from gwtui.adapters.envoy.oracle import Oracle, Verdict, prove, target_of
from gwtui.adapters.envoy.scratch import Scratch, envoy_binary, plain_listener
from gwtui.engine.clock import SystemClock
from gwtui.errors import BadPayload, NotServed, Unreachable, UsageError
from gwtui.explain.loaded.answers import CannotTell, Loaded, Reply, Unrouted
from gwtui.explain.loaded.entrance import Entrance, entrance_of
from gwtui.explain.loaded.lookup import in_force, loaded_route, table_of
from gwtui.explain.request import Request
from gwtui.model.inspection import ConfigKind

PLAIN = Entrance(listener="listener~8080", port=8080, chain="", is_encrypted=False, manager={})
ANY = Request(method="GET", scheme="http", host="a.test", port=8080, path="/cart")


def table(*routes, domains=("*",), **more):
    return {
        "name": "listener~8080",
        "virtual_hosts": [{"name": "v", "domains": list(domains), "routes": list(routes)}],
        **more,
    }


CART = {
    "name": "cart",
    "match": {"prefix": "/cart"},
    "route": {
        "weighted_clusters": {"clusters": [{"name": "a", "weight": 9}, {"name": "b", "weight": 1}]},
        "retry_policy": {"retry_on": "5xx"},
        "timeout": "1s",
    },
    "request_headers_to_add": [{"header": {"key": "x-secret", "value": "s3cr3t"}}],
    "typed_per_filter_config": {"envoy.filters.http.lua": {"@type": "type.googleapis.com/none.known"}},
}
REST = {"name": "rest", "match": {"prefix": "/"}, "redirect": {"https_redirect": True}}


@pytest.fixture
def needs_envoy():
    try:
        return envoy_binary()
    except NotServed as error:
        pytest.skip(error.line())


def test_only_what_decides_is_kept_of_a_table():
    made = echoing({**table(CART, REST), "request_headers_to_add": [], "vhds": {}})
    assert made["virtual_hosts"][0]["routes"][1] == {
        "name": "rest",
        "match": {"prefix": "/"},
        "direct_response": {"status": 200},
        "response_headers_to_add": [{"header": {"key": PLACE, "value": "0/1"}}],
    }
    assert "s3cr3t" not in json.dumps(made)
    assert made.keys() == {"name", "virtual_hosts"}


@pytest.mark.parametrize(
    ("route", "words"),
    [
        (CART, "a 9, b 1"),
        (REST, "redirect"),
        ({"route": {"cluster": "c"}}, "c"),
        ({"direct_response": {"status": 500}}, "answer 500"),
        ({"filter_action": {}}, "something else"),
    ],
)
def test_what_a_route_does_in_few_words(route, words):
    assert target_of(route) == words


@pytest.mark.usefixtures("needs_envoy")
async def test_the_route_that_takes_a_request_is_told_with_what_it_does():
    async with Oracle(
        {"routes": (table(CART, REST, domains=["a.test"], ignore_port_in_host_matching=True), PLAIN)}
    ) as oracle:
        assert await oracle.ask(ANY) == Verdict(virtual_host="v", index=0, route="cart", target="a 9, b 1")
        assert (await oracle.ask(replace(ANY, path="/x", method="HEAD"))).route == "rest"
        assert (await oracle.ask(replace(ANY, method="POST", headers=(("connection", "close"),)))).route == "cart"
        assert await oracle.ask(replace(ANY, host="b.test")) == Verdict(status=404)
        with pytest.raises(UsageError):
            await oracle.ask(replace(ANY, method="CONNECT"))
        with pytest.raises(UsageError):
            await oracle.ask(replace(ANY, headers=(("x", "a\nb"),)))


@pytest.mark.usefixtures("needs_envoy")
async def test_requests_are_prepared_as_the_proxy_does():
    routes = [
        {"match": {"path": "/a", "headers": [{"name": ":scheme", "string_match": {"exact": "https"}}]}},
        {"match": {"path": "/a"}},
        {"match": {"path": "/a%2Fb"}},
    ]
    tables = {
        "plain": (table(*routes), PLAIN),
        "secure": (table(*routes, domains=["a.test"]), replace(PLAIN, is_encrypted=True, port=443)),
        "all": (
            table(*routes, domains=["a.test"]),
            replace(PLAIN, manager={"normalize_path": True, "merge_slashes": True, "strip_matching_host_port": True}),
        ),
    }
    tables["secure"][0]["virtual_hosts"][0]["require_tls"] = "ALL"
    async with Oracle(tables) as oracle:
        assert (await oracle.ask(replace(ANY, path="/b/../a"), "plain")).status == 404
        assert (await oracle.ask(replace(ANY, path="/a%2Fb"), "plain")).index == 2
        assert (await oracle.ask(replace(ANY, path="/b/..//a"), "all")).index == 1
        assert (await oracle.ask(replace(ANY, path="/a", port=9090), "all")).status == 404
        secure = replace(ANY, path="/a", scheme="https", port=None)
        assert (await oracle.ask(secure, "secure")).index == 0


@pytest.mark.usefixtures("needs_envoy")
async def test_a_proof_says_why_the_proxy_may_decide_otherwise():
    hidden = {"match": {"prefix": "/", "headers": [{"name": "authorization", "string_match": {"exact": "[redacted]"}}]}}
    canary = {
        "match": {"prefix": "/", "runtime_fraction": {"default_value": {"numerator": 1, "denominator": "MILLION"}}}
    }
    internal = {"match": {"prefix": "/"}, "route": {"cluster": "c"}}
    certified = {"match": {"prefix": "/", "tls_context": {"validated": True}}}
    own = {"match": {"prefix": "/", "headers": [{"name": "x-forwarded-for", "present_match": True}]}}
    proof = await prove(table(hidden, canary, own, internal, certified), PLAIN, ANY)
    assert proof.verdict is not None
    assert proof.verdict.target == "c"
    assert [text.partition(":")[0] for text in proof.doubts] == ["route 0", "route 1", "route 2"]
    assert not (await prove(table(CART), PLAIN, ANY)).doubts


@pytest.mark.usefixtures("needs_envoy")
@pytest.mark.parametrize(
    ("match", "words"),
    [
        ({"safe_regex": {"regex": "(?=a)"}}, "invalid perl operator"),
        ({"safe_regex": {"regex": ""}}, "RegexMatcher.Regex"),
        ({"prefix": "/", "of_a_newer_version": True}, "of_a_newer_version"),
    ],
)
async def test_routes_that_our_envoy_refuses_are_told_in_its_words(match, words):
    proof = await prove(table({"match": match}), PLAIN, ANY)
    assert proof.verdict is None
    assert words in proof.problem
    assert "\n" not in proof.problem


async def test_a_matcher_tree_is_not_tried():
    made = table(CART)
    made["virtual_hosts"][0]["matcher"] = {}
    proof = await prove(made, PLAIN, ANY)
    assert proof.verdict is None
    assert "matcher tree" in proof.problem


async def test_without_envoy_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "envoy", None)
    proof = await prove(table(CART), PLAIN, ANY)
    assert proof.verdict is None
    assert "gwtui[demo]" in proof.problem


@pytest.mark.parametrize("is_there", [True, False])
def test_an_envoy_on_the_path_will_do(monkeypatch, tmp_path, is_there):
    monkeypatch.setitem(sys.modules, "envoy", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    if not is_there:
        with pytest.raises(NotServed):
            envoy_binary()
        return
    (tmp_path / "envoy").write_text("")
    (tmp_path / "envoy").chmod(0o755)
    assert envoy_binary() == tmp_path / "envoy"


async def test_an_envoy_that_cannot_be_started_is_told_in_one_line(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "envoy", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "envoy").write_text("no program")
    (tmp_path / "envoy").chmod(0o755)
    proof = await prove(table(CART), PLAIN, ANY)
    assert "cannot be started" in proof.problem
    assert list(tmp_path.iterdir()) == [tmp_path / "envoy"]


async def test_what_a_running_proxy_holds_is_read_and_proved(start_delivered, admin_access, ask):
    envoy = await start_delivered()
    inspector = EnvoyInspector((admin_access,), SystemClock())
    listeners, routes = [
        in_force(await inspector.config(envoy.address, kind, deadline_s=10))
        for kind in (ConfigKind.LISTENER, ConfigKind.ROUTES)
    ]
    version = (await inspector.build(envoy.address, deadline_s=10)).version
    for request in (ANY, replace(ANY, method="POST", host="b.test")):
        found = loaded_route(listeners, routes, request, listener="listener~8080", version=version)
        assert isinstance(found, Loaded)
        assert (found.routes, found.domain, found.index, found.action) == ("listener~8080", "*", 1, Reply(status=204))
        entrance = entrance_of(listeners, request, listener="listener~8080")
        assert isinstance(entrance, Entrance)
        proof = await prove(table_of(entrance.manager, routes), entrance, request)
        assert proof.verdict == Verdict(virtual_host=found.virtual_host, index=found.index, target="answer 204")
        assert proof.doubts == ("route 0: it compares with a credential, which is not shown",)
        status, _ = await ask(envoy.ports[2], f"{request.method} {request.path}")
        assert status == found.action.status
    secret = replace(ANY, headers=(("x-api-key", "1"),))
    assert isinstance(loaded_route(listeners, routes, secret, listener="listener~8080"), CannotTell)
    secured = replace(ANY, scheme="https", port=None)
    assert isinstance(loaded_route(listeners, routes, secured, listener="listener~8443"), Loaded)
    assert isinstance(loaded_route(listeners, routes, ANY, listener="listener~8443"), Unrouted)


def leftovers(pid: int, directory: Path) -> list[str]:
    found = [str(directory)] if directory.exists() else []
    return found + ([f"process {pid}"] if psutil.pid_exists(pid) else [])


@pytest.mark.usefixtures("needs_envoy")
async def test_nothing_is_left_behind_when_it_is_cancelled():
    tables = {"t": plain_listener(echoing(table(CART)), {})}
    running: asyncio.Future[tuple[int, Path]] = asyncio.get_running_loop().create_future()

    async def hold() -> None:
        async with Scratch(tables) as envoy:
            running.set_result((envoy.pid, envoy.directory))
            await asyncio.Event().wait()

    task = asyncio.create_task(hold())
    pid, directory = await running
    assert psutil.pid_exists(pid)
    assert oct(directory.stat().st_mode)[-3:] == "700"
    assert not [each for each in psutil.Process(pid).net_connections("inet") if each.status == psutil.CONN_LISTEN]
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert leftovers(pid, directory) == []


@pytest.mark.usefixtures("needs_envoy")
async def test_nothing_is_left_behind_when_it_fails_or_ends():
    async with Scratch({"t": plain_listener(echoing(table(CART)), {})}) as envoy:
        pid, directory = envoy.pid, envoy.directory
        os.kill(pid, 9)
        with pytest.raises(Unreachable):
            await envoy.ask("t", "GET", "/", (), host="a")
    assert leftovers(pid, directory) == []
    refused = Scratch({"t": plain_listener({"name": "r", "virtual_hosts": [{}]}, {})})
    with pytest.raises(BadPayload):
        await refused.__aenter__()
    assert refused.directory is not None
    assert not refused.directory.exists()
