"""P5, P6 and P7: how quickly the Proxies screen follows a key while 1000 proxies are polled and 1000 cells/s change.

Three programs run in a pseudo-terminal of 200x50, one after the other:

- gwtui: the console on its Proxies screen, over the console's own polling of 1000 proxies that answer as an Envoy with
  50 routes did (`bench/replay.py`). A proxy is sampled every 5 s, and five of its figures change with each sample.
- table: the same rows in a stock `DataTable` over the same polling in the same loop. It takes over the cells that
  changed once a second, which is kind to it: one changed cell makes it paint everything.
- empty: a Textual app with one line that follows the key, and nothing else to do.

A key moves the cursor; its time ends when the line that names the selected row is on the terminal. P5 is the 99th
percentile of gwtui against table, P6 the median of gwtui against empty, P7 the 99th percentile of how late a task that
sleeps 10 ms wakes in the loop of gwtui, against table.

Prints one JSON line per figure. Run with `python -m bench.keys`.
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import random
import re
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.envoys import process_cpu_s
from bench.replay import served

GOALS = {"P5": 0.3, "P6": 2.0, "P7": 0.10}
PROGRAMS = ("gwtui", "table", "empty")
WARM_S = 9.0
"""Longer than a period and a half: every row has rates."""

KEYS_S = {"gwtui": 22.0, "table": 22.0, "empty": 8.0}
PAUSE_S = (0.05, 0.11)
"""Least and most seconds between the answer to a key and the next one."""

DEADLINE_S = 20.0
ANSWER_S = 5.0
SELECTED = re.compile(rb"infra/gw-(\d{3}-\d)")
"""The selected row as only the line about it writes it: the table has namespace and pod in different columns."""


@dataclass(frozen=True)
class Felt:
    """What one program did while keys were pressed."""

    keys_ms: list[float]
    lags_ms: list[float]
    core: float
    """CPU seconds per second."""


class Typist:
    """Types into a program on a pseudo-terminal and reads what it paints.

    Args:
        leader: our end of the terminal.
    """

    def __init__(self, leader: int) -> None:
        self._leader = leader
        self._tail = b""
        self._selected = b""

    def wait_for(self, word: bytes) -> None:
        """Read until a word is painted."""
        end = time.monotonic() + DEADLINE_S
        seen = b""
        while word not in seen:
            if time.monotonic() > end:
                raise RuntimeError(f"{word!r} is not painted: {seen[-300:]!r}")
            seen += self._read(0.1)

    def rest(self, seconds: float) -> None:
        """Read on without typing."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._note(self._read(left))

    def press(self, key: bytes) -> None:
        """Type a key."""
        os.write(self._leader, key)

    def answer_ms(self) -> float:
        """Press the key that moves the cursor; ms until another row is named as the selected one."""
        before = self._selected
        started = time.perf_counter()
        self.press(b"j")
        while self._selected == before:
            if time.perf_counter() - started > ANSWER_S:
                raise RuntimeError(f"no answer to a key within {ANSWER_S} s; {before!r} is selected")
            self._note(self._read(0.05))
        return (time.perf_counter() - started) * 1000

    def _note(self, data: bytes) -> None:
        self._tail = self._tail[-32:] + data
        found = SELECTED.findall(self._tail)
        if found:
            self._selected = found[-1]

    def _read(self, wait_s: float) -> bytes:
        if not select.select([self._leader], [], [], wait_s)[0]:
            return b""
        try:
            return os.read(self._leader, 65536)
        except OSError:  # the program has ended
            return b""


@contextmanager
def terminal(command: list[str]) -> Iterator[tuple[subprocess.Popen[bytes], Typist]]:
    """Run a program on a pseudo-terminal."""
    leader, follower = pty.openpty()
    fcntl.ioctl(leader, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
    env = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    env |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    process = subprocess.Popen(
        command, stdin=follower, stdout=follower, stderr=follower, env=env, start_new_session=True
    )
    os.close(follower)
    try:
        yield process, Typist(leader)
    finally:
        process.kill()
        process.wait()
        os.close(leader)


def felt(program: str, port: int, folder: Path) -> Felt:
    """Run one program, warm it up, and type."""
    notes = folder / f"{program}.json"
    command = [sys.executable, "-m", "bench.screens", program, str(port), str(notes)]
    with terminal(command) as (process, typist):
        if program == "gwtui":
            typist.wait_for(b"Proxies")
            typist.press(b"2")
        typist.wait_for(b"gw-000")
        typist.rest(WARM_S if program != "empty" else 1.0)
        typist.press(b"j")
        typist.rest(1.0)
        keys, cpu_s, started = [], process_cpu_s(process.pid), time.perf_counter()
        while time.perf_counter() - started < KEYS_S[program]:
            keys.append(typist.answer_ms())
            typist.rest(random.uniform(*PAUSE_S))
        ended = time.perf_counter()
        core = (process_cpu_s(process.pid) - cpu_s) / (ended - started)
        process.send_signal(signal.SIGTERM)
        end = time.monotonic() + DEADLINE_S
        while process.poll() is None and time.monotonic() < end:
            typist.rest(0.05)
    # The monotonic clock is one for all processes of a machine.
    lags = [late_s * 1000 for at, late_s in json.loads(notes.read_text()) if started <= at <= ended]
    return Felt(keys, lags, core)


def percentile(values: list[float], part: int) -> float:
    """One of the 99 percentiles."""
    return statistics.quantiles(values, n=100, method="inclusive")[part - 1]


def figure(name: str, what: str, ours: float, peer: float, **more: Any) -> str:
    """A result as its JSON line."""
    ratio = ours / peer
    told = {"id": name, "what": what, "ratio": round(ratio, 3), "goal": GOALS[name], "met": ratio <= GOALS[name]}
    return json.dumps({**told, "ms": [round(ours, 1), round(peer, 1)], **more})


def main() -> None:
    with served() as port, tempfile.TemporaryDirectory() as folder:
        found = {program: felt(program, port, Path(folder)) for program in PROGRAMS}
    ours, table, empty = (found[program] for program in PROGRAMS)
    more = {
        "core": {name: round(each.core, 2) for name, each in found.items()},
        "keys": {name: len(each.keys_ms) for name, each in found.items()},
        "load_average": round(os.getloadavg()[0], 2),
    }
    p99 = [percentile(each.keys_ms, 99) for each in (ours, table)]
    p50 = [statistics.median(each.keys_ms) for each in (ours, empty)]
    lag = [percentile(each.lags_ms, 99) for each in (ours, table)]
    worst = [round(max(each.lags_ms), 1) for each in (ours, table)]
    print(figure("P5", "key to paint, p99, against a DataTable", *p99, **more))
    print(figure("P6", "key to paint, p50, against an empty Textual app", *p50))
    print(figure("P7", "event-loop lag, p99, against a DataTable", *lag, longest_ms=worst))


if __name__ == "__main__":
    main()
