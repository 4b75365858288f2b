"""Ends the console with its terminal."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading


def end_with_terminal() -> None:
    """End this process as soon as its terminal hangs up, whoever holds the event loop then.

    The kernel tells that to the leader of the session alone. Where this is a program that keeps it to itself (`make`, a
    wrapper), we would go on for nobody, and hang: what is painted blocks once nothing takes it. A change that is under
    way can be taken up or back, as after any sudden end.
    """
    terminal = os.dup(sys.stdin.fileno())
    threading.Thread(target=_wait, args=(terminal,), name="hangup", daemon=True).start()


def _wait(terminal: int) -> None:
    hangups = select.poll()
    hangups.register(terminal, 0)  # of nothing that can be read or written, so that no key wakes it
    hangups.poll()
    os.kill(os.getpid(), signal.SIGHUP)
