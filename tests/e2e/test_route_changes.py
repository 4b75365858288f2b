"""Changing a route on the living fleet: seen before, proved after, undone; whatever happens in between."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from copy import deepcopy
from typing import Any

import pytest

from api_server import ApiServer, content
from gwtui.adapters.journal import journal_path
from running import Demo, gwtui
from terminal import Terminal

pytestmark = pytest.mark.e2e

ESCAPE = "\x1b"
GWTUI = (sys.executable, "-m", "gwtui")
HALVES = ("shard-a=50", "shard-b=50")
STEPS = ("writing ", "the server took", "✔ stored", "✔ programmed", "✔ loaded", "✔ observed")
"""Lines of progress, each told once what it tells of is in the journal."""


@pytest.fixture(autouse=True)
def own_journal(tmp_path, monkeypatch) -> None:
    """A journal of this test alone, in this process and in those it starts."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert journal_path().is_relative_to(tmp_path)


@pytest.fixture
def server(demo: Demo):
    """The API server; the route is put back as it was, whatever a test did."""
    found = ApiServer(demo.kubeconfig)
    before = found.route("infra", "shop")["spec"]
    yield found
    if found.route("infra", "shop")["spec"] != before:
        found.patch_route("infra", "shop", [{"op": "replace", "path": "/spec", "value": before}])
    found.close()


def weight(demo: Demo, *arguments: str) -> subprocess.CompletedProcess[str]:
    return demo.gwtui("route", "weight", "infra/shop", *arguments, timeout=120)


def weights(route: dict[str, Any]) -> list[int]:
    return [ref["weight"] for ref in route["spec"]["rules"][0]["backendRefs"]]


def failed(demo: Demo) -> int:
    return sum(host["failed"] for host in demo.traffic()["hosts"].values())


def remembered() -> list[dict[str, Any]]:
    done = gwtui("changes", "-o", "json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_dry_run_shows_the_plan_and_writes_nothing(demo, server):
    before = server.route("infra", "shop")
    done = weight(demo, *HALVES, "--dry-run", "-o", "json")
    assert done.returncode == 0, done.stderr
    plan = json.loads(done.stdout)
    assert plan["verdict"] is None
    assert [(each["path"], each["before"], each["after"]) for each in plan["diff"]] == [
        ("spec.rules[0].backendRefs[0].weight", 90, 50),
        ("spec.rules[0].backendRefs[1].weight", 10, 50),
    ]
    blast = plan["blast_radius"]
    assert (blast["gateways"], blast["hostnames"]) == (["infra/edge"], ["shop.example.com"])
    assert 0.3 < blast["moved_rps"] / 14.4 < 1.7  # two fifths of 36 requests/s
    assert server.route("infra", "shop") == before
    assert remembered() == []


def test_from_ninety_ten_to_halves_and_back_without_one_failed_request(demo, server):
    before, failed_before = server.route("infra", "shop"), failed(demo)
    done = weight(demo, *HALVES, "--yes", "--reason", "half of it", "-o", "json")
    assert done.returncode == 0, done.stderr + done.stdout
    change = json.loads(done.stdout)
    assert change["verdict"] == "verified"
    truths = {each["truth"]: each for each in change["steps"][0]["truths"]}
    assert list(truths) == ["stored", "programmed", "loaded", "observed"]
    pods = [pod.split("/")[1] for pod in demo.ready["admin"] if pod.startswith("infra/edge-")]
    assert len(pods) == 2
    assert all(pod in truths["loaded"]["text"] for pod in pods)
    assert weights(server.route("infra", "shop")) == [50, 50]
    assert _observed(demo, "shard-a") == pytest.approx(0.5, abs=0.06)  # by lot, within what chance explains

    undone = demo.gwtui("undo", change["id"], "--yes", timeout=120)
    assert undone.returncode == 0, undone.stderr + undone.stdout
    assert content(server.route("infra", "shop")) == content(before)
    first, second = remembered()
    assert (first["verdict"], first["reason"], second["undoes"]) == ("undone", "half of it", first["id"])
    assert failed(demo) == failed_before


def _observed(demo: Demo, backend: str) -> float:
    """Share of the shop's requests that a shard gets, as the console tells it after its rates have settled."""
    document = demo.snapshot(settle_s=11)
    (route,) = [each for each in document["routes"] if (each["namespace"], each["name"]) == ("infra", "shop")]
    (found,) = [each for each in route["rules"][0]["backends"] if each["name"] == backend]
    return found["observed_share"]


def test_by_keys_alone(demo, server):
    before, failed_before = server.route("infra", "shop"), failed(demo)
    with Terminal("--kubeconfig", demo.kubeconfig) as terminal:
        terminal.until("infra/edge", "5/5 proxies")
        terminal.press("3")
        terminal.until("HOSTNAMES", "infra/shop")
        terminal.press(":", "routes ns:infra host:shop\r")
        terminal.until("filter ns:infra")  # the prompt is gone once this shows
        terminal.press("e")
        terminal.until("editing httproutes/infra/shop", "nothing changed yet", "shard-a:8080")
        terminal.press("-", "-", "-", "-")
        terminal.until("2 fields changed", "50%")
        terminal.press("v")
        terminal.until("the server's dry run accepted it", "type  shop  to apply")
        terminal.press("shop", "\r")
        terminal.until("✔ loaded", "✔ observed", "verified", within_s=60)
        assert weights(server.route("infra", "shop")) == [50, 50]
        terminal.press(ESCAPE)
        terminal.until("editing", "nothing changed yet")
        terminal.press(ESCAPE, "5")
        terminal.until("VERDICT", "shop rule 0", "verified")
        terminal.press("z")
        terminal.until("shard-a 50 → 90", "type  shop  to apply")
        terminal.press("shop", "\r")
        terminal.until("✔ observed", "verified", within_s=60)
        assert content(server.route("infra", "shop")) == content(before)
        terminal.press(ESCAPE)
        terminal.until("undone")
        terminal.press("Q")
        assert terminal.ended() == 0
    assert failed(demo) == failed_before


@pytest.mark.parametrize(("step", "way"), [(step, ("undo", "resume")[i % 2]) for i, step in enumerate(STEPS)])
def test_killed_at_any_step_it_can_be_taken_up_or_back(demo, server, step, way):
    before = server.route("infra", "shop")
    process = subprocess.Popen(
        [*GWTUI, "--kubeconfig", demo.kubeconfig, "route", "weight", "infra/shop", *HALVES, "--yes", "-o", "json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + 60
    while time.monotonic() < end and (told := process.stderr.readline()):
        if told.startswith(step):
            break
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    (change,) = remembered()
    if way == "resume" and change["verdict"] == "open":
        resumed = demo.gwtui("resume", change["id"], "--yes", timeout=120)
        assert resumed.returncode == 0, resumed.stderr + resumed.stdout
        assert weights(server.route("infra", "shop")) == [50, 50]
        return
    if content(server.route("infra", "shop")) != content(before):
        undone = demo.gwtui("undo", change["id"], "--yes", timeout=120)
        assert undone.returncode == 0, undone.stderr + undone.stdout
    assert content(server.route("infra", "shop")) == content(before)


def test_undo_keeps_what_somebody_else_changed_and_refuses_the_same_field(demo, server):
    done = weight(demo, *HALVES, "--yes", "-o", "json")
    assert done.returncode == 0, done.stderr
    change = json.loads(done.stdout)["id"]
    server.patch_route("infra", "shop", [{"op": "add", "path": "/spec/hostnames/-", "value": "theirs.example.com"}])
    theirs = [{"op": "replace", "path": "/spec/rules/0/backendRefs/0/weight", "value": 51}]
    server.patch_route("infra", "shop", theirs)
    refused = demo.gwtui("undo", change, "--yes", timeout=120)
    assert refused.returncode == 4
    assert "changed by somebody else since" in refused.stderr
    assert "spec.rules[0].backendRefs[0].weight" in refused.stderr
    assert weights(server.route("infra", "shop")) == [51, 50]
    server.patch_route("infra", "shop", [{**theirs[0], "value": 50}])
    undone = demo.gwtui("undo", change, "--yes", timeout=120)
    assert undone.returncode == 0, undone.stderr
    now = server.route("infra", "shop")
    assert weights(now) == [90, 10]
    assert "theirs.example.com" in now["spec"]["hostnames"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("shard-a=0", "shard-b=0", "--yes"), "no backend has a weight"),
        (("shard-a=50", "shard-b=50"), "add --yes"),
        (("shard-a=50", "shard-b=50", "--yes", "--read-only"), "read-only"),
        (("shard-c=50", "--yes"), "shard-c"),
        (("shard-a=many", "--yes"), "many"),
    ],
)
def test_what_is_refused_says_why_and_writes_nothing(demo, server, arguments, told):
    before = server.route("infra", "shop")
    done = weight(demo, *arguments)
    assert done.returncode in {2, 4}
    assert told in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert server.route("infra", "shop") == before


def test_a_lease_that_is_over_is_taken_back_by_the_next_gwtui(demo, server):
    before = server.route("infra", "shop")
    done = weight(demo, *HALVES, "--yes", "--lease", "1s")
    assert done.returncode == 0, done.stderr
    time.sleep(1)
    with Terminal("--kubeconfig", demo.kubeconfig) as terminal:
        terminal.until("5/5 proxies", "✎1 lease")
        terminal.until("taken back", absent=("1 lease",), within_s=60)
        terminal.press("Q")
        assert terminal.ended() == 0
    assert content(server.route("infra", "shop")) == content(before)


def test_a_broken_guard_takes_the_change_back(demo, server):
    before = server.route("infra", "shop")
    done = weight(demo, *HALVES, "--yes", "--guard-p99", "1ms", "--bake", "20s")
    assert done.returncode == 5
    assert "rolled back" in done.stdout
    assert content(server.route("infra", "shop")) == content(before)


def test_the_operators_own_editor_edits_the_whole_route(demo, monkeypatch):
    monkeypatch.setenv("EDITOR", "sed -i 's/weight: 90/weight: 60/'")
    monkeypatch.delenv("VISUAL", raising=False)
    done = demo.gwtui("route", "edit", "infra/shop", "--dry-run", "-o", "json", timeout=120)
    assert done.returncode == 0, done.stderr
    assert [(each["before"], each["after"]) for each in json.loads(done.stdout)["diff"]] == [(90, 60)]
    monkeypatch.setenv("EDITOR", "false")
    failed_edit = demo.gwtui("route", "edit", "infra/shop", "--dry-run", timeout=120)
    assert (failed_edit.returncode, "what you wrote is in" in failed_edit.stderr) == (2, True)


def test_a_file_makes_the_route_what_it_says(demo, server, tmp_path):
    before = server.route("infra", "shop")
    wished = deepcopy(content(before))
    wished["spec"]["rules"][0]["timeouts"] = {"request": "7s"}
    file = tmp_path / "shop.yaml"
    file.write_text(json.dumps({"apiVersion": before["apiVersion"], "kind": before["kind"], **wished}))
    done = demo.gwtui("route", "apply", "-f", str(file), "--yes", "-o", "json", timeout=120)
    assert done.returncode == 0, done.stderr
    assert server.route("infra", "shop")["spec"]["rules"][0]["timeouts"] == {"request": "7s"}
    (change,) = remembered()
    assert demo.gwtui("undo", change["id"][-4:], "--yes", timeout=120).returncode == 0
    assert content(server.route("infra", "shop")) == content(before)
