"""Several clusters at once: two living ones, one that refuses, one that accepts and never answers."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from gwtui.errors import Exit
from gwtui.wiring.session import FIRST_ANSWER_S
from running import gwtui, start_demo, stop_demo
from terminal import Terminal

pytestmark = pytest.mark.e2e

SETTLE_S = 4.0
START_S = 12.0
"""Starting Python, reading what answers and asking every proxy once, on a machine that stalls."""


@dataclass
class Clusters:
    """One kubeconfig with the contexts `east`, `west`, `dead` and `mute`."""

    kubeconfig: Path

    def arguments(self, *contexts: str) -> list[str]:
        named = [word for context in contexts for word in ("--context", context)]
        return ["--kubeconfig", str(self.kubeconfig), *named]


@pytest.fixture(scope="module")
def mute() -> Iterator[int]:
    """The port of a server that accepts every connection and never says a word."""
    kept: list[socket.socket] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            try:
                kept.append(listener.accept()[0])
            except OSError:
                return

    thread = threading.Thread(target=accept)
    thread.start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(timeout=5)
    for connection in kept:
        connection.close()


@pytest.fixture(scope="module")
def clusters(demo, mute, tmp_path_factory) -> Iterator[Clusters]:
    west = start_demo("--scenario", "simple-ingress", "--duration", "600")
    try:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            refused = closed.getsockname()[1]
        merged = {"apiVersion": "v1", "kind": "Config", "clusters": [], "users": [], "contexts": []}
        for name, running in (("east", demo), ("west", west)):
            theirs = yaml.safe_load(Path(running.kubeconfig).read_text())
            user = theirs["contexts"][0]["context"]["user"]
            token = next(each["user"] for each in theirs["users"] if each["name"] == user)
            add_context(merged, name, theirs["clusters"][0]["cluster"], token)
        for name, port in (("dead", refused), ("mute", mute)):
            add_context(merged, name, {"server": f"https://127.0.0.1:{port}"}, {"token": "t"})
        file = tmp_path_factory.mktemp("clusters") / "kubeconfig"
        file.write_text(yaml.safe_dump(merged))
        yield Clusters(file)
    finally:
        stop_demo(west)


def add_context(merged: dict, name: str, cluster: dict, user: dict) -> None:
    merged["clusters"].append({"name": name, "cluster": cluster})
    merged["users"].append({"name": name, "user": user})
    merged["contexts"].append({"name": name, "context": {"cluster": name, "user": name}})


def complaints_about(stderr: str, cluster: str) -> list[str]:
    return [line for line in stderr.splitlines() if line.startswith(f"gwtui: {cluster}: ")]


def test_two_clusters_are_one_document(clusters):
    for _ in range(3):  # an upstream that was sent nothing since its fleet started, a moment ago, has no figure
        done = gwtui("map", *clusters.arguments("east", "west"), "-o", "json", "--settle", str(SETTLE_S))
        assert done.returncode == Exit.OK, done.stderr
        east, west = json.loads(done.stdout)["clusters"]
        if all(edge["rps"] is not None for cluster in (east, west) for edge in cluster["edges"]):
            break
    assert [east["name"], west["name"]] == ["east", "west"]
    assert [each["id"] for each in east["patterns"]] == ["sharded-central-ingress"]
    assert [each["id"] for each in west["patterns"]] == ["simple-ingress"]
    for cluster in (east, west):
        gateways = [gateway for tier in cluster["tiers"] for gateway in tier["gateways"]]
        assert all(gateway["answering"] == len(gateway["proxies"]) > 0 for gateway in gateways)
        assert all(edge["rps"] is not None for edge in cluster["edges"])


@pytest.mark.parametrize("command", ["snapshot", "map"])
def test_a_dead_and_a_mute_cluster_hold_nobody_up(clusters, command):
    started = time.monotonic()
    done = gwtui(command, *clusters.arguments("mute", "dead", "east", "west"), "-o", "json", "--settle", str(SETTLE_S))
    took_s = time.monotonic() - started
    assert done.returncode == Exit.FINDINGS, done.stderr
    assert took_s < FIRST_ANSWER_S + SETTLE_S + START_S
    states = {cluster["name"]: cluster["state"] for cluster in json.loads(done.stdout)["clusters"]}
    assert states == {"east": "ready", "west": "ready", "dead": "failed", "mute": "failed"}
    (dead,) = complaints_about(done.stderr, "dead")
    assert "refused" in dead
    assert "; " in dead
    (mute,) = complaints_about(done.stderr, "mute")
    assert "no answer in time" in mute
    assert complaints_about(done.stderr, "east") == complaints_about(done.stderr, "west") == []


def test_the_table_and_the_text_say_it_once(clusters):
    table = gwtui("snapshot", *clusters.arguments("dead", "west"), "--settle", "0")
    assert table.returncode == Exit.FINDINGS
    assert sum("refused" in line for line in table.stdout.splitlines()) == 1, table.stdout
    text = gwtui("map", *clusters.arguments("dead", "west"), "--settle", "0", "--width", "120")
    assert text.returncode == Exit.FINDINGS
    assert sum("refused" in line for line in text.stdout.splitlines()) == 1, text.stdout
    assert "cannot reach dead" in text.stdout
    assert "TIER 1" in text.stdout


def test_when_all_are_dead_it_is_one_error(clusters):
    started = time.monotonic()
    done = gwtui("map", *clusters.arguments("dead", "mute"))
    assert done.returncode == Exit.UNREACHABLE
    assert done.stdout == ""
    assert done.stderr.startswith("gwtui: dead (127.0.0.1:")
    assert done.stderr.count("\n") == 1
    assert time.monotonic() - started < FIRST_ANSWER_S + START_S


def test_the_console_paints_the_living_while_the_mute_is_still_connecting(clusters):
    with Terminal(*clusters.arguments("mute", "east", "dead"), columns=160) as terminal:
        screen = terminal.until("infra/edge", "infra/shard-a", "5/5", "connecting to mute", within_s=30)
        assert "cannot reach mute" not in screen
        terminal.until("cannot reach mute", "infra/edge", within_s=FIRST_ANSWER_S + START_S)
        terminal.press("Q")
        assert terminal.ended() == 0
