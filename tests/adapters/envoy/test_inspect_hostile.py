"""Pages that are answered badly, on real sockets, read through the real way in."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import time
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bad_servers import OK, Write, dripping, listening, sending, silent, with_length
from gwtui.adapters.envoy.inspector import CERTIFICATES_BYTES, EnvoyInspector
from gwtui.engine.clock import SystemClock
from gwtui.errors import BadPayload, Denied, NotServed, SourceError, Unreachable
from gwtui.model.ids import ProxyKey
from gwtui.model.inspection import ConfigKind
from gwtui.model.known import Known, Unknown
from gwtui.ports import ProxyAddress
from static_access import static_access

GOLDEN = Path(__file__).parents[2] / "golden" / "envoy"
KEY = ProxyKey("static", "", "edge-1")
ADDRESS = ProxyAddress(KEY, stats_port=9091)


def golden(name: str) -> bytes:
    return (GOLDEN / f"{name}-1.40.in.json").read_bytes()


CERTS = golden("certs")


def page(body: bytes) -> Write:
    return sending(with_length(body))


async def endless(writer: asyncio.StreamWriter) -> None:
    writer.write(OK + b"content-length: 500000000\r\n\r\n" + b'{"certificates":[')
    for _ in range(7000):
        writer.write(b" " * 65_536)
        await writer.drain()


async def resetting(writer: asyncio.StreamWriter) -> None:
    writer.write(with_length(CERTS[:500], promised=len(CERTS)))
    await writer.drain()
    writer.transport.abort()


GOOD = {
    "/server_info": page(golden("server-info")),
    "/listeners": page(golden("listeners")),
    "/certs": page(CERTS),
    "/config_dump?resource=dynamic_listeners": page(golden("config-dynamic-listeners")),
    "/config_dump?resource=dynamic_route_configs": page(golden("config-dynamic-route-configs")),
    "/config_dump?resource=dynamic_active_clusters": page(golden("config-dynamic-active-clusters")),
    "/stats": page(b'{"stats":[{"name":"cluster_manager.warming_clusters","value":1}]}'),
    "/config_dump?resource=dynamic_warming_clusters": page(golden("config-dynamic-warming-clusters")),
}


@contextlib.asynccontextmanager
async def inspecting(pages: dict[str, Write], *, otherwise: Write | None = None) -> AsyncIterator[EnvoyInspector]:
    """An inspector of a server that answers these pages, one connection each."""

    def answer_to(head: bytes) -> Write:
        target = head.split(b" ")[1].decode()
        write = pages.get(target) or pages.get(urlsplit(target).path) or otherwise
        assert write is not None, target
        return write

    async with listening(answer_to) as base:
        access = static_access({KEY: base})
        yield EnvoyInspector((access,), SystemClock())
        await access.close()


async def failure(write: Write, *, deadline_s: float = 2.0) -> SourceError:
    async with inspecting({"/certs": write}) as inspector:
        with pytest.raises(SourceError) as caught:
            await inspector.certificates(ADDRESS, deadline_s=deadline_s)
    assert caught.value.line().isprintable()
    assert caught.value.hint
    return caught.value


async def test_a_good_server_is_read():
    async with inspecting(GOOD) as inspector:
        seen = await inspector.inspect(ADDRESS, deadline_s=5)
    assert isinstance(seen.config, Known)
    assert (len(seen.config.value), seen.questions) == (8, 8)


def answering(status: bytes, body: bytes = b"") -> Write:
    return sending(with_length(body, head=b"HTTP/1.1 " + status + b"\r\n"))


@pytest.mark.parametrize(
    ("write", "kind"),
    [
        (page(CERTS[:500]), BadPayload),
        (sending(with_length(CERTS[:500], promised=len(CERTS))), Unreachable),
        (page(b"<!doctype html><title>Sign in\x1b[2J</title>"), BadPayload),
        (page(b'{"certificates":[{"cert_chain":[{"path":7}]}]}'), BadPayload),
        (page(b'{"certificates":[{"cert_chain":[{"expiration_time":"tomorrow"}]}]}'), BadPayload),
        (page(b'{"certificates":null}'), BadPayload),
        (page(b"[]"), BadPayload),
        (page(b""), BadPayload),
        (page(b"[" * 3_000_000), BadPayload),
        (sending(with_length(gzip.compress(CERTS), head=OK + b"content-encoding: gzip\r\n")), BadPayload),
        (sending(b"SSH-2.0-OpenSSH_9.2\r\n"), Unreachable),
        (sending(b""), Unreachable),
        (sending(OK + b"x: " + b"y" * 1_000_000), Unreachable),
        (answering(b"302 Found\r\nlocation: http://127.0.0.1:1/"), BadPayload),
        (answering(b"404 Not Found", b"invalid path\x1b[2J. admin commands are:\n"), NotServed),
        (answering(b"405 Method Not Allowed"), NotServed),
        (answering(b"400 Bad Request"), NotServed),
        (answering(b"403 Forbidden", b"request to path /certs not allowed"), NotServed),
        (answering(b"401 Unauthorized"), Denied),
        (answering(b"503 Service Unavailable"), Unreachable),
        (answering(b"500 Internal Server Error"), BadPayload),
        (resetting, Unreachable),
    ],
    ids=[
        "truncated",
        "shorter than promised",
        "html",
        "wrong type",
        "no moment",
        "null",
        "another type",
        "empty",
        "deep",
        "compressed unasked",
        "not http",
        "closes at once",
        "huge header",
        "redirect",
        "not found",
        "wrong method",
        "bad request",
        "not allowed",
        "who are you",
        "nobody behind",
        "broken",
        "reset",
    ],
)
async def test_bad_answers_are_named(write: Write, kind: type[SourceError]):
    assert type(await failure(write)) is kind


async def test_an_endless_answer_is_cut_at_the_limit():
    tracemalloc.start()
    error = await failure(endless, deadline_s=20)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert isinstance(error, BadPayload)
    assert f"{CERTIFICATES_BYTES} bytes" in error.message
    assert peak < 4 * CERTIFICATES_BYTES


@pytest.mark.parametrize("write", [dripping, silent])
async def test_slow_answers_end_at_the_deadline(write: Write):
    started = time.monotonic()
    error = await failure(write, deadline_s=0.3)
    assert isinstance(error, Unreachable)
    assert time.monotonic() - started < 2


async def test_one_page_that_fails_leaves_the_others_known():
    for bad, part in (
        ("/server_info", "build"),
        ("/listeners", "listeners"),
        ("/certs", "certificates"),
        *((each, "config") for each in GOOD if each.startswith("/config_dump")),
    ):
        async with inspecting({**GOOD, bad: page(b"{")}) as inspector:
            seen = await inspector.inspect(ADDRESS, deadline_s=5)
        known = {name: getattr(seen, name) for name in ("build", "listeners", "certificates", "config")}
        unknown = known.pop(part)
        assert isinstance(unknown, Unknown)
        assert bad in unknown.reason
        assert all(isinstance(each, Known) for each in known.values())


async def test_a_page_that_hangs_takes_the_rest_of_the_time_and_what_came_before_is_kept():
    started = time.monotonic()
    async with inspecting({**GOOD, "/config_dump?resource=dynamic_route_configs": dripping}) as inspector:
        seen = await inspector.inspect(ADDRESS, deadline_s=2.0)
    assert time.monotonic() - started < 8
    assert isinstance(seen.certificates, Known)
    assert isinstance(seen.config, Unknown)
    assert seen.questions == 4


async def test_a_proxy_that_answers_nothing_is_a_failure_within_the_deadline():
    started = time.monotonic()
    async with inspecting({}, otherwise=silent) as inspector:
        with pytest.raises(Unreachable):
            await inspector.inspect(ADDRESS, deadline_s=0.5)
    assert time.monotonic() - started < 2


async def test_cancelling_is_not_swallowed_and_lets_the_next_question_through():
    asked = asyncio.Event()

    async def hanging(writer: asyncio.StreamWriter) -> None:
        asked.set()
        await silent(writer)

    async with inspecting({**GOOD, "/config_dump": hanging}) as inspector:
        task = asyncio.create_task(inspector.config(ADDRESS, ConfigKind.SECRET, deadline_s=30))
        async with asyncio.timeout(5):
            await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(await inspector.certificates(ADDRESS, deadline_s=5)) == 3
