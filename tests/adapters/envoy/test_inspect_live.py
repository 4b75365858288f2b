"""What a real Envoy holds, delivered from files and with TLS certificates."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from delivered_envoy import CLUSTER, SECRET, AdminAccess, DeliveredEnvoy
from gwtui.adapters.envoy.inspector import EnvoyInspector
from gwtui.engine.clock import SystemClock
from gwtui.errors import NotServed, UsageError
from gwtui.model.inspection import BoundListener, ConfigKind, Inspection
from gwtui.model.known import Known, Unknown

CLOCK = SystemClock()
DELIVERED = {
    (ConfigKind.LISTENER, "listener~8080"),
    (ConfigKind.LISTENER, "listener~8443"),
    (ConfigKind.LISTENER, "listener~8444"),
    (ConfigKind.ROUTES, "listener~8080"),
    (ConfigKind.CLUSTER, CLUSTER),
    (ConfigKind.CLUSTER, "a.b+c"),
    (ConfigKind.CLUSTER, "a_b+c"),
}


@pytest.fixture
def inspector(admin_access: AdminAccess) -> EnvoyInspector:
    return EnvoyInspector((admin_access,), CLOCK)


async def until(read: Callable[[], Awaitable[Any]], holds: Callable[[Any], bool]) -> Any:
    """Read until what is read holds something; within 10 s."""
    async with asyncio.timeout(10):
        while not holds(found := await read()):
            await asyncio.sleep(0.05)
    return found


def digests(inspection: Inspection) -> dict[tuple[ConfigKind, str], str]:
    assert isinstance(inspection.config, Known), inspection.config
    return {(each.kind, each.name): each.digest for each in inspection.config.value}


async def test_everything_that_is_compared(start_delivered: Any, inspector: EnvoyInspector, admin_access: AdminAccess):
    envoy: DeliveredEnvoy = await start_delivered()
    before = datetime.now(UTC)
    seen = await inspector.inspect(envoy.address, deadline_s=10)
    assert isinstance(seen.build, Known)
    assert isinstance(seen.listeners, Known)
    assert isinstance(seen.certificates, Known)
    assert seen.build.value.version.startswith("1.")
    assert (seen.build.value.node_cluster, seen.build.value.concurrency) == ("gw.infra", 1)
    assert seen.build.value.flags["drain_time"] == "600s"
    assert set(digests(seen)) == DELIVERED
    assert isinstance(seen.config, Known)
    assert {each.version for each in seen.config.value} == {"l1", "r1", "c1"}
    assert not any(each.error or each.is_warming for each in seen.config.value)
    assert set(seen.listeners.value) == {
        BoundListener(name=name, address=f"127.0.0.1:{port}")
        for name, port in zip(
            ["static", "listener~8080", "listener~8443", "listener~8444"], envoy.ports[1:], strict=True
        )
    }
    own = [each for each in seen.certificates.value if not each.is_authority]
    assert [(each.path, each.names) for each in own] == [
        (str(envoy.folder / "cert.pem"), ("shop.example.com", "127.0.0.1")),
        ("<inline>", ("shop.example.com", "127.0.0.1")),
    ]
    assert len({each.serial for each in own}) == 1
    assert all(each.valid_from and each.expires_at and each.valid_from < before < each.expires_at for each in own)
    assert [each.path for each in seen.certificates.value if each.is_authority] == [str(envoy.folder / "ca.pem")]
    assert seen.questions == len(admin_access.asked) == 7
    assert 0 < seen.cost_ms < 10_000
    assert 100_000 < seen.cost_bytes < 200_000
    assert before <= seen.taken_at


async def test_replicas_that_differ_only_in_place_have_equal_digests_and_a_hidden_value_counts(
    start_delivered: Any, inspector: EnvoyInspector
):
    one: DeliveredEnvoy = await start_delivered()
    other: DeliveredEnvoy = await start_delivered()
    same = [one.listener("listener~8080", 2), one.listener("listener~8443", 3)]
    one.put("lds.json", "l2", *same)
    other.put("lds.json", "l2", other.listener("listener~8080", 2), other.listener("listener~8443", 3))

    async def read() -> list[dict[tuple[ConfigKind, str], str]]:
        return [digests(await inspector.inspect(each.address, deadline_s=10)) for each in (one, other)]

    await until(read, lambda found: all((ConfigKind.LISTENER, "listener~8444") not in each for each in found))
    first, second = await read()
    assert first == second
    other.put("rds.json", "r2", other.routes("0ther"))
    first, second = await until(read, lambda found: found[0] != found[1])
    assert dict(first.items() ^ second.items()).keys() == {(ConfigKind.ROUTES, "listener~8080")}
    bodies = [await inspector.config(each.address, ConfigKind.ROUTES, deadline_s=10) for each in (one, other)]
    assert bodies[0][1].body == bodies[1][1].body


async def test_credentials_are_hidden_that_envoy_shows(
    start_delivered: Any, inspector: EnvoyInspector, admin_access: AdminAccess
):
    envoy: DeliveredEnvoy = await start_delivered()
    path = "/config_dump?resource=dynamic_route_configs"
    raw = await admin_access.get(envoy.address.key, envoy.admin, path, deadline_s=5, max_bytes=10**6)
    assert f'"Bearer {SECRET}"'.encode() in raw.body
    assert f'"key-{SECRET}"'.encode() in raw.body
    found = []
    for kind in ConfigKind:
        found += await inspector.config(envoy.address, kind, deadline_s=5)
    text = msgspec.json.encode(found).decode()
    assert SECRET not in text
    assert "PRIVATE KEY" not in text
    (routes,) = [
        each for each in found if each.digest.name == "listener~8080" and each.digest.kind is ConfigKind.ROUTES
    ]
    (route, rest) = routes.body["virtual_hosts"][0]["routes"]
    assert route["request_headers_to_add"] == [
        {"header": {"key": "x-shop", "value": "cart"}},
        {"header": {"key": "Authorization", "value": "[redacted]"}},
    ]
    assert route["match"]["headers"] == [{"name": "x-api-key", "string_match": {"exact": "[redacted]"}}]
    assert rest["direct_response"] == {"status": 204}
    assert {(each.digest.kind, each.digest.name, each.is_static) for each in found} == {
        *((kind, name, False) for kind, name in DELIVERED),
        (ConfigKind.LISTENER, "static", True),
        (ConfigKind.ROUTES, "", True),
        (ConfigKind.CLUSTER, "nobody", True),
        (ConfigKind.SECRET, "session", True),
        (ConfigKind.SECRET, "shop", False),
    }
    assert all(each.updated_at for each in found if each.digest.kind is not ConfigKind.SECRET)


@pytest.mark.parametrize(
    ("kind", "name"), [*sorted(DELIVERED), (ConfigKind.CLUSTER, "nobody"), (ConfigKind.SECRET, "session")]
)
async def test_one_resource_by_its_name(
    start_delivered: Any, inspector: EnvoyInspector, admin_access: AdminAccess, kind: ConfigKind, name: str
):
    envoy: DeliveredEnvoy = await start_delivered()
    everything = await inspector.config(envoy.address, kind, deadline_s=5)
    assert await inspector.config(envoy.address, kind, deadline_s=5, name=name) == tuple(
        each for each in everything if each.digest.name == name
    )
    assert len([each for each in everything if each.digest.name == name]) == 1
    assert await inspector.config(envoy.address, kind, deadline_s=5, name=name + "x") == ()
    assert "name_regex" in admin_access.asked[-1]


async def test_refused_updates_say_why_even_those_of_which_nothing_is_held(
    start_delivered: Any, inspector: EnvoyInspector
):
    envoy: DeliveredEnvoy = await start_delivered()
    held = digests(await inspector.inspect(envoy.address, deadline_s=10))
    refused = {**envoy.listener("listener~8080", 2), "filter_chains": []}
    new = {**envoy.listener("listener~new", 2), "filter_chains": []}
    envoy.put("lds.json", "l2", refused, *envoy.listeners()[1:], new)
    seen = await until(
        lambda: inspector.inspect(envoy.address, deadline_s=10), lambda found: any(e.error for e in found.config.value)
    )
    errors = {each.name: each.error for each in seen.config.value if each.error}
    assert errors.keys() == {"listener~8080", "listener~new"}
    assert all("no filter chains specified" in error for error in errors.values())
    now = digests(seen)
    assert now == {**held, (ConfigKind.LISTENER, "listener~new"): ""}
    (one,) = await inspector.config(envoy.address, ConfigKind.LISTENER, name="listener~new", deadline_s=5)
    assert (one.body, one.updated_at, one.digest.error) == ({}, None, errors["listener~new"])
    envoy.put("lds.json", "l3", *envoy.listeners())
    await until(
        lambda: inspector.inspect(envoy.address, deadline_s=10),
        lambda found: not any(each.error for each in found.config.value),
    )


async def test_what_waits_is_told_apart(start_delivered: Any, inspector: EnvoyInspector):
    envoy: DeliveredEnvoy = await start_delivered()
    envoy.put("cds.json", "c2", *envoy.clusters(), envoy.waiting_cluster("waiting"))
    source = envoy.waiting_cluster("x")["eds_cluster_config"]["eds_config"]
    late = envoy.listener(
        "listener~late", 3, {"tls_certificate_sds_secret_configs": [{"name": "n", "sds_config": source}]}
    )
    late["address"]["socket_address"]["address"] = "127.0.0.2"
    envoy.put("lds.json", "l2", *envoy.listeners(), late)

    async def waiting() -> set[tuple[ConfigKind, str]]:
        found = []
        for kind in ConfigKind:
            found += await inspector.config(envoy.address, kind, deadline_s=5)
        return {(each.digest.kind, each.digest.name) for each in found if each.digest.is_warming}

    expected = {(ConfigKind.CLUSTER, "waiting"), (ConfigKind.LISTENER, "listener~late"), (ConfigKind.SECRET, "n")}
    await until(waiting, lambda found: found == expected)
    seen = await inspector.inspect(envoy.address, deadline_s=10)
    assert isinstance(seen.config, Known)
    compared = {(each.kind, each.name) for each in seen.config.value if each.is_warming}
    assert compared == expected - {(ConfigKind.SECRET, "n")}


async def test_endpoints_with_their_troubles(
    start_delivered: Any, inspector: EnvoyInspector, admin_access: AdminAccess
):
    envoy: DeliveredEnvoy = await start_delivered()
    every = await inspector.upstreams(envoy.address, deadline_s=5)
    assert [each.name for each in every] == sorted(["a.b+c", "a_b+c", CLUSTER, "nobody"])
    cart = next(each for each in every if each.name == CLUSTER)
    assert cart.is_from_control_plane
    assert cart.limits["max_retries"] == 3
    assert [(each.address, each.weight, each.zone, each.troubles) for each in cart.endpoints] == [
        ("127.0.0.1:1", 1, "eu-1", ()),
        ("127.0.0.1:2", 2, "eu-1", ("eds_draining",)),
        ("127.0.0.1:3", 3, "eu-1", ("eds_unhealthy",)),
        ("127.0.0.1:4", 4, "eu-1", ("eds_degraded",)),
        ("127.0.0.1:5", 5, "eu-1", ("eds_unhealthy",)),
    ]
    assert next(each for each in every if each.name == "nobody").endpoints[0].address.endswith("nobody.sock")
    assert "filter" not in admin_access.asked[-1]
    some = await inspector.upstreams(envoy.address, deadline_s=5, names=["a.b+c", "nobody"])
    assert [each.name for each in some] == ["a.b+c", "nobody"]
    whole = await admin_access.get(
        envoy.address.key, envoy.admin, "/clusters?format=json", deadline_s=5, max_bytes=10**6
    )
    part = await admin_access.get(envoy.address.key, envoy.admin, admin_access.asked[-2], deadline_s=5, max_bytes=10**6)
    assert len(part.body) < len(whole.body) / 1.5
    many = await inspector.upstreams(envoy.address, deadline_s=5, names=[CLUSTER, *("x" * 50 for _ in range(200))])
    assert [each.name for each in many] == [CLUSTER]


async def test_statistics_by_pattern(start_delivered: Any, inspector: EnvoyInspector, drive: Any):
    envoy: DeliveredEnvoy = await start_delivered()
    await drive(envoy.ports[2], "/", count=12)
    seen = await inspector.statistics(
        envoy.address, r"^http\.http\.(downstream_rq_total|rds\..+\.version_text)$", deadline_s=5
    )
    assert {each.name: each.value for each in seen} == {
        "http.http.downstream_rq_total": 12,
        "http.http.rds.listener~8080.version_text": "r1",
    }
    latency = await until(
        lambda: inspector.statistics(envoy.address, r"^http\.http\.downstream_rq_time$", deadline_s=5),
        lambda found: found and found[0].detail != "nothing recorded",
    )
    assert latency[0].value is None
    assert latency[0].detail.startswith("p50 ")
    assert latency[0].detail.endswith(" ms")
    everything = await inspector.statistics(envoy.address, "", deadline_s=5)
    assert len(everything) > 100
    assert [each.name for each in everything] == sorted(each.name for each in everything)


@pytest.mark.parametrize("pattern", ["(", "(?!x)", "a**", "[", "é(\n"])
async def test_a_pattern_envoy_refuses_is_the_users_and_told_in_its_words(
    start_delivered: Any, inspector: EnvoyInspector, pattern: str
):
    envoy: DeliveredEnvoy = await start_delivered()
    with pytest.raises(UsageError, match="Invalid re2 regex: ") as caught:
        await inspector.statistics(envoy.address, pattern, deadline_s=5)
    assert caught.value.message.isprintable()
    assert caught.value.hint


async def test_pages_that_are_not_allowed_are_not_offered_and_others_are(
    start_delivered: Any, inspector: EnvoyInspector
):
    envoy: DeliveredEnvoy = await start_delivered(r"^/(clusters|listeners)(\?.*)?$")
    seen = await inspector.inspect(envoy.address, deadline_s=10)
    assert isinstance(seen.listeners, Known)
    for part, page in (
        (seen.build, "/server_info"),
        (seen.certificates, "/certs"),
        (seen.config, "/config_dump?resource=dynamic_listeners"),
    ):
        assert isinstance(part, Unknown)
        assert page in part.reason
        assert "not allowed" in part.reason
    assert len(await inspector.upstreams(envoy.address, deadline_s=5, names=[CLUSTER])) == 1
    for asked in (
        inspector.certificates(envoy.address, deadline_s=5),
        inspector.build(envoy.address, deadline_s=5),
        inspector.config(envoy.address, ConfigKind.SECRET, deadline_s=5),
        inspector.statistics(envoy.address, "x", deadline_s=5),
    ):
        with pytest.raises(NotServed) as caught:
            await asked
        assert "allow_paths" in caught.value.hint


async def test_nothing_allowed_is_a_failure(start_delivered: Any, inspector: EnvoyInspector):
    envoy: DeliveredEnvoy = await start_delivered("^/ready$")
    with pytest.raises(NotServed):
        await inspector.inspect(envoy.address, deadline_s=10)
