"""The contract suite against a real kube-apiserver: `make test-apiserver`."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from xml.etree import ElementTree as ET

from tests.apiserver.binaries import Missing, build, find
from tests.apiserver.servers import Failed, Running, running

ROOT = Path(__file__).parents[2]
CASES = ("tests/contract", "tests/adapters/kubernetes/test_source_contract.py")
REAL = "kube-apiserver"
"""What the names of cases against the real server hold."""
NOT_RUN = 3
CHANNELS = ("gateway-api/standard", "kgateway")
"""Folders below the one that holds the published definitions."""


def definitions_folder() -> Path:
    """Where the published definitions of Gateway API and kgateway are, if anywhere."""
    return Path(os.environ.get("GWTUI_CRDS") or ROOT.parent / "shared" / "reference" / "crds")


def definitions() -> list[Path]:
    """The published definitions that the playground follows; empty where they are not at hand."""
    return [path for channel in CHANNELS for path in sorted((definitions_folder() / channel).glob("*.yaml"))]


def main() -> int:
    """Start the servers, run the suite on them, end them; the exit code is that of the tests."""
    parser = argparse.ArgumentParser(prog="make test-apiserver", description=__doc__)
    parser.add_argument("--no-build", action="store_true", help="do not run when the programs are not here")
    parser.add_argument("--serve", action="store_true", help="start the servers and wait, without running anything")
    options, arguments = parser.parse_known_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        binaries = find() if options.no_build else build()
    except Missing as error:
        print(f"the contract suite did NOT run against a real kube-apiserver: {error}", flush=True)
        return 0 if options.no_build else NOT_RUN
    found = definitions()
    if not found:
        print(f"no definitions of Gateway API in {definitions_folder()}: cases about its kinds will be skipped")
    with tempfile.TemporaryDirectory(prefix="gwtui-apiserver-") as folder:
        began = time.monotonic()
        try:
            with running(binaries, Path(folder), found) as server:
                took_s = time.monotonic() - began
                print(
                    f"kube-apiserver {server.version} is up after {took_s:.1f} s"
                    f" with {len(server.definitions)} custom resource definitions",
                    flush=True,
                )
                for remark in server.remarks:
                    print(remark, flush=True)
                if options.serve:
                    print(f"KUBECONFIG={server.kubeconfig}\netcd at {server.etcd}; ctrl-c ends it", flush=True)
                    signal.pause()
                return _test(server, arguments, Path(folder) / "cases.xml")
        except Failed as error:
            print(f"the contract suite did NOT run against a real kube-apiserver: {error}", flush=True)
            return NOT_RUN
        except KeyboardInterrupt:
            return 128 + signal.SIGINT


def _test(server: Running, arguments: list[str], told: Path) -> int:
    """Run the cases; `told` is where their outcomes are written.

    Those of the console run on both servers here, since it takes them too long to be run with every change.
    """
    environment = os.environ | {"GWTUI_CONTRACT_KUBECONFIG": str(server.kubeconfig), "GWTUI_CONTRACT_ETCD": server.etcd}
    command = [
        sys.executable,
        "-m",
        "pytest",
        f"--junitxml={told}",
        "-k",
        f"{REAL} or test_console",
        *(arguments or CASES),
    ]
    code = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
    outcomes = _outcomes(told)
    counts = ", ".join(f"{outcomes.count(each)} {each}" for each in ("passed", "failed", "skipped"))
    print(f"{len(outcomes)} contract cases against kube-apiserver {server.version}: {counts}", flush=True)
    return code


def _outcomes(told: Path) -> list[str]:
    """What became of each case on the real server."""
    found = []
    for case in ET.parse(told).iter("testcase") if told.exists() else ():
        if REAL in case.get("name", ""):
            tags = {part.tag for part in case}
            found.append("failed" if tags & {"failure", "error"} else "skipped" if "skipped" in tags else "passed")
    return found


if __name__ == "__main__":
    sys.exit(main())
