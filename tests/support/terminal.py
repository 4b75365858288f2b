"""gwtui in a real pseudo-terminal, and what a person would see on it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from types import TracebackType
from typing import Self

import pyte

ESCAPE_PAUSE_S = 0.3
"""A terminal program takes an escape for the start of a longer sequence when more follows sooner."""


class Terminal:
    """Runs gwtui with these arguments on a terminal of this size; a context manager that ends it."""

    def __init__(self, *arguments: str, columns: int = 140, rows: int = 45) -> None:
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._leader, follower = pty.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        environment = {**os.environ, "TERM": "xterm-256color"}
        for name in ("NO_COLOR", "COLUMNS", "LINES"):  # the last two would be believed before the terminal is asked
            environment.pop(name, None)
        self.raw = b""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gwtui", *arguments],
            stdin=follower,
            stdout=follower,
            stderr=follower,
            env=environment,
            start_new_session=True,
        )
        os.close(follower)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._leader)

    @property
    def text(self) -> str:
        """What is on the screen, line by line."""
        return "\n".join(line.rstrip() for line in self._screen.display)

    def press(self, *keys: str) -> None:
        """Type; a lone escape is followed by the pause that tells it from a longer sequence."""
        for key in keys:
            os.write(self._leader, key.encode())
            if key == "\x1b":
                end = time.monotonic() + ESCAPE_PAUSE_S
                while (left := end - time.monotonic()) > 0:
                    self._read(left)

    def hang_up(self) -> None:
        """Close the terminal, as the end of an ssh connection does. Nothing can be seen or typed afterwards.

        It is nobody's controlling terminal, so no signal comes with it.
        """
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, self._leader)
        os.close(nothing)

    def until(self, *wanted: str, absent: tuple[str, ...] = (), within_s: float = 30.0) -> str:
        """Read until all of these are on the screen and none of those; return the screen."""
        deadline = time.monotonic() + within_s
        while not (all(w in self.text for w in wanted) and not any(a in self.text for a in absent)):
            assert time.monotonic() < deadline, f"not seen: {wanted} without {absent}\n{self.text}"
            assert self.process.poll() is None or self._read(0), f"it ended: {self.process.returncode}\n{self.text}"
            self._read(0.05)
        return self.text

    def ended(self, within_s: float = 15.0) -> int:
        """Wait for the end and return the exit code."""
        deadline = time.monotonic() + within_s
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"still running\n{self.text}"
            self._read(0.05)
        while self._read(0.05):
            pass
        return self.process.returncode

    def _read(self, wait_s: float) -> bool:
        if not select.select([self._leader], [], [], wait_s)[0]:
            return False
        with contextlib.suppress(OSError):  # EIO: the other end is closed
            part = os.read(self._leader, 65536)
            self.raw += part
            self._stream.feed(part)
            return bool(part)
        return False
