"""The console as a person uses it: in a terminal, on the living fleet."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from running import find_envoy
from terminal import Terminal

pytestmark = pytest.mark.e2e

ESCAPE = "\x1b"
LEFT_ALTERNATE_SCREEN = b"\x1b[?1049l"


def weigh(demo, first: int, second: int) -> None:
    operations = [
        {"op": "replace", "path": f"/spec/rules/0/backendRefs/{i}/weight", "value": weight}
        for i, weight in enumerate((first, second))
    ]
    demo.kubectl("patch", "httproute", "shop", "-n", "infra", "--type=json", "-p", json.dumps(operations))


def test_a_tour_of_every_key(demo):
    with Terminal("--kubeconfig", demo.kubeconfig) as terminal:
        terminal.until("central ingress", "infra/edge", "infra/shard-a", "infra/shard-b", "5/5 proxies", "LoadBalancer")
        terminal.press("2")
        terminal.until("GATEWAY", "STATE", "pod infra/edge-")
        terminal.press("/", "shard-b")
        terminal.until("shard-b-", absent=(" edge-",))
        terminal.press("\r", ESCAPE)
        terminal.until(" edge-", "shard-b-")
        terminal.press("?")
        terminal.until("Keys", "Every command by name")
        terminal.press("G")
        terminal.until("Marks")
        terminal.press(ESCAPE)
        terminal.until(absent=("Marks",))
        terminal.press("g", "\r")
        terminal.until("Listeners", "in flight")
        terminal.press("u")
        terminal.until("kube_infra_shard-a_8080")
        terminal.press("y")
        terminal.until("kind: Pod", "kgateway-proxy")
        terminal.press(ESCAPE, ESCAPE)
        terminal.until("STATE", absent=("kind: Pod", "UPSTREAM"))
        terminal.press("s")
        terminal.until("how do we know", "httproutes")
        terminal.press(ESCAPE, "p")
        terminal.until("PAUSED")
        terminal.press("p")
        terminal.until(absent=("PAUSED",))
        terminal.press(":", "map\r")
        terminal.until("TIER 1", "WORKLOADS")
        terminal.press(":", "nonsense\r")
        terminal.until("no command nonsense")
        terminal.press("q")
        terminal.until("press q again")
        terminal.press("q")
        assert terminal.ended() == 0
        assert LEFT_ALTERNATE_SCREEN in terminal.raw


def test_a_new_weight_shows_as_intended_and_then_as_observed(demo):
    with Terminal("--kubeconfig", demo.kubeconfig) as terminal:
        terminal.until("shop 90%", "shop 10%")
        try:
            weigh(demo, 40, 60)
            terminal.until("shop 40≠", "shop 60≠", within_s=5)
            terminal.until("shop 40%", "shop 60%", within_s=30)
        finally:
            weigh(demo, 90, 10)
        terminal.press("Q")
        assert terminal.ended() == 0


def test_a_killed_proxy_is_seen_and_seen_to_return(demo):
    pod = next(pod for pod in demo.ready["admin"] if pod.startswith("infra/shard-b-")).split("/")[1]
    with Terminal("--kubeconfig", demo.kubeconfig, columns=80, rows=24) as terminal:
        terminal.until("infra/shard-b", "5/5")
        os.kill(find_envoy(demo, pod), signal.SIGKILL)
        terminal.until("✖ infra/shard-b", "4/5", within_s=10)
        terminal.until("● infra/edge", "5/5", within_s=60)
        terminal.press("Q")
        assert terminal.ended() == 0


def test_a_cluster_that_cannot_be_reached_ends_the_console_with_one_line(tmp_path, demo):
    text = Path(demo.kubeconfig).read_text()
    port = text.split("https://127.0.0.1:")[1].split()[0].strip("\"'")
    file = tmp_path / "kubeconfig"
    file.write_text(text.replace(f"127.0.0.1:{port}", "127.0.0.1:1"))
    with Terminal("--kubeconfig", str(file)) as terminal:
        assert terminal.ended() == 3
        after = terminal.raw.split(LEFT_ALTERNATE_SCREEN)[-1].decode()
        assert "gwtui: playground (127.0.0.1:1): cannot connect: connection refused;" in after
        assert "Traceback" not in after
