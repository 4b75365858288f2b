"""The promise that ctrl-c pressed twice within two seconds quits, even while the event loop is stuck.

Key presses are read by a thread of the terminal driver, so it sees the second ctrl-c whatever the loop is doing. It
gives the console a moment to leave in good order; after that it puts the terminal back and ends the process.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from typing import Any

from textual import events
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

WITHIN_S = 2.0
"""Seconds in which the second ctrl-c must follow the first."""

GRACE_S = 2.0
"""Seconds the console has to leave by itself after the second ctrl-c."""

_RESET = (
    b"\x1b[?1049l\x1b[?25h\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1004l\x1b[?1006l\x1b[?1015l"
    b"\x1b[?2004l\x1b[<u\x1b[0m\r\n"
)
"""Leave the alternate screen, show the cursor, end mouse, focus, paste and key reporting."""


class LastExitDriver(LinuxDriver):
    """The terminal driver, watching for a second ctrl-c."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._last_interrupt_mono = float("-inf")
        self._watchdog: threading.Timer | None = None

    def process_message(self, message: Message) -> None:
        """Note interrupts on their way to the console; runs in the input thread."""
        if isinstance(message, events.Key) and message.key == "ctrl+c":
            now = time.monotonic()
            if now - self._last_interrupt_mono <= WITHIN_S and self._watchdog is None:
                self._watchdog = threading.Timer(GRACE_S, self._leave)
                self._watchdog.daemon = True
                self._watchdog.start()
            self._last_interrupt_mono = now
        super().process_message(message)

    def stop_application_mode(self) -> None:
        """The console leaves by itself: nothing to force any more."""
        if self._watchdog is not None:
            self._watchdog.cancel()
        super().stop_application_mode()

    def _leave(self) -> None:
        import termios  # noqa: PLC0415 - this driver exists on POSIX systems alone

        with contextlib.suppress(OSError, termios.error):
            if self.attrs_before is not None:
                termios.tcsetattr(self.fileno, termios.TCSANOW, self.attrs_before)
            os.write(self.fileno, _RESET)
        os._exit(130)
