"""The console under a real terminal whose event loop is stuck: ctrl-c twice must still end it."""

from __future__ import annotations

import os
import pty
import select
import sys
import time
from pathlib import Path

PROGRAM = """
import time
from gwtui.tui.app import GwtuiApp
from tests.tui import fleet
app = GwtuiApp(fleet.FakeFeed(fleet.central_ingress()), title_clusters=("prod-eu",))
app.call_later(app.set_timer, 0.5, lambda: time.sleep(40))
app.run()
"""
DEADLINE_S = 20.0


def test_a_stuck_loop_does_not_keep_the_operator() -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        root = str(Path(__file__).parents[2])
        os.execve(sys.executable, [sys.executable, "-c", PROGRAM], {**os.environ, "TERM": "xterm", "PYTHONPATH": root})
    started = time.monotonic()
    written = b""
    interrupted_mono: float | None = None
    status: int | None = None
    try:
        while time.monotonic() - started < DEADLINE_S and status is None:
            if select.select([terminal], [], [], 0.1)[0]:
                try:
                    written += os.read(terminal, 65536)
                except OSError:
                    written += b""  # the other side is closed: the process is ending
            if interrupted_mono is None and b"infra/shard-b" in written and time.monotonic() - started > 3:
                os.write(terminal, b"\x03")
                time.sleep(0.3)
                os.write(terminal, b"\x03")
                interrupted_mono = time.monotonic()
            done, code = os.waitpid(pid, os.WNOHANG)
            status = os.waitstatus_to_exitcode(code) if done else None
    finally:
        if status is None:
            os.kill(pid, 9)
            os.waitpid(pid, 0)
        os.close(terminal)
    assert status == 130
    assert b"\x1b[?1049l" in written[-400:]
