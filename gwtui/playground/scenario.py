"""Scenarios: fleets as data, one folder each with `scenario.toml` and `objects.yaml`.

What several of them have installed (control planes, a mesh) is in `installations`, one file each.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import msgspec
import yaml

from gwtui.errors import UsageError

_FOLDER = Path(__file__).parent / "scenarios"
_INSTALLATIONS = Path(__file__).parent / "installations"

DEFAULT = "central-ingress"


class Workload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The pods behind one Service."""

    namespace: str
    service: str
    replicas: int = 2
    latency_ms: float = 5.0
    """Time to answer, in ms."""
    jitter_ms: float = 3.0
    """Mean of an exponential part added to it, in ms."""
    error_ratio: float = 0.0
    """Share of answers that are a 500, 0 to 1."""


class Outside(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A host outside the cluster, played by a server of the playground."""

    host: str
    port: int
    latency_ms: float = 20.0
    """Time to answer, in ms."""
    jitter_ms: float = 5.0
    """Mean of an exponential part added to it, in ms."""
    error_ratio: float = 0.0
    """Share of answers that are a 500, 0 to 1."""


class Traffic(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What clients send to one host."""

    host: str
    entry: str
    """`namespace/gateway/listener`: the way in."""
    rps: float
    """Requests/s, open loop, streams not counted."""
    http2_ratio: float = 0.25
    """Share of requests sent over HTTP/2, 0 to 1."""
    streams: int = 0
    """Long event streams kept open."""
    paths: tuple[str, ...] = ("/",)


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One fleet: its workloads, its clients and its objects."""

    description: str
    workloads: tuple[Workload, ...] = ()
    traffic: tuple[Traffic, ...] = ()
    outside: tuple[Outside, ...] = ()
    installations: tuple[str, ...] = ()
    """What is installed in the cluster, by file name without ending."""
    name: str = ""
    objects: tuple[dict[str, Any], ...] = ()
    """The Kubernetes objects: those of the installations, then its own, in the order of the files."""


def scenario_names() -> tuple[tuple[str, str], ...]:
    """(name, one-line description) of every scenario, by name."""
    return tuple((each.name, _settings(each)["description"]) for each in sorted(_folders()))


def load_scenario(name: str) -> Scenario:
    """Read one scenario.

    Raises:
        UsageError: there is no scenario of that name.
    """
    folder = _FOLDER / name
    known = [each.name for each in sorted(_folders())]
    if name not in known:
        raise UsageError(f"no scenario named {name!r}", f"choose one of {', '.join(known)}")
    settings = _settings(folder)
    files = [_INSTALLATIONS / f"{each}.yaml" for each in settings.get("installations", ())]
    texts = [file.read_text() for file in (*files, folder / "objects.yaml")]
    objects = [each for text in texts for each in yaml.safe_load_all(text) if each]
    return msgspec.convert({**settings, "name": name, "objects": objects}, Scenario)


def _folders() -> list[Path]:
    return [each.parent for each in _FOLDER.glob("*/scenario.toml")]


def _settings(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "scenario.toml").read_text())
