"""Straight to a proxy's address, on real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import trustme

from approved import approved, plan_of, posting
from gwtui.adapters.direct import connection
from gwtui.adapters.direct.access import DirectAccess
from gwtui.changes.door import Door
from gwtui.engine.clock import SystemClock
from gwtui.errors import BadPayload, Denied, NotServed, Refused, SourceError, Unreachable
from gwtui.model.ids import ProxyKey
from gwtui.ports import ProxyAddress

KEY = ProxyKey("c", "infra", "edge-1")
OK = b"HTTP/1.1 200 OK\r\n"

Write = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def serving(write: Write) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server, and the request lines it got per connection."""
    heads: list[bytes] = []
    handlers: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        handlers.add(task)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                heads.append(await reader.readuntil(b"\r\n\r\n"))
                await write(reader, writer)
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", heads
    server.close()
    for task in handlers:
        task.cancel()
    await asyncio.gather(*handlers, return_exceptions=True)


@contextlib.asynccontextmanager
async def reaching(base: str | None) -> AsyncIterator[DirectAccess]:
    access = DirectAccess("static", lambda _key, _port: base, reaches_loopback=True, clock=SystemClock())
    yield access
    await access.close()


def answering(answer: bytes) -> Write:
    async def write(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()

    return write


async def get(access: DirectAccess, path: str = "/ready", *, deadline_s: float = 2, max_bytes: int = 1000):
    return await access.get(KEY, 19000, path, deadline_s=deadline_s, max_bytes=max_bytes)


async def test_one_connection_serves_many_questions_and_the_query_goes_out_as_it_is():
    ports = set()

    async def write(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ports.add(writer.get_extra_info("peername")[1])
        writer.write(OK + b"content-length: 5\r\n\r\nLIVE\n")
        await writer.drain()

    async with serving(write) as (base, heads), reaching(base) as access:
        for _ in range(5):
            answer = await get(access, "/stats?filter=%5Ea%2Bb%24&usedonly")
    assert (answer.status, answer.body) == (200, b"LIVE\n")
    assert answer.took_s > 0
    assert len(ports) == 1
    assert heads[0].startswith(b"GET /stats?filter=%5Ea%2Bb%24&usedonly HTTP/1.1\r\n")
    assert b"ncoding: identity" in heads[0]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n", Denied),
        (OK + b"content-length: 5000\r\n\r\n" + b"x" * 5000, BadPayload),
        (OK + b"content-length: 500\r\n\r\nshort", Unreachable),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", Unreachable),
    ],
    ids=["401", "too large", "silent in the middle", "no HTTP"],
)
async def test_bad_answers_are_named_in_one_line(answer: bytes, kind: type[SourceError]):
    async with serving(answering(answer)) as (base, _), reaching(base) as access:
        with pytest.raises(kind) as caught:
            await get(access, deadline_s=0.3)
    assert len(caught.value.line().splitlines()) == 1
    assert caught.value.hint


async def test_a_refusal_of_one_path_is_an_answer_of_the_proxy():
    refusal = b"HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno"
    async with serving(answering(refusal)) as (base, _), reaching(base) as access:
        assert (await get(access, "/certs")).status == 403


async def test_redirects_are_not_followed():
    async with serving(answering(OK + b"content-length: 0\r\n\r\n")) as (other, heads):
        moved = f"HTTP/1.1 302 Found\r\nlocation: {other}/\r\ncontent-length: 0\r\n\r\n".encode()
        async with serving(answering(moved)) as (base, _), reaching(base) as access:
            assert (await get(access)).status == 302
    assert heads == []


async def test_a_connection_closed_while_unused_is_made_anew():
    async def write(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(heads) == 2:  # on the first connection: it is closed instead of answered
            raise ConnectionAbortedError
        writer.write(OK + b"content-length: 2\r\n\r\n%d!" % len(heads))

    async with serving(write) as (base, heads), reaching(base) as access:
        assert [(await get(access)).body for _ in range(2)] == [b"1!", b"3!"]


async def test_an_answer_that_breaks_off_is_not_asked_for_again():
    async def write(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK + b"content-length: 2\r\n\r\n" + (b"ok" if len(heads) == 1 else b"o"))
        await writer.drain()
        if len(heads) > 1:
            raise ConnectionAbortedError

    async with serving(write) as (base, heads), reaching(base) as access:
        assert (await get(access)).body == b"ok"
        with pytest.raises(Unreachable, match="before the answer ended"):
            await get(access)
    assert len(heads) == 2


async def test_an_answer_may_end_with_its_connection():
    async def write(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.0 200 OK\r\n\r\nLIVE")
        await writer.drain()
        raise ConnectionAbortedError

    async with serving(write) as (base, _), reaching(base) as access:
        assert [(await get(access)).body for _ in range(2)] == [b"LIVE", b"LIVE"]


async def test_answers_in_chunks_are_put_together_and_limited():
    chunks = OK + b"transfer-encoding: chunked\r\n\r\n3\r\nLIV\r\n2\r\nE\n\r\n0\r\n\r\n"
    async with serving(answering(chunks)) as (base, _), reaching(base) as access:
        assert (await get(access, max_bytes=5)).body == b"LIVE\n"
        with pytest.raises(BadPayload):
            await get(access, max_bytes=4)
        assert (await get(access, max_bytes=5)).body == b"LIVE\n"


async def test_an_interim_answer_is_not_the_answer():
    interim = b"HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n" + OK + b"content-length: 2\r\n\r\nok"
    async with serving(answering(interim)) as (base, _), reaching(base) as access:
        assert [(await get(access)).status for _ in range(2)] == [200, 200]


@pytest.mark.parametrize("pause_s", [0.0, 0.05])
async def test_what_nobody_asked_for_is_never_the_next_answer(pause_s: float):
    async def write(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK + b"content-length: 1\r\n\r\n%d" % len(heads))
        await asyncio.sleep(pause_s)
        writer.write(OK + b"content-length: 1\r\n\r\nx")

    async with serving(write) as (base, heads), reaching(base) as access:
        for number in range(1, 4):
            assert (await get(access)).body == b"%d" % number
            await asyncio.sleep(2 * pause_s)


async def test_two_questions_at_once_at_most():
    most = now = 0

    async def write(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal most, now
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.02)
        now -= 1
        writer.write(OK + b"content-length: 2\r\n\r\nok")

    async with serving(write) as (base, _), reaching(base) as access:
        answers = await asyncio.gather(*(get(access) for _ in range(6)))
    assert {answer.body for answer in answers} == {b"ok"}
    assert most == 2


@pytest.mark.parametrize(("earlier_s", "later_s"), [(30, 0.2), (0.2, 0.4)], ids=["sooner", "later"])
async def test_every_question_has_its_own_deadline(earlier_s: float, later_s: float):
    """On one connection, where the deadline before it was another one."""

    async def write(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(heads) == 1:
            writer.write(OK + b"content-length: 2\r\n\r\nok")

    async with serving(write) as (base, heads), reaching(base) as access:
        await get(access, deadline_s=earlier_s)
        started = asyncio.get_running_loop().time()
        with pytest.raises(Unreachable, match=f"within {later_s} s"):
            await get(access, deadline_s=later_s)
        assert later_s <= asyncio.get_running_loop().time() - started < 10
    assert len(heads) == 2


async def test_waiting_for_a_turn_has_an_end_too():
    async def write(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)

    async with serving(write) as (base, heads), reaching(base) as access:
        busy = [asyncio.create_task(get(access, deadline_s=30)) for _ in range(2)]
        await asyncio.sleep(0.1)
        with pytest.raises(Unreachable, match=r"within 0\.1 s"):
            await get(access, deadline_s=0.1)
        for task in busy:
            task.cancel()
        await asyncio.gather(*busy, return_exceptions=True)
    assert len(heads) == 2


async def test_a_connection_nobody_uses_is_closed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(connection, "IDLE_S", 0.2)
    async with serving(answering(OK + b"content-length: 2\r\n\r\nok")) as (base, _), reaching(base) as access:
        await get(access)
        async with asyncio.timeout(5):
            while access._places:
                await asyncio.sleep(0.01)


async def test_a_place_without_connections_is_forgotten():
    closing = OK + b"connection: close\r\ncontent-length: 2\r\n\r\nok"
    async with serving(answering(closing)) as (base, _), reaching(base) as access:
        await get(access)
        async with asyncio.timeout(5):
            while access._places:
                await asyncio.sleep(0.01)


async def test_an_unknown_certificate_is_named():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0, ssl=context)
    async with reaching(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}") as access:
        with pytest.raises(Unreachable, match="certificate") as caught:
            await get(access)
    server.close()
    assert len(caught.value.line().splitlines()) == 1


async def test_what_does_not_listen_and_what_has_no_address():
    async with serving(answering(b"")) as (base, _):
        pass
    async with reaching(base) as access:
        with pytest.raises(Unreachable, match=r"127\.0\.0\.1"):
            await get(access)
    async with reaching(None) as access:
        with pytest.raises(NotServed):
            await get(access)


@pytest.mark.parametrize("path", ["/quitquitquit", "/healthcheck/fail", "/logging?level=debug", "/ready\r\nx: y"])
async def test_paths_that_act_are_refused_before_anything_is_sent(path: str):
    async with serving(answering(b"")) as (base, heads), reaching(base) as access:
        with pytest.raises(Refused):
            await get(access, path)
    assert heads == []


ADDRESS = ProxyAddress(KEY, stats_port=9091)
FAIL = "/healthcheck/fail"


async def test_an_approved_post_is_sent_once_over_a_connection_of_its_own():
    ports = []

    async def write(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ports.append(writer.get_extra_info("peername")[1])
        if heads[-1].startswith(b"POST") and len(heads) > 2:
            raise ConnectionAbortedError
        writer.write(OK + b"content-length: 3\r\n\r\nOK\n")
        await writer.drain()

    approval = approved(posting(KEY, FAIL))
    async with serving(write) as (base, heads), reaching(base) as access:
        await get(access)
        answer = await access.post(approval, ADDRESS, FAIL, deadline_s=2)
        with pytest.raises(Unreachable) as caught:
            await access.post(approval, ADDRESS, FAIL, deadline_s=2)
    assert (answer.status, answer.body) == (200, b"OK\n")
    assert [head.split(b" ")[0] for head in heads] == [b"GET", b"POST", b"POST"]
    assert len(set(ports)) == 3
    assert heads[1].startswith(b"POST /healthcheck/fail HTTP/1.1\r\n")
    assert b"content-length: 0\r\n" in heads[1]
    assert "not known" in caught.value.hint


@pytest.mark.parametrize("approval", [None, True, object(), "approved", DirectAccess])
async def test_without_an_approval_nothing_leaves(approval: object):
    async with serving(answering(OK)) as (base, heads), reaching(base) as access:
        with pytest.raises(Refused, match="without an approved plan"):
            await access.post(approval, ADDRESS, FAIL, deadline_s=2)
    assert heads == []


async def test_read_only_gives_no_approval():
    async with serving(answering(OK)) as (base, heads), reaching(base) as access:
        with pytest.raises(Refused, match="read-only"):
            await access.post(Door(read_only=True).approve(plan_of(posting(KEY, FAIL))), ADDRESS, FAIL, deadline_s=2)
    assert heads == []


@pytest.mark.parametrize(
    ("listed", "path"),
    [("/quitquitquit", "/quitquitquit"), (FAIL, "/healthcheck/ok"), (FAIL, "/healthcheck/fail\r\nx: y"), (FAIL, "")],
)
async def test_only_what_is_listed_and_planned_leaves(listed: str, path: str):
    async with serving(answering(OK)) as (base, heads), reaching(base) as access:
        with pytest.raises(Refused):
            await access.post(approved(posting(KEY, listed)), ADDRESS, path, deadline_s=2)
        with pytest.raises(Refused):
            await access.post(
                approved(posting(KEY, FAIL)), ProxyAddress(KEY._replace(pod="x"), stats_port=1), FAIL, deadline_s=2
            )
    assert heads == []


async def test_where_the_admin_interface_is_not_nothing_is_told():
    async with serving(answering(OK)) as (base, heads):
        access = DirectAccess("pod address", lambda _key, _port: base, reaches_loopback=False, clock=SystemClock())
        with pytest.raises(NotServed, match="pod address"):
            await access.post(approved(posting(KEY, FAIL)), ADDRESS, FAIL, deadline_s=2)
        await access.close()
    assert heads == []
