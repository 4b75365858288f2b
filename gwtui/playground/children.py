"""Python processes of the playground: one line of JSON in, one line of JSON back, alive until their input ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from pathlib import Path

from gwtui.errors import GwtuiError
from gwtui.playground.warden import Warden
from gwtui.playground.world import Json

_START_DEADLINE_S = 15.0
_END_DEADLINE_S = 3.0


class Child:
    """A running `python -m <module>`."""

    def __init__(self, module: str, process: asyncio.subprocess.Process, warden: Warden) -> None:
        self.module = module
        self._process = process
        self._warden = warden
        warden.watch(process.pid)

    @classmethod
    async def start(cls, module: str, orders: Json, *, log: Path, warden: Warden) -> tuple[Child, Json]:
        """Start a module, hand it its orders, and return it with its answer.

        Raises:
            GwtuiError: it ended or gave no answer within 15 s.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as errors:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                module,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        child = cls(module, process, warden)
        try:
            async with asyncio.timeout(_START_DEADLINE_S):
                answer = json.loads(await child.ask(orders))
        except (TimeoutError, ValueError, OSError) as error:
            await child.close()
            raise GwtuiError(f"{module} did not start", f"see {log}") from error
        return child, answer

    async def ask(self, orders: Json) -> bytes:
        """Send one line and return the next line of the answer, empty when the process has ended."""
        if self._process.stdin is None or self._process.stdout is None:
            return b""
        self._process.stdin.write(json.dumps(orders).encode() + b"\n")
        await self._process.stdin.drain()
        return await self._process.stdout.readline()

    async def wait(self) -> int:
        """Wait for its end; returns the exit code."""
        return await self._process.wait()

    async def close(self) -> None:
        """End it: its input first, then a signal."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        for signal_ in (None, self._process.terminate, self._process.kill):
            with contextlib.suppress(ProcessLookupError):
                if signal_ is not None:
                    signal_()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_END_DEADLINE_S):
                    await self._process.wait()
                    break
        self._warden.forget(self._process.pid)
