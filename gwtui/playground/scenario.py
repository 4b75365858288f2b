"""Scenarios: fleets as data, one folder each with `scenario.toml` and `objects.yaml`.

What several of them have installed (control planes, a mesh) is in `installations`, one file each.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml

from gwtui.errors import UsageError
from gwtui.playground.certificates import Certificate
from gwtui.playground.faults import Fault

_FOLDER = Path(__file__).parent / "scenarios"
_INSTALLATIONS = Path(__file__).parent / "installations"

DEFAULT = "central-ingress"


class Workload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The pods behind one Service."""

    namespace: str
    service: str
    protocol: Literal["http", "grpc"] = "http"
    """What its pods speak: HTTP/1.1 with event streams and WebSockets, or gRPC alone."""
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
    websockets: int = 0
    """WebSockets kept open, each with a message and its echo twice a second."""
    grpc_rps: float = 0.0
    """Unary gRPC calls/s, open loop."""
    grpc_streams: int = 0
    """Long gRPC server streams kept open."""
    paths: tuple[str, ...] = ("/",)


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One fleet: its workloads, its clients and its objects."""

    description: str
    workloads: tuple[Workload, ...] = ()
    traffic: tuple[Traffic, ...] = ()
    outside: tuple[Outside, ...] = ()
    certificates: tuple[Certificate, ...] = ()
    faults: tuple[Fault, ...] = ()
    """What goes wrong."""
    based_on: str = ""
    """Another scenario: whatever this one does not say is as there, its objects and workloads included."""
    installations: tuple[str, ...] = ()
    """What is installed in the cluster, by file name without ending."""
    name: str = ""
    objects: tuple[dict[str, Any], ...] = ()
    """The Kubernetes objects: those of the installations, then its own, in the order of the files."""


def scenario_names() -> tuple[tuple[str, str], ...]:
    """(name, one-line description) of every scenario, by name."""
    return tuple((each.name, _settings(each)["description"]) for each in sorted(_folders()))


def pattern_names() -> tuple[str, ...]:
    """Names of the scenarios that show a deployment pattern; the others are incidents, each based on one of these."""
    return tuple(each.name for each in sorted(_folders()) if "based_on" not in _settings(each))


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
    folders = [folder]
    if base := settings.get("based_on"):
        settings = _changed(_settings(_FOLDER / base), settings)
        folders = [_FOLDER / base, folder]
    files = [_INSTALLATIONS / f"{each}.yaml" for each in settings.get("installations", ())]
    own = [each / "objects.yaml" for each in folders if (each / "objects.yaml").exists()]
    texts = [file.read_text() for file in (*files, *own)]
    objects = [each for text in texts for each in yaml.safe_load_all(text) if each]
    return msgspec.convert({**settings, "name": name, "objects": objects}, Scenario)


def with_rates(scenario: Scenario, rates: Mapping[str, float]) -> Scenario:
    """Return the scenario with other rates of requests.

    Args:
        scenario: A scenario.
        rates: Requests/s by host; hosts that are not named keep theirs.

    Raises:
        UsageError: clients do not ask a host that is named, or the rate is negative or no number.
    """
    hosts = [each.host for each in scenario.traffic]
    for host, rps in rates.items():
        if host not in hosts:
            raise UsageError(f"no clients ask {host!r} in {scenario.name}", f"choose one of {', '.join(hosts) or '-'}")
        if not 0 <= rps < math.inf:
            raise UsageError(f"{rps:g} requests/s for {host}", "a rate is 0 or more")
    traffic = tuple(msgspec.structs.replace(each, rps=rates.get(each.host, each.rps)) for each in scenario.traffic)
    return msgspec.structs.replace(scenario, traffic=traffic)


def _changed(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The settings of a scenario that is based on another. Workloads change one by one, all else as a whole."""
    workloads: dict[tuple[str, str], dict[str, Any]] = {}
    for each in (*base.get("workloads", ()), *changes.get("workloads", ())):
        key = each["namespace"], each["service"]
        workloads[key] = {**workloads.get(key, {}), **each}
    return {**base, **changes, "workloads": list(workloads.values())}


def _folders() -> list[Path]:
    return [each.parent for each in _FOLDER.glob("*/scenario.toml")]


def _settings(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "scenario.toml").read_text())
