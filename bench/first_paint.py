"""P8: time to the first paint of the console against an empty Textual app, both in a pseudo-terminal of 200x50.

The console starts against an API server that accepts connections and never answers, so what is timed is the way to the
frame that says "connecting". The two programs take turns; the ratio of the medians is the figure.
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

GOAL = 1.2
PAIRS = 9
DEADLINE_S = 20.0
EMPTY = """
from textual.app import App
from textual.widgets import Static
class Empty(App):
    def compose(self):
        yield Static("connecting")
Empty().run()
"""
KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: bench
clusters: [{{name: bench, cluster: {{server: "https://127.0.0.1:{port}"}}}}]
users: [{{name: bench, user: {{token: bench}}}}]
contexts: [{{name: bench, context: {{cluster: bench, user: bench}}}}]
"""


def measure(command: list[str], env: dict[str, str]) -> tuple[float, float]:
    """Return wall and CPU seconds from the start of the program until the word is on its terminal."""
    leader, follower = pty.openpty()
    fcntl.ioctl(leader, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
    started = time.perf_counter()
    process = subprocess.Popen(
        command, stdin=follower, stdout=follower, stderr=follower, env=env, start_new_session=True
    )
    os.close(follower)
    seen = b""
    try:
        while b"connecting" not in seen:
            if time.perf_counter() - started > DEADLINE_S or not select.select([leader], [], [], DEADLINE_S)[0]:
                raise SystemExit(f"no first paint within {DEADLINE_S:.0f} s: {command}: {seen[-300:]!r}")
            seen += os.read(leader, 65536)
        wall = time.perf_counter() - started
        ticks = Path(f"/proc/{process.pid}/schedstat").read_text().split()[0]
        return wall, int(ticks) / 1e9
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        os.close(leader)


def main() -> dict[str, object]:
    """Run the benchmark and return its result line."""
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONDONTWRITEBYTECODE", "KUBECONFIG", "NO_COLOR")}
    env |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as silent:
        env["HOME"] = folder
        kubeconfig = Path(folder, "kubeconfig")
        kubeconfig.write_text(KUBECONFIG.format(port=silent.getsockname()[1]))
        console = [sys.executable, "-m", "gwtui", "--kubeconfig", str(kubeconfig)]
        empty = [sys.executable, "-c", EMPTY]
        measure(console, env), measure(empty, env)  # compiles the bytecode
        pairs = [(measure(console, env), measure(empty, env)) for _ in range(PAIRS)]
    ours, floor = (statistics.median(pair[side][0] for pair in pairs) for side in (0, 1))
    ours_cpu, floor_cpu = (statistics.median(pair[side][1] for pair in pairs) for side in (0, 1))
    ratio = ours / floor
    return {
        "id": "P8",
        "what": "time to first paint, console against an empty Textual app",
        "ratio": round(ratio, 3),
        "goal": GOAL,
        "met": ratio <= GOAL,
        "wall_s": [round(ours, 3), round(floor, 3)],
        "cpu_ratio": round(ours_cpu / floor_cpu, 3),
        "pairs": PAIRS,
    }


if __name__ == "__main__":
    print(json.dumps(main()))
