"""Ways for a process of the playground to notice that whoever started it is gone."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1


def follow_parent_death() -> None:
    """Have the kernel send SIGTERM to this process when the thread that started it ends (Linux; nothing elsewhere)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


async def wait_for_end(
    *, ignore_interrupt: bool = False, on_line: Callable[[bytes], None] = lambda _line: None
) -> None:
    """Return at SIGTERM, at SIGINT, or when standard input ends.

    Args:
        ignore_interrupt: leave Ctrl-C to the process that started this one.
        on_line: called with each whole line of standard input, without its end.
    """
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    if ignore_interrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    else:
        loop.add_signal_handler(signal.SIGINT, ended.set)
    descriptor = sys.stdin.fileno()
    started = bytearray()

    def on_input() -> None:
        data = os.read(descriptor, 4096)
        if not data:
            loop.remove_reader(descriptor)
            ended.set()
        started.extend(data)
        *lines, rest = bytes(started).split(b"\n")
        started[:] = rest
        for line in lines:
            on_line(line)

    # A regular file as standard input cannot be waited on; signals still end the process.
    with contextlib.suppress(OSError):
        loop.add_reader(descriptor, on_input)
    await ended.wait()
