"""Servers that answer badly, on real sockets, read through the real way in."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import time
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bad_servers import OK, Write, dripping, listening, sending, silent, with_length
from gwtui.adapters.envoy.reader import MAX_BYTES, EnvoyReader
from gwtui.engine.clock import SystemClock
from gwtui.errors import BadPayload, Denied, NotServed, SourceError, Unreachable
from gwtui.model.health import ProxyState
from gwtui.model.ids import ProxyKey
from gwtui.ports import ProxyAddress
from static_access import static_access

GOLDEN = (Path(__file__).parents[2] / "golden" / "envoy" / "stats-busy-1.40.in.json").read_bytes()
KEY = ProxyKey("static", "", "edge-1")
ADDRESS = ProxyAddress(KEY, stats_port=9091)


async def endless(writer: asyncio.StreamWriter) -> None:
    writer.write(OK + b"content-length: 50000000\r\n\r\n" + b'{"stats":[')
    for _ in range(800):
        writer.write(b" " * 65_536)
        await writer.drain()


async def dripping_head(writer: asyncio.StreamWriter) -> None:
    for byte in OK:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(1)


async def resetting(writer: asyncio.StreamWriter) -> None:
    writer.write(with_length(GOLDEN[:500], promised=len(GOLDEN)))
    await writer.drain()
    writer.transport.abort()


def serving(write: Write, ready: bytes = b"LIVE\n") -> contextlib.AbstractAsyncContextManager[str]:
    """A server that answers `/ready` and levels as Envoy does and everything else as `write` does."""

    def answer_to(head: bytes) -> Write:
        if head.startswith(b"GET /ready "):
            return sending(with_length(ready))
        if b"type=Gauges" in head:
            return sending(with_length(b'{"stats":[{"name":"server.state","value":0}]}'))
        return write

    return listening(answer_to)


@contextlib.asynccontextmanager
async def reading(base: str) -> AsyncIterator[EnvoyReader]:
    access = static_access({KEY: base})
    yield EnvoyReader((access,), SystemClock())
    await access.close()


async def failure(write: Write, *, deadline_s: float = 2.0) -> SourceError:
    async with serving(write) as base, reading(base) as reader:
        with pytest.raises(SourceError) as caught:
            await reader.sample(ADDRESS, deadline_s=deadline_s)
    assert len(caught.value.line().splitlines()) == 1
    assert caught.value.hint
    return caught.value


async def test_a_good_server_is_read():
    async with serving(sending(with_length(GOLDEN))) as base, reading(base) as reader:
        state, sample, way = await reader.sample(ADDRESS, deadline_s=2)
    assert (state, sample.requests, way) == (ProxyState.LIVE, 15, "static")
    assert sample.answer_ms > 0


@pytest.mark.parametrize(
    ("write", "kind"),
    [
        (sending(with_length(GOLDEN[:500])), BadPayload),
        (sending(with_length(GOLDEN[:500], promised=len(GOLDEN))), Unreachable),
        (sending(with_length(b"<!doctype html><title>Sign in</title>")), BadPayload),
        (sending(with_length(b'{"stats":[{"name":"http.http.downstream_rq_total","value":"many"}]}')), BadPayload),
        (sending(with_length(gzip.compress(GOLDEN), head=OK + b"content-encoding: gzip\r\n")), BadPayload),
        (sending(b"SSH-2.0-OpenSSH_9.2\r\n"), Unreachable),
        (sending(b""), Unreachable),
        (sending(OK + b"x: " + b"y" * 1_000_000), Unreachable),
        (sending(b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n"), BadPayload),
        (sending(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"), NotServed),
        (sending(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n"), Denied),
        (sending(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n"), NotServed),
        (resetting, Unreachable),
    ],
    ids=[
        "truncated",
        "shorter than promised",
        "html",
        "wrong type",
        "compressed unasked",
        "not http",
        "closes at once",
        "huge header",
        "redirect",
        "not found",
        "who are you",
        "not allowed",
        "reset",
    ],
)
async def test_bad_answers_are_named(write: Write, kind: type[SourceError]):
    assert type(await failure(write)) is kind


async def test_an_endless_answer_is_cut_at_the_limit():
    tracemalloc.start()
    error = await failure(endless)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert isinstance(error, BadPayload)
    assert f"{MAX_BYTES} bytes" in error.message
    assert peak < 3 * MAX_BYTES


@pytest.mark.parametrize("write", [dripping, dripping_head, silent])
async def test_slow_answers_end_at_the_deadline(write: Write):
    started = time.monotonic()
    error = await failure(write, deadline_s=0.3)
    assert isinstance(error, Unreachable)
    assert "within 0.3 s" in error.message
    assert time.monotonic() - started < 2


async def test_nobody_listening_is_unreachable():
    async with serving(silent) as base:
        pass
    async with reading(base) as reader:
        with pytest.raises(Unreachable):
            await reader.sample(ADDRESS, deadline_s=2)


async def test_the_server_may_recover():
    async with serving(sending(with_length(GOLDEN)), ready=b"<html>") as base, reading(base) as reader:
        state, _, _ = await reader.sample(ADDRESS, deadline_s=2)
        assert state is ProxyState.LIVE
        assert (await reader.sample(ADDRESS, deadline_s=2))[1].requests == 15


async def test_cancelling_a_read_is_not_swallowed():
    async with serving(silent) as base, reading(base) as reader:
        task = asyncio.create_task(reader.sample(ADDRESS, deadline_s=5))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_a_proxy_without_a_url_is_not_served():
    with pytest.raises(NotServed):
        await static_access({}).get(KEY, 0, "/ready", deadline_s=1, max_bytes=10)
