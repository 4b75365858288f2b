"""The way to a server: sign-in, TLS, limits, and questions that are given up."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import ssl
import subprocess
import sys
import threading
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
import trustme

from gwtui.adapters.prometheus.client import AT_ONCE, QueryClient
from gwtui.adapters.prometheus.decode import decode_time
from gwtui.errors import BadPayload, Denied, Unreachable

GOOD = json.dumps({"status": "success", "data": {"resultType": "scalar", "result": [1.5, "1.5"]}}).encode()


def answer(body: bytes = GOOD, *more: str, status: str = "200 OK") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", f"content-length: {len(body)}", *more, "", ""]).encode() + body


class Keeping:
    """A server that keeps the heads of all requests and answers each alike."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.heads: list[str] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: str) -> None:
        while True:
            self.heads.append(head)
            writer.write(self.content)
            await writer.drain()
            head = (await reader.readuntil(b"\r\n\r\n")).decode()

    def header(self, name: str) -> str | None:
        lines = dict(line.split(": ", 1) for line in self.heads[-1].split("\r\n")[1:] if line)
        return {key.lower(): value for key, value in lines.items()}.get(name)


def asking_threads() -> list[threading.Thread]:
    """Threads that wait for an answer: those of the executor which are inside our transport."""
    frames = sys._current_frames()
    busy = []
    for thread in threading.enumerate():
        frame = frames.get(thread.ident or 0)
        while frame is not None and not frame.f_code.co_filename.endswith("prometheus/transport.py"):
            frame = frame.f_back
        if frame is not None:
            busy.append(thread)
    return busy


async def until_no_thread_asks() -> None:
    async with asyncio.timeout(5):
        while asking_threads():
            await asyncio.sleep(0.01)


async def test_the_question_and_its_moment_are_sent_as_they_are(serve: Any):
    server = Keeping(answer())
    client = QueryClient(await serve(server) + "/prometheus/")
    assert decode_time(await client.ask('up{pod=~"a|b"}[60s]', at=1700000000.1234)) == 1.5
    await client.close()
    first = server.heads[0].split("\r\n")[0]
    expected = "/prometheus/api/v1/query?query=up%7Bpod%3D~%22a%7Cb%22%7D%5B60s%5D&time=1700000000.123"
    assert first == f"GET {expected} HTTP/1.1"
    assert server.header("accept-encoding") == "gzip"


async def test_a_token_is_read_anew_for_every_question(serve: Any, tmp_path: Path):
    server = Keeping(answer())
    token = tmp_path / "token"
    client = QueryClient(await serve(server), token_file=token)
    with pytest.raises(Unreachable, match="token_file"):
        await client.ask("time()")
    for text in ("first\n", "second"):
        token.write_text(text)
        await client.ask("time()")
        assert server.header("authorization") == f"Bearer {text.strip()}"
    token.write_text("two\nlines")
    with pytest.raises(Unreachable) as caught:
        await client.ask("time()")
    assert "two" not in caught.value.line()
    await client.close()


async def test_user_and_password_of_the_url_are_sent_and_a_netrc_is_not(
    serve: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    server = Keeping(answer())
    url = await serve(server)
    plain, signed = QueryClient(url), QueryClient(url.replace("http://", "http://ops:p%40ss@"))
    await plain.ask("time()")
    assert server.header("authorization") is None
    await signed.ask("time()")
    assert server.header("authorization") == f"Basic {base64.b64encode(b'ops:p@ss').decode()}"
    assert "ops" not in signed.shown
    await plain.close()
    await signed.close()


async def test_a_redirect_is_named_and_not_followed(serve: Any, tmp_path: Path):
    elsewhere = Keeping(answer())
    to = (await serve(elsewhere)).replace("http://", "http://ops:pa55@")
    server = Keeping(answer(b"", f"location: {to}/login?state=s3cret", status="302 Found"))
    token = tmp_path / "token"
    token.write_text("t0ken")
    client = QueryClient(await serve(server), token_file=token)
    with pytest.raises(BadPayload) as caught:
        await client.ask("time()")
    await client.close()
    line = caught.value.line()
    assert to.partition("@")[2] in line
    assert "sign-in" in line
    assert not any(word in line for word in ("pa55", "s3cret", "t0ken"))
    assert not elsewhere.heads


async def test_a_small_answer_that_unfolds_beyond_the_limit_is_cut(serve: Any):
    bomb = gzip.compress(b" " * 200_000_000)
    client = QueryClient(await serve(Keeping(answer(bomb, "content-encoding: gzip"))), max_bytes=1_000_000)
    tracemalloc.start()
    with pytest.raises(BadPayload, match="1,000,000 bytes"):
        await client.ask("time()")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    await client.close()
    assert peak < 30_000_000


@pytest.mark.parametrize("part", ["head", "body"])
async def test_a_question_that_is_given_up_ends_its_thread(serve: Any, part: str):
    """A byte now and then keeps any timeout of a socket from running out."""
    ended = asyncio.Event()

    async def drip(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _head: str) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n" if part == "head" else b"HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n")
        try:
            for _ in range(1000):
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.02)
        finally:
            ended.set()

    client = QueryClient(await serve(drip), deadline_s=0.3)
    for _ in range(AT_ONCE + 1):
        began = time.monotonic()
        with pytest.raises(Unreachable, match=r"within 0\.3 s"):
            await client.ask("time()")
        assert time.monotonic() - began < 3
    await until_no_thread_asks()
    async with asyncio.timeout(5):
        await ended.wait()
    await client.close()


async def test_cancelling_ends_the_question_and_the_client_goes_on(serve: Any):
    silent = asyncio.Event()
    server = Keeping(answer())

    async def write(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: str) -> None:
        if not silent.is_set():
            silent.set()
            await asyncio.sleep(60)
        await server(reader, writer, head)

    client = QueryClient(await serve(write), deadline_s=10)
    task = asyncio.create_task(client.ask("time()"))
    async with asyncio.timeout(5):
        await silent.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until_no_thread_asks()
    assert decode_time(await client.ask("time()")) == 1.5
    await client.close()


async def test_few_questions_are_under_way_at_once(serve: Any):
    under_way, most = 0, 0
    go = asyncio.Event()

    async def write(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _head: str) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await go.wait()
        under_way -= 1
        writer.write(answer(GOOD, "connection: close"))
        await writer.drain()

    client = QueryClient(await serve(write))
    tasks = [asyncio.create_task(client.ask("time()")) for _ in range(AT_ONCE * 3)]
    async with asyncio.timeout(10):
        while under_way < AT_ONCE:
            await asyncio.sleep(0.01)
        go.set()
        await asyncio.gather(*tasks)
    await client.close()
    assert most == AT_ONCE


async def test_certificates_are_checked_unless_that_is_switched_off(tmp_path: Path):
    authority, other = trustme.CA(), trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    for name, each in (("good.pem", authority), ("other.pem", other)):
        each.cert_pem.write_to_path(str(tmp_path / name))
    handlers: set[asyncio.Task[Any]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        handlers.add(task)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer(GOOD, "connection: close"))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    for choices in ({"ca_file": tmp_path / "good.pem"}, {"insecure": True}):
        client = QueryClient(url, **choices)
        assert decode_time(await client.ask("time()")) == 1.5
        await client.close()
    for choices, words in (
        ({"ca_file": tmp_path / "other.pem"}, "certificate verify failed"),
        ({}, "certificate verify failed"),
        ({"ca_file": tmp_path / "absent.pem"}, "ca_file cannot be read"),
    ):
        client = QueryClient(url, **choices)
        with pytest.raises(Unreachable) as caught:
            await client.ask("time()")
        await client.close()
        assert words in caught.value.message
        assert caught.value.hint
    server.close()
    await asyncio.gather(*handlers, return_exceptions=True)


async def test_a_password_is_in_no_text_of_ours(serve: Any):
    url = (await serve(Keeping(answer(b"", status="403 Forbidden")))).replace("http://", "http://ops:pa55word@")
    client = QueryClient(url)
    with pytest.raises(Denied) as refused:
        await client.ask("time()")
    await client.close()
    unreachable = QueryClient("http://ops:pa55word@127.0.0.1:1")
    with pytest.raises(Unreachable) as broken:
        await unreachable.ask("time()")
    for error in (refused.value, broken.value):
        assert "pa55word" not in error.line()
        assert error.__cause__ is None or "pa55word" not in repr(error.__cause__)


def test_nothing_heavy_is_imported_before_the_first_question():
    told = "import sys, gwtui.adapters.prometheus.source; print([name for name in ('requests', 'urllib3', 'prometheus_api_client') if name in sys.modules])"  # noqa: E501 - one program
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
