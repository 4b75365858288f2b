"""Create the virtual environment and install gwtui into it, never silent for more than a second or two.

Usage: python3 tools/setup_venv.py VENV EXTRA. Needs only the standard library. Done once per content of
`pyproject.toml`: a stamp in the environment records what it was made from, so a second call returns at once.
"""

from __future__ import annotations

import hashlib
import os
import queue
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST = (3, 11)
QUIET_S = 1.5


def main() -> int:
    """Return the exit code: 0 when the environment is ready."""
    venv, extra = ROOT / sys.argv[1], sys.argv[2]
    if sys.version_info < OLDEST:
        found = ".".join(map(str, sys.version_info[:3]))
        return fail(f"Python {found} is too old: gwtui needs 3.11 or newer; try `make PYTHON=python3.12 {extra}`")
    stamp = venv / f".gwtui-{extra}"
    wanted = hashlib.sha256((ROOT / "pyproject.toml").read_bytes() + sys.version.encode()).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted:
        return 0
    python = venv / "bin" / "python"
    if not python.exists():
        code = run(f"creating {venv.name}", [sys.executable, "-m", "venv", str(venv)])
        if code:
            return fail("could not create a virtual environment; on Debian and Ubuntu install python3-venv")
    install = ["-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off", "-e", f".[{extra}]"]
    if run(f"installing gwtui[{extra}]", [str(python), *install]):
        return fail("pip could not install the packages; its own words are above")
    stamp.write_text(wanted)
    return 0


def fail(message: str) -> int:
    """Print one line on stderr and return the exit code."""
    print(f"setup: {message}", file=sys.stderr)
    return 1


def run(what: str, command: list[str]) -> int:
    """Run a command, pass its lines on, and say that it still works whenever it is quiet for a while."""
    print(f"setup: {what} …", flush=True)
    started = time.monotonic()
    lines: queue.Queue[str | None] = queue.Queue()
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        threading.Thread(target=pump, args=(process, lines), daemon=True).start()
        while True:
            try:
                line = lines.get(timeout=QUIET_S)
            except queue.Empty:
                print(f"setup: {what} … {time.monotonic() - started:.0f} s", flush=True)
                continue
            if line is None:
                break
            if not line.startswith(("Requirement already", "  Using cached", "Looking in")):
                print(f"  {line.rstrip()[:160]}", flush=True)
    return process.returncode


def pump(process: subprocess.Popen[str], lines: queue.Queue[str | None]) -> None:
    """Move the process's output into the queue; None marks its end."""
    assert process.stdout is not None
    for line in process.stdout:
        lines.put(line)
    lines.put(None)


if __name__ == "__main__":
    sys.exit(main())
