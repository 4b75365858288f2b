"""Proxies named in the configuration file, without any Kubernetes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from running import Demo, gwtui


@pytest.fixture
def configured(demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration file that names the running Envoys, and no kubeconfig anywhere."""
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.setenv("HOME", str(tmp_path))
    tables = [
        f'[[proxy]]\nname = "{name.partition("/")[2]}"\nnamespace = "infra"\n'
        f'gateway = "{name.partition("/")[2].rsplit("-", 2)[0]}"\nadmin = "{url}"\n'
        for name, url in demo.ready["admin"].items()
    ]
    path = tmp_path / "config.toml"
    path.write_text("\n".join(tables))
    return path


def test_the_fleet_is_seen_with_figures_and_what_it_holds(configured: Path):
    done = gwtui("snapshot", "--config", str(configured), "-o", "json", "--settle", "6")
    assert done.returncode in {0, 1}, done.stderr
    document = json.loads(done.stdout)
    assert [cluster["name"] for cluster in document["clusters"]] == ["static"]
    assert {(each["name"], len(each["proxies"])) for each in document["gateways"]} == {
        ("edge", 2),
        ("shard-a", 2),
        ("shard-b", 1),
    }
    assert {(row["state"], row["way"]) for row in document["proxies"]} == {("live", "static")}
    assert all(row["rps"] > 0 for row in document["proxies"])
    assert {row["version"] for row in document["proxies"]} == {document["proxies"][0]["version"]}
    assert document["proxies"][0]["version"]


def test_one_that_does_not_listen_says_so_and_the_others_go_on(configured: Path):
    configured.write_text(
        configured.read_text() + '\n[[proxy]]\nname = "gone"\nnamespace = "infra"\nadmin = "http://127.0.0.1:9"\n'
    )
    done = gwtui("snapshot", "--config", str(configured), "-o", "json", "--settle", "2")
    assert done.returncode == 1
    rows = {row["name"]: row for row in json.loads(done.stdout)["proxies"]}
    assert rows["gone"]["state"] == "failing"
    assert "127.0.0.1:9" in rows["gone"]["reason"]
    assert {row["state"] for name, row in rows.items() if name != "gone"} == {"live"}


def test_a_kubeconfig_that_is_asked_for_is_still_needed(configured: Path, tmp_path: Path):
    done = gwtui("snapshot", "--config", str(configured), "--kubeconfig", str(tmp_path / "none"))
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
