"""Servers that are no good Prometheus, and answers that are none: every one ends in one line, within its time."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwtui.adapters.prometheus.client import QueryClient
from gwtui.adapters.prometheus.decode import decode_matrix, decode_time, decode_vector
from gwtui.errors import BadPayload, Denied, NotServed, SourceError, Unreachable, UsageError

GOOD = json.dumps({"status": "success", "data": {"resultType": "scalar", "result": [1.5, "1.5"]}}).encode()


def answer(status: str, body: bytes, *more: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", "content-type: application/json", *more, "", ""]
    return "\r\n".join(lines).encode() + body


def writing(content: bytes) -> Any:
    async def write(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _head: str) -> None:
        writer.write(content)
        await writer.drain()

    return write


async def dripping(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _head: str) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
    for _ in range(20):
        writer.write(b"{")
        await writer.drain()
        await asyncio.sleep(0.5)


async def endless(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _head: str) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 500000000\r\n\r\n")
    for _ in range(1000):
        writer.write(b" " * 65_536)
        await writer.drain()


async def ask(url: str, **choices: Any) -> bytes:
    client = QueryClient(url, **{"deadline_s": 1.0, "max_bytes": 1_000_000, **choices})
    try:
        return await client.ask("time()")
    finally:
        await client.close()


@pytest.mark.parametrize(
    ("write", "kind"),
    [
        (writing(answer("401 Unauthorized", b"")), Denied),
        (writing(answer("403 Forbidden", b"no")), Denied),
        (writing(answer("404 Not Found", b"<html>")), NotServed),
        (writing(answer("503 Service Unavailable", b"busy")), Unreachable),
        (writing(answer("302 Found", b"", "location: http://127.0.0.1:9/")), BadPayload),
        (writing(b"SSH-2.0-x\r\n\r\n"), SourceError),
        (writing(answer("200 OK", GOOD)[:-5]), SourceError),
        (dripping, Unreachable),
        (endless, BadPayload),
    ],
    ids=["401", "403", "404", "503", "redirect", "no http", "cut", "slow", "endless"],
)
async def test_a_bad_server_is_named_in_one_line_within_its_time(serve: Any, write: Any, kind: type[SourceError]):
    url = await serve(write)
    began = time.monotonic()
    with pytest.raises(kind) as caught:
        await ask(url)
    assert time.monotonic() - began < 4
    assert len(caught.value.line().splitlines()) == 1


async def test_nothing_listens():
    with pytest.raises(Unreachable):
        await ask("http://127.0.0.1:9")


async def test_a_good_server_is_asked_with_its_token_and_nobody_sees_it(serve: Any, tmp_path: Any):
    heads: list[str] = []

    async def write(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: str) -> None:
        heads.append(head)
        writer.write(answer("401 Unauthorized", b""))
        await writer.drain()

    token = tmp_path / "token"
    token.write_text("s3cret-t0ken\n")
    url = await serve(write)
    with pytest.raises(Denied) as caught:
        await ask(url, token_file=token)
    assert "authorization: bearer s3cret-t0ken" in heads[0].lower()
    assert "s3cret" not in caught.value.line()
    with pytest.raises(Denied) as caught:
        await ask(url.replace("http://", "http://ops:pa55word@"))
    assert "pa55word" not in caught.value.line() + repr(caught.value)


@pytest.mark.parametrize("url", ["ftp://host", "http://", "nonsense"])
def test_what_is_no_url_is_refused(url: str):
    with pytest.raises(UsageError):
        QueryClient(url)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["status", "data", "resultType", "result", "metric", "values", "value", "le"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(st.binary(max_size=300) | JSON.map(lambda value: json.dumps(value).encode()))
@pytest.mark.parametrize("decode", [decode_matrix, decode_vector, decode_time])
def test_whatever_is_answered_is_read_or_refused(decode: Any, body: bytes):
    with contextlib.suppress(BadPayload):
        decode(body)
