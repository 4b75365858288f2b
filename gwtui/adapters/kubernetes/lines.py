"""A stream of lines over an open HTTP answer, read in bursts."""

from __future__ import annotations

import aiohttp

from gwtui.adapters.kubernetes.failures import Call, breakdown
from gwtui.errors import BadPayload

MAX_LINE_BYTES = 64 * 2**20
"""An event is one line and holds one object; etcd refuses objects far smaller than this."""


class LineStream:
    """Complete lines of one answer. Not thread-safe; one reader."""

    def __init__(self, response: aiohttp.ClientResponse, call: Call) -> None:
        self._response = response
        self._call = call
        self._rest = b""

    async def read(self) -> list[bytes]:
        """Return every complete line that has arrived, at least one; empty when the server ended the stream.

        Raises:
            Unreachable: the connection broke or was silent for too long.
            BadPayload: the stream ended inside a line, or a line has no end.
        """
        while True:
            try:
                chunk = await self._response.content.readany()
            except (aiohttp.ClientError, OSError) as error:
                raise breakdown(self._call, error) from error
            if not chunk:
                if self._rest.strip():
                    raise BadPayload(f"{self._call.where}: the stream ended inside an event", "we resume")
                return []
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            if len(self._rest) > MAX_LINE_BYTES:
                raise BadPayload(f"{self._call.where}: an event is larger than {MAX_LINE_BYTES} bytes", "we resume")
            if complete := [line for line in lines if line.strip()]:
                return complete

    def drop(self) -> None:
        """Break the stream: the reader gets an error at once."""
        self._response.close()
