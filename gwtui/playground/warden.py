"""The process that outlives the playground by a moment and leaves nothing behind.

The playground tells it each process it starts. When the playground ends, however it ends, the warden reads the end of
its standard input, kills what is still there and removes the temporary directory. Envoy's own parent-death signal does
the same job sooner on Linux; the warden covers what was forked too late for it, other systems, and the files.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path


class Warden:
    """The playground's side: a warden process and the list it keeps.

    Args:
        temporary: a directory to remove at the end, or None.
    """

    def __init__(self, temporary: Path | None) -> None:
        arguments = [str(temporary)] if temporary else []
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-I", "-S", __file__, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )

    def watch(self, pid: int) -> None:
        """Have a process killed at the end."""
        self._tell(f"+{pid}\n")

    def forget(self, pid: int) -> None:
        """A process has ended: its id may be reused by somebody else."""
        self._tell(f"-{pid}\n")

    def close(self) -> None:
        """The end: returns when everything is cleaned up, or after five seconds."""
        if self._process.stdin:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)

    def _tell(self, line: str) -> None:
        if self._process.stdin:
            # Without a warden the playground goes on; the processes still have their own ways to notice its end.
            with contextlib.suppress(OSError):
                self._process.stdin.write(line.encode())
                self._process.stdin.flush()


def keep_watch(temporary: Path | None) -> None:
    """Follow the list on standard input until it ends, then clean up."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    alive: set[int] = set()
    for line in sys.stdin:
        pid = int(line[1:])
        if line.startswith("+"):
            alive.add(pid)
        else:
            alive.discard(pid)
    for pid in alive:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    if temporary is not None:
        shutil.rmtree(temporary, ignore_errors=True)


if __name__ == "__main__":
    keep_watch(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
