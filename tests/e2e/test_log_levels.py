"""Log levels of real Envoys: changed for a while, told by the journal, and taken back when the lease is over."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from gwtui.adapters.journal import journal_path
from running import Demo, gwtui
from terminal import Terminal

pytestmark = pytest.mark.e2e

ESCAPE = "\x1b"


@pytest.fixture(autouse=True)
def own_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A journal of this test alone, in this process and in those it starts."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert journal_path().is_relative_to(tmp_path)


@pytest.fixture
def edge(demo: Demo):
    """A proxy of the edge; its levels are put back whatever a test did."""
    name = min(each for each in demo.ready["admin"] if each.startswith("infra/edge-"))
    yield name
    posted(demo, name, "/logging?level=warning")


def posted(demo: Demo, proxy: str, path: str) -> dict[str, str]:
    """The levels a proxy answers, asked without gwtui."""
    request = urllib.request.Request(demo.ready["admin"][proxy] + path, method="POST", data=b"")
    with urllib.request.urlopen(request, timeout=10) as answer:
        lines = answer.read().decode().splitlines()[1:]
    return dict(line.strip().split(": ") for line in lines if ": " in line)


def level(demo: Demo, proxy: str, logger: str = "http") -> str:
    return posted(demo, proxy, "/logging")[logger]


def remembered() -> list[dict[str, Any]]:
    done = gwtui("changes", "-o", "json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_level_is_changed_told_and_taken_back_by_the_next_gwtui(demo: Demo, edge: str):
    others = [each for each in demo.ready["admin"] if each != edge]
    done = demo.gwtui("proxy", "log", edge, "http=debug", "--yes", "--reason", "why 503", "--lease", "1s", "-o", "json")
    assert done.returncode == 0, done.stderr + done.stdout
    change = json.loads(done.stdout)
    assert (change["verdict"], change["lease_s"], change["blast_radius"]["gateways"]) == (
        "verified",
        1.0,
        ["infra/edge"],
    )
    assert [(each["truth"], each["is_met"]) for each in change["steps"][0]["truths"]] == [("loaded", True)]
    assert {name for name, each in posted(demo, edge, "/logging").items() if each == "debug"} == {"http"}
    assert {level(demo, each) for each in others} == {"warning"}
    (kept,) = remembered()
    assert (kept["id"], kept["reason"], kept["steps"][0]["state"]) == (change["id"], "why 503", "in force")

    refused = demo.gwtui("proxy", "log", edge, "http=trace", "--yes", "--read-only")
    assert refused.returncode == 4
    assert "read-only" in refused.stderr
    assert level(demo, edge) == "debug", "read-only takes nothing back either"
    assert len(remembered()) == 1

    next_one = demo.gwtui("proxy", "log", edge, "htpt=debug", "--yes")
    assert next_one.returncode == 4
    assert "is over: taken back" in next_one.stderr
    assert "did you mean http?" in next_one.stderr
    assert level(demo, edge) == "warning"
    first, second = remembered()
    assert (first["verdict"], second["verdict"], second["undoes"]) == ("undone", "verified", first["id"])


def test_by_keys_alone(demo: Demo, edge: str):
    with Terminal("--kubeconfig", demo.kubeconfig) as terminal:
        terminal.until("infra/edge", "5/5 proxies")
        terminal.press(":", f"proxy {edge}", "\r")
        terminal.until(edge, "Traffic")
        terminal.press("b")
        terminal.until("warning at start")
        terminal.press("L", "debug", "\r")
        terminal.until("POST /logging?level=debug", "taken back by /logging?level=warning", "type  edge  to apply")
        assert level(demo, edge) == "warning"
        terminal.press("edge", "\r")
        terminal.until("✔ loaded", "verified")
        assert set(posted(demo, edge, "/logging").values()) == {"debug"}
        terminal.press(ESCAPE)
        terminal.until("all loggers at debug until")
        terminal.press("5")
        terminal.until("VERDICT", "all loggers to debug")
        terminal.press("z")
        terminal.until("all loggers to warning", "type  edge  to apply")
        terminal.press("edge", "\r")
        terminal.until("✔ loaded", "verified")
        assert set(posted(demo, edge, "/logging").values()) == {"warning"}
        terminal.press(ESCAPE, "Q")
        assert terminal.ended() == 0


def test_a_proxy_at_a_fixed_address_without_kubernetes(demo: Demo, edge: str, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    config = tmp_path / "config.toml"
    config.write_text(f'[[proxy]]\nname = "front"\nnamespace = "own"\nadmin = "{demo.ready["admin"][edge]}"\n')
    done = gwtui("proxy", "log", "own/front", "router=trace", "--yes", "--config", str(config), "-o", "json")
    assert done.returncode == 0, done.stderr + done.stdout
    assert level(demo, edge, "router") == "trace"
    undone = gwtui("undo", json.loads(done.stdout)["id"], "--yes", "--config", str(config))
    assert undone.returncode == 0, undone.stderr + undone.stdout
    assert level(demo, edge, "router") == "warning"
    near = gwtui("proxy", "log", "own/frond", "debug", "--yes", "--config", str(config))
    assert near.returncode == 2
    assert "did you mean own/front?" in near.stderr
