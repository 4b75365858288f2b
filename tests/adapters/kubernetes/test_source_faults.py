"""What a kind's source makes of every way a server can fail."""

from __future__ import annotations

import asyncio
import socket
from contextlib import AsyncExitStack

from aiohttp import web

from gwtui.model.observations import KindChanged, KindListed, SourceReported

SERVICES = "/api/v1/services"


def listed(count):
    return lambda reading: sum(isinstance(seen, KindListed) for seen in reading.seen) >= count


def ready(reading):
    return reading.state() == "ready"


def names(reading):
    return sorted(name for _, name in reading.objects)


async def eventually(condition):
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


async def stream(request, *chunks):
    response = web.StreamResponse()
    await response.prepare(request)
    for chunk in chunks:
        await response.write(chunk)
    return response


async def test_pages_are_joined_into_one_list(api, services_of):
    for index in range(1201):
        api.put(SERVICES, "shop", f"svc-{index:04}")
    async with services_of(api.url) as reading:
        await reading.until(ready)
    assert len(reading.objects) == 1201
    assert [request.query.get("continue") for request in api.asked(path=SERVICES, watch=False)] == [
        None,
        "500-token",
        "1000-token",
    ]


async def test_an_expired_continue_token_starts_the_list_again(api, services_of, refuse):
    for index in range(600):
        api.put(SERVICES, "shop", f"svc-{index}")

    async def expired(_request):
        return refuse(410, "The provided continue parameter is too old", "Expired")

    seen = []

    def second_page(request):
        seen.append(request.query.get("continue"))
        return seen[-1] == "500-token" and seen.count("500-token") == 1

    api.fault(expired)
    api.faults[-1].matches = second_page
    async with services_of(api.url) as reading:
        await reading.until(ready)
    assert len(reading.objects) == 600
    assert len(api.asked(path=SERVICES, watch=False)) == 4
    assert [seen.state for seen in (r.health for r in reading.seen if isinstance(r, SourceReported))] == [
        "loading",
        "ready",
    ]


async def test_410_on_a_watch_lists_again_and_drops_what_is_gone(api, services_of):
    api.put(SERVICES, "shop", "cart")
    api.put(SERVICES, "shop", "old")
    async with services_of(api.url) as reading:
        await reading.until(ready)
        api.delete(SERVICES, "shop", "old")
        await reading.until(lambda r: names(r) == ["cart"])

        async def expired(request):
            api.compact()
            event = b'{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}}\n'
            return await stream(request, event)

        api.fault(expired, watch=True)
        api.drop_watches()
        await reading.until(listed(2))
        api.put(SERVICES, "shop", "new")
        await reading.until(lambda r: names(r) == ["cart", "new"])
    assert reading.state() == "ready"


async def test_410_as_status_of_the_watch_lists_again(api, services_of):
    api.put(SERVICES, "shop", "cart")
    async with services_of(api.url) as reading:
        await reading.until(ready)
        api.put("/api/v1/pods", "shop", "unrelated")
        api.compact()
        api.drop_watches()
        await reading.until(listed(2))
        assert names(reading) == ["cart"]


async def test_a_clean_end_resumes_from_the_last_version_without_listing(api, services_of):
    api.put(SERVICES, "shop", "cart")
    async with services_of(api.url) as reading:
        await reading.until(ready)
        api.put(SERVICES, "shop", "search")
        await reading.until(lambda r: names(r) == ["cart", "search"])
        api.drop_watches()
        await eventually(lambda: len(api.asked(watch=True)) == 2)
        assert api.asked(watch=True)[1].query["resourceVersion"] == str(api.version)
        api.put(SERVICES, "shop", "checkout")
        await reading.until(lambda r: names(r) == ["cart", "checkout", "search"])
    assert len(api.asked(path=SERVICES, watch=False)) == 1
    assert api.asked(watch=True)[0].query["allowWatchBookmarks"] == "true"
    assert 240 <= int(api.asked(watch=True)[0].query["timeoutSeconds"]) <= 480


async def test_a_server_that_ends_every_watch_is_asked_ever_more_slowly(api, services_of, clock):
    async def end(request):
        return await stream(request)

    api.fault(end, watch=True, times=1000)
    async with services_of(api.url) as reading:
        await reading.until(lambda r: r.state() == "stale", deadline_s=10)
        span = clock.mono()
    # 0.2 s doubling with jitter reaches a pause of 2 s after at most five streams.
    assert len(api.asked(watch=True)) <= 6, span
    assert "ends the watch" in reading.health["services"].detail


async def test_a_bookmark_advances_the_version(api, services_of):
    async def bookmark(request):
        return await stream(request, b'{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"4711"}}}\n')

    api.fault(bookmark, watch=True)
    async with services_of(api.url) as reading:
        await reading.until(ready)
        await eventually(lambda: len(api.asked(watch=True)) == 2)
    assert api.asked(watch=True)[1].query["resourceVersion"] == "4711"


async def test_html_in_place_of_the_api_is_a_failure_and_recovers(api, services_of):
    async def page(_request):
        return web.Response(status=502, text="<html>Bad Gateway</html>", content_type="text/html")

    api.fault(page, path=SERVICES, watch=False)
    async with services_of(api.url) as reading:
        await reading.until(lambda r: r.state() == "failed")
        health = reading.health["services"]
        assert "502" in health.detail
        assert "proxy" in health.hint
        await reading.until(ready)


async def test_html_with_status_200_is_not_an_empty_list(api, services_of):
    async def page(_request):
        return web.Response(text="<html>sign in</html>", content_type="text/html")

    api.fault(page, path=SERVICES, watch=False)
    async with services_of(api.url) as reading:
        await reading.until(lambda r: r.state() == "failed")
        assert "not a Kubernetes list" in reading.health["services"].detail
        assert not listed(1)(reading)
        await reading.until(ready)


async def test_garbage_on_a_watch_makes_it_stale_and_keeps_the_objects(api, services_of):
    api.put(SERVICES, "shop", "cart")

    async def garbage(request):
        return await stream(request, b"<html>502</html>\n")

    async with services_of(api.url) as reading:
        await reading.until(ready)
        api.fault(garbage, watch=True)
        api.drop_watches()
        await reading.until(lambda r: r.state() == "stale")
        assert names(reading) == ["cart"]
        assert "not a watch event" in reading.health["services"].detail
        await reading.until(ready)
    assert len(api.asked(path=SERVICES, watch=False)) == 1


async def test_an_event_cut_in_the_middle_is_not_lost(api, services_of):
    async def cut(request):
        return await stream(request, b'{"type":"ADDED","object":{"metadata":{"name":"ca')

    async with services_of(api.url) as reading:
        await reading.until(ready)
        api.fault(cut, watch=True)
        api.drop_watches()
        api.put(SERVICES, "shop", "cart")
        await reading.until(lambda r: names(r) == ["cart"])
    reports = [seen.health for seen in reading.seen if isinstance(seen, SourceReported)]
    assert [health.state.value for health in reports] == ["loading", "ready", "stale", "ready"]
    assert "inside an event" in reports[2].detail


async def test_a_connection_that_dies_is_stale_then_resumes(api, services_of):
    api.put(SERVICES, "shop", "cart")

    async def reset(request):
        response = await stream(request, b"")
        request.transport.abort()
        return response

    async with services_of(api.url) as reading:
        await reading.until(ready)
        api.fault(reset, watch=True)
        api.drop_watches()
        await reading.until(lambda r: r.state() == "stale")
        await reading.until(ready)


async def test_a_list_that_hangs_is_given_up(api, services_of, monkeypatch):
    monkeypatch.setattr("gwtui.adapters.kubernetes.follow.PAGE_DEADLINE_S", 0.2)

    async def hang(_request):
        await asyncio.sleep(60)

    api.fault(hang, path=SERVICES, watch=False)
    async with services_of(api.url) as reading:
        await reading.until(lambda r: r.state() == "failed")
        assert "no answer in time" in reading.health["services"].detail
        await reading.until(ready)


async def test_a_refused_connection_names_the_host(services_of):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        async with services_of(f"http://127.0.0.1:{port}") as reading:
            await reading.until(lambda r: r.state() == "failed")
    health = reading.health["services"]
    assert health.detail.startswith(f"lab (127.0.0.1:{port}): cannot connect")
    assert health.hint


async def test_403_names_the_right_and_is_asked_again_slowly(api, services_of, refuse, clock):
    async def forbidden(_request):
        return refuse(403, 'services is forbidden: User "jane" cannot list', "Forbidden")

    api.fault(forbidden, path=SERVICES)
    async with services_of(api.url) as reading:
        await reading.until(lambda r: r.state() == "forbidden")
        began = clock.mono()
        health = reading.health["services"]
        assert 'User "jane" cannot list' in health.detail
        assert health.hint == "grant list on services cluster-wide"
        await reading.until(ready)
        assert clock.mono() - began >= 29


async def test_a_refused_watch_is_polled_and_says_so(api, services_of, refuse):
    async def forbidden(_request):
        return refuse(403, "cannot watch", "Forbidden")

    api.put(SERVICES, "shop", "cart")
    api.fault(forbidden, path=SERVICES, watch=True, times=3)
    async with services_of(api.url) as reading:
        await reading.until(listed(3))
        assert names(reading) == ["cart"]
        states = [seen.health.state.value for seen in reading.seen if isinstance(seen, SourceReported)]
        assert states == ["loading", "ready", "forbidden"]
        assert reading.health["services"].hint == "grant watch on services cluster-wide"
        await reading.until(ready)


async def test_a_kind_that_is_not_served_is_found_when_it_is_installed_later(api, services_of):
    plurals = api.served["/api/v1"]
    plurals.remove("services")
    async with services_of(api.url) as reading:
        await reading.until(lambda r: r.state() == "not served")
        assert "services is not served in v1" in reading.health["services"].detail
        plurals.append("services")
        await reading.until(ready, deadline_s=10)


async def test_429_waits_as_long_as_asked(api, services_of, refuse, clock):
    async def busy(_request):
        response = refuse(429, "storage is (re)initializing", "TooManyRequests")
        response.headers["Retry-After"] = "7"
        return response

    api.fault(busy, path=SERVICES, watch=False)
    async with services_of(api.url) as reading:
        await reading.until(lambda r: r.state() == "failed")
        began = clock.mono()
        assert "wait 7 s" in reading.health["services"].hint
        await reading.until(ready)
        assert clock.mono() - began >= 7


async def test_one_bad_object_costs_only_itself(api, services_of):
    api.put(SERVICES, "shop", "good")
    api.put(SERVICES, "shop", "bad", spec={"ports": "eighty"})
    api.put(SERVICES, "shop", "nulls", spec={"ports": None, "selector": None})
    async with services_of(api.url) as reading:
        await reading.until(ready)
        assert names(reading) == ["good", "nulls"]
        (entry,) = reading.health["services"].undecodable
        assert entry.startswith("shop/bad: ")
        assert "array" in entry
        api.put(SERVICES, "shop", "bad", spec={"ports": [{"port": 80}]})
        await reading.until(lambda r: not r.health["services"].undecodable)
        assert names(reading) == ["bad", "good", "nulls"]
        api.put(SERVICES, "shop", "good", spec=[])
        await reading.until(lambda r: r.health["services"].undecodable)
        assert names(reading) == ["bad", "nulls"]
        api.delete(SERVICES, "shop", "good")
        await reading.until(lambda r: not r.health["services"].undecodable)


async def test_a_burst_becomes_few_observations(api, services_of):
    async with services_of(api.url) as reading:
        await reading.until(ready)
        for index in range(2000):
            api.put(SERVICES, "shop", f"svc-{index % 100}", metadata={"generation": index})
        await reading.until(lambda r: len(r.objects) == 100 and r.objects["shop", "svc-99"].metadata.generation == 1999)
    assert sum(isinstance(seen, KindChanged) for seen in reading.seen) < 100


async def test_named_namespaces_are_read_one_by_one(api, services_of):
    for namespace in ("red", "green", "blue"):
        api.put(SERVICES, namespace, "cart")
    async with services_of(api.url, namespaces=("red", "blue")) as reading:
        await reading.until(lambda r: r.state("services@red") == r.state("services@blue") == "ready")
        assert sorted(reading.objects) == [("blue", "cart"), ("red", "cart")]
        api.delete(SERVICES, "red", "cart")
        api.put(SERVICES, "green", "search")
        api.put(SERVICES, "blue", "search")
        await reading.until(lambda r: sorted(r.objects) == [("blue", "cart"), ("blue", "search")])
    assert not api.asked(path=SERVICES)


async def test_without_cluster_wide_rights_the_namespace_of_the_context_is_read(api, services_of, refuse):
    api.put(SERVICES, "team", "cart")
    api.put(SERVICES, "other", "secret")

    async def forbidden(_request):
        return refuse(403, "cannot list resource services at the cluster scope", "Forbidden")

    api.fault(forbidden, path=SERVICES, times=2)
    async with services_of(api.url, namespace="team") as reading:
        await reading.until(lambda r: r.state("services@team") == "ready" and r.state() == "partial")
        assert sorted(reading.objects) == [("team", "cart")]
        assert reading.health["services"].detail.startswith("namespace team only")
        assert "refused" in reading.health["services@team"].detail
        await reading.until(ready)
        assert sorted(reading.objects) == [("other", "secret"), ("team", "cart")]


async def test_old_discovery_is_understood(api, services_of):
    api.aggregated = False
    api.put(SERVICES, "shop", "cart")
    async with services_of(api.url) as reading:
        await reading.until(ready)
    assert names(reading) == ["cart"]


async def test_a_dead_server_breaks_open_watches_at_once(api, open_cluster, read):
    """After sleep or a lost VPN a watch is silent, not closed; the API server's own source notices."""
    from gwtui.adapters.kubernetes.kinds import SERVICES as KIND  # noqa: PLC0415

    async def silent(request):
        response = await stream(request, b"")
        await asyncio.sleep(60)
        return response

    async def broken(_request):
        return web.Response(status=500, text="no")

    api.fault(silent, watch=True)
    async with open_cluster(api.url, (KIND,)) as cluster:
        health, services = cluster.sources()
        async with read(services) as reading, read(health) as api_reading:
            await reading.until(ready)
            await api_reading.until(ready)
            assert "v1.32.0-test" in api_reading.health["api"].detail
            api.fault(broken, path="/version", times=2)
            await reading.until(lambda r: r.state() == "stale")
            await reading.until(ready)
            await api_reading.until(ready)


async def test_kinds_that_are_not_served_do_not_ask_discovery_each(api, open_cluster, read, clock):
    clock.pace = 500.0
    api.served["/api/v1"] = ["pods"]
    api.served.pop("/apis/discovery.k8s.io/v1")
    async with open_cluster(api.url) as cluster, AsyncExitStack() as stack:
        readings = [await stack.enter_async_context(read(source)) for source in cluster.sources()[1:]]
        for reading in readings:
            await reading.until(lambda r: r.state() in ("ready", "not served"))
        await eventually(lambda: clock.mono() > 300)
        states = sorted(reading.state() for reading in readings)
    assert states == ["not served"] * 5 + ["ready"]
    # Once at the start and once a minute, however many kinds wait for it.
    assert 3 <= len(api.asked(path="/apis")) <= 8


async def test_a_crd_that_is_removed_and_installed_again_is_followed(api, services_of):
    api.put(SERVICES, "shop", "cart")
    async with services_of(api.url) as reading:
        await reading.until(ready)
        api.served["/api/v1"].remove("services")
        api.drop_watches()
        await reading.until(lambda r: r.state() == "not served")
        api.served["/api/v1"].append("services")
        await reading.until(ready, deadline_s=10)


async def test_401_is_no_reason_to_fall_back_to_a_namespace(api, services_of, refuse):
    async def who(_request):
        return refuse(401, "Unauthorized", "Unauthorized")

    api.fault(who, path=SERVICES, times=2)
    async with services_of(api.url, namespace="team") as reading:
        await reading.until(lambda r: r.state() == "forbidden")
        assert "showing" not in reading.health["services"].detail
        await reading.until(ready)
    assert not api.asked(path="/api/v1/namespaces/team")


async def test_a_dead_discovery_is_asked_once_for_all_kinds(api, open_cluster, read, clock):
    clock.pace = 1.0

    async def broken(_request):
        await asyncio.sleep(0.05)
        return web.Response(status=500, text="no")

    api.fault(broken, path="/api", times=100)
    async with open_cluster(api.url) as cluster, AsyncExitStack() as stack:
        readings = [await stack.enter_async_context(read(source)) for source in cluster.sources()[1:]]
        for reading in readings:
            await reading.until(lambda r: r.state() == "failed")
        # The shortest pause before a second round is 0.1 s.
        assert len(api.asked(path="/api")) <= 2
