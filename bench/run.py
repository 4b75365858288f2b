"""Run every benchmark in its own process and print one JSON line per figure. Exit code 1 when a goal is missed.

A figure that cannot be had on this machine is told as "skipped" with the reason, and does not count as missed. Every
figure is a ratio against a floor or a peer measured in the same run: single times mean little on shared machines.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

BENCHES = (
    "first_paint.py",
    "decode.py",
    "topology.py",
    "map.py",
    "scrape.py",
    "fanout.py",
    "keys.py",
    "harm.py",
    "edits.py",
    "explain.py",
    "matching.py",
)
"""The rest of the folder supports them."""

LIMIT_S = 480
ROOT = Path(__file__).parents[1]


def main() -> int:
    """Return the exit code."""
    wanted = sys.argv[1:] or BENCHES
    print(json.dumps({"load_average": os.getloadavg(), "cpus": os.cpu_count(), "python": sys.version.split()[0]}))
    missed = 0
    for name in wanted:
        try:
            done = subprocess.run(
                [sys.executable, "-m", f"bench.{name.removesuffix('.py')}"],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                text=True,
                timeout=LIMIT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            print(json.dumps({"id": name, "error": f"not done within {LIMIT_S} s"}), flush=True)
            missed += 1
            continue
        print(done.stdout, end="", flush=True)
        results = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        missed += done.returncode != 0 or not results or not all("skipped" in each or each["met"] for each in results)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
