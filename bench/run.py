"""Run every benchmark in its own process and print one JSON line each. Exit code 1 when a goal is missed.

Every figure is a ratio against a floor or a peer measured in the same run: single times mean little on shared machines.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

BENCHES = ("first_paint.py", "decode.py", "topology.py")
LIMIT_S = 600


def main() -> int:
    """Return the exit code."""
    wanted = sys.argv[1:] or BENCHES
    print(json.dumps({"load_average": os.getloadavg(), "cpus": os.cpu_count(), "python": sys.version.split()[0]}))
    missed = 0
    for name in wanted:
        done = subprocess.run(
            [sys.executable, str(Path(__file__).with_name(name))],
            stdout=subprocess.PIPE,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
        print(done.stdout, end="", flush=True)
        results = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        missed += done.returncode != 0 or not results or not all(result["met"] for result in results)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
