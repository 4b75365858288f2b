"""Objects as the rows of a table (`kubectl get`), or as bare metadata."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gwtui.playground.api.kinds import Kind
from gwtui.playground.api.status import Json

_META = "meta.k8s.io/v1"


@dataclass(frozen=True, slots=True)
class Column:
    """One column; a priority above 0 shows it only in the wide output."""

    name: str
    value: Callable[[Json], Any]
    type: str = "string"
    priority: int = 0


def _at(*path: str) -> Callable[[Json], Any]:
    def value(obj: Json) -> Any:
        found: Any = obj
        for name in path:
            found = found.get(name) if isinstance(found, dict) else None
        return found

    return value


def _condition(name: str) -> Callable[[Json], Any]:
    def value(obj: Json) -> Any:
        listed = obj.get("status", {}).get("conditions", [])
        return next((item.get("status") for item in listed if item.get("type") == name), None)

    return value


def age(stamp: str | None) -> str:
    """How long ago a timestamp was, in one or two units, as kubectl prints it."""
    if not stamp:
        return "<unknown>"
    seconds = int((datetime.now(UTC) - datetime.fromisoformat(stamp)).total_seconds())
    if seconds < 120:
        return f"{max(seconds, 0)}s"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if minutes < 180:
        return f"{minutes}m{seconds % 60}s" if minutes < 10 and seconds % 60 else f"{minutes}m"
    if hours < 48:
        return f"{hours}h{minutes % 60}m" if hours < 8 and minutes % 60 else f"{hours}h"
    return f"{days}d" if days < 730 else f"{days // 365}y"


def _age(obj: Json) -> str:
    return age(obj["metadata"].get("creationTimestamp"))


def _ready(obj: Json) -> str:
    states = obj.get("status", {}).get("containerStatuses", [])
    total = len(obj.get("spec", {}).get("containers", []))
    return f"{sum(bool(state.get('ready')) for state in states)}/{total}"


def _pod_state(obj: Json) -> str:
    if obj["metadata"].get("deletionTimestamp"):
        return "Terminating"
    for state in obj.get("status", {}).get("containerStatuses", []):
        waiting = state.get("state", {}).get("waiting", {})
        if waiting.get("reason"):
            return str(waiting["reason"])
    return str(obj.get("status", {}).get("phase", "Unknown"))


def _restarts(obj: Json) -> int:
    return sum(state.get("restartCount", 0) for state in obj.get("status", {}).get("containerStatuses", []))


def _external(obj: Json) -> str:
    ingress = obj.get("status", {}).get("loadBalancer", {}).get("ingress", [])
    found = [str(item.get("ip") or item.get("hostname")) for item in ingress]
    waiting = "<pending>" if obj.get("spec", {}).get("type") == "LoadBalancer" else "<none>"
    return ",".join(found or obj.get("spec", {}).get("externalIPs", [])) or waiting


def _ports(obj: Json) -> str:
    ports = obj.get("spec", {}).get("ports", [])
    return (
        ",".join(
            f"{port.get('port')}{':' + str(port['nodePort']) if 'nodePort' in port else ''}/{port.get('protocol')}"
            for port in ports
        )
        or "<none>"
    )


def _addresses(obj: Json) -> str | None:
    return ",".join(str(item.get("value")) for item in obj.get("status", {}).get("addresses", [])) or None


def _replicas(obj: Json) -> str:
    return f"{obj.get('status', {}).get('readyReplicas', 0)}/{obj.get('spec', {}).get('replicas', 0)}"


def _counted(name: str) -> Callable[[Json], int]:
    return lambda obj: int(obj.get("status", {}).get(name, 0))


_NAME = Column("Name", _at("metadata", "name"))
_AGE = Column("Age", _age, "date")
_HOSTNAMES = Column("Hostnames", _at("spec", "hostnames"))
_COLUMNS: dict[str, tuple[Column, ...]] = {
    "pods": (
        Column("Ready", _ready),
        Column("Status", _pod_state),
        Column("Restarts", _restarts, "integer"),
        _AGE,
        Column("IP", _at("status", "podIP"), priority=1),
        Column("Node", _at("spec", "nodeName"), priority=1),
    ),
    "services": (
        Column("Type", _at("spec", "type")),
        Column("Cluster-IP", _at("spec", "clusterIP")),
        Column("External-IP", _external),
        Column("Port(s)", _ports),
        _AGE,
        Column("Selector", _at("spec", "selector"), priority=1),
    ),
    "namespaces": (Column("Status", _at("status", "phase")), _AGE),
    "deployments": (
        Column("Ready", _replicas),
        Column("Up-to-date", _counted("updatedReplicas"), "integer"),
        Column("Available", _counted("availableReplicas"), "integer"),
        _AGE,
    ),
    "events": (
        Column("Last Seen", lambda obj: age(obj.get("lastTimestamp"))),
        Column("Type", _at("type")),
        Column("Reason", _at("reason")),
        Column(
            "Object", lambda obj: "{kind}/{name}".format(**{"kind": "", "name": ""} | obj.get("involvedObject", {}))
        ),
        Column("Message", _at("message")),
    ),
    "gatewayclasses": (
        Column("Controller", _at("spec", "controllerName")),
        Column("Accepted", _condition("Accepted")),
        _AGE,
        Column("Description", _at("spec", "description"), priority=1),
    ),
    "gateways": (
        Column("Class", _at("spec", "gatewayClassName")),
        Column("Address", _addresses),
        Column("Programmed", _condition("Programmed")),
        _AGE,
    ),
    "httproutes": (_HOSTNAMES, _AGE),
    "grpcroutes": (_HOSTNAMES, _AGE),
    "listenersets": (Column("Accepted", _condition("Accepted")), Column("Programmed", _condition("Programmed")), _AGE),
}


def table(kind: Kind, objects: Iterable[Json], metadata: Json, include: str) -> Json:
    """A `Table` of the objects; `include` is `None`, `Metadata` (also when empty) or `Object`."""
    columns = (_NAME, *_COLUMNS.get(kind.plural, (_AGE,)))
    definitions = [
        {
            "name": column.name,
            "type": column.type,
            "format": "name" if column is _NAME else "",
            "description": column.name,
            "priority": column.priority,
        }
        for column in columns
    ]
    rows = []
    for obj in objects:
        row: Json = {"cells": [_cell(column.value(obj)) for column in columns]}
        if include != "None":
            row["object"] = obj if include == "Object" else partial(obj)
        rows.append(row)
    return {
        "kind": "Table",
        "apiVersion": _META,
        "metadata": metadata,
        "columnDefinitions": definitions,
        "rows": rows,
    }


def partial(obj: Json) -> Json:
    """Only the metadata of an object."""
    return {"kind": "PartialObjectMetadata", "apiVersion": _META, "metadata": obj["metadata"]}


def partial_list(objects: Iterable[Json], metadata: Json) -> Json:
    """Only the metadata of many objects."""
    items = [partial(obj) for obj in objects]
    return {"kind": "PartialObjectMetadataList", "apiVersion": _META, "metadata": metadata, "items": items}


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        return "[" + ",".join(f'"{item}"' for item in value) + "]"
    if isinstance(value, dict):
        return ",".join(f"{name}={item}" for name, item in value.items())
    return value
