"""Long streams over HTTP/1.1: server-sent events and WebSockets, each with a time it is meant to last."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp

from gwtui.playground.clients.orders import Target
from gwtui.playground.clients.tally import Outcome, ProtocolTally

_TALK_S = 0.5
_ANSWER_DEADLINE_S = 5.0


class Stream:
    """One long stream as its client sees it.

    Args:
        seconds: how long it is meant to last.
        tally: the counts of its protocol.
    """

    def __init__(self, seconds: float, tally: ProtocolTally) -> None:
        self.seconds = seconds
        self.status: int | None = None
        """Of the answer; None before there is one."""
        self.is_complete = False
        """Whether it came to the end it was meant to have."""
        self._tally = tally
        self._began = False

    @contextmanager
    def begun(self, status: int) -> Iterator[None]:
        """While the other side holds the stream open."""
        self.status = status
        self._began = True
        self._tally.open += 1
        try:
            yield
        finally:
            self._tally.open -= 1

    @property
    def outcome(self) -> Outcome:
        """How it ended."""
        if self.is_complete:
            return Outcome.OK
        return Outcome.CUT if self._began else Outcome.FAILED


async def read_events(http: aiohttp.ClientSession, target: Target, stream: Stream) -> None:
    """Read one event stream to its end. What breaks it is raised."""
    url = f"{target.url}/stream?seconds={stream.seconds:.1f}"
    # Certificates are not looked at: what clients see of them is not what is shown here.
    async with http.get(url, headers={"host": target.host}, ssl=False, server_hostname=target.host) as answer:
        stream.status = answer.status
        if answer.status != 200:
            return
        with stream.begun(answer.status):
            last = b""
            async for line in answer.content:
                last = line if line.strip() else last
            stream.is_complete = last.startswith(b"data: end")


async def talk(http: aiohttp.ClientSession, target: Target, stream: Stream) -> None:
    """Send a text twice a second and have it come back each time, then close. What breaks it is raised."""
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + stream.seconds
    async with http.ws_connect(
        f"{target.url}/ws", headers={"host": target.host}, ssl=False, server_hostname=target.host
    ) as socket:
        with stream.begun(101):
            count = 0
            while loop.time() < ends_at:
                text = f"ping {count}"
                await socket.send_str(text)
                answer = await socket.receive(_ANSWER_DEADLINE_S)
                if (answer.type, answer.data) != (aiohttp.WSMsgType.TEXT, text):
                    return
                count += 1
                await asyncio.sleep(_TALK_S)
            await socket.close()
            stream.is_complete = socket.close_code == aiohttp.WSCloseCode.OK
