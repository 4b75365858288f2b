"""P9: decoding 10,000 HTTPRoutes to the console's types against `orjson.loads` of the same bytes.

Prints one JSON line. CPU is process time, the median over interleaved repetitions. Memory is the growth of the resident
set while every decoded object is held; each case runs in a process of its own, which holds the bytes of one page only.
Run with `python -m bench.decode`.
"""

from __future__ import annotations

import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from gwtui.adapters.kubernetes.decode import KindDecoder
from gwtui.collector import collector_paused
from gwtui.model.gateway_api import HttpRoute

ROUTES = 10_000
PAGE = 500
REPETITIONS = 7
CPU_GOAL = 0.3
MEMORY_GOAL = 0.35


def route(number: int) -> dict[str, Any]:
    """One route as an API server answers it: about 2.8 KB with status and managed fields."""
    namespace, name, host = f"team-{number % 200}", f"route-{number}", f"app-{number}.example.com"
    stamp = f"2026-03-{number % 28 + 1:02}T10:{number % 60:02}:00Z"
    parent = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "edge", "namespace": "infra"}
    rule_fields = {"f:backendRefs": {}, "f:filters": {}, "f:matches": {}, "f:timeouts": {".": {}, "f:request": {}}}
    condition_fields = {
        ".": {},
        **{f"f:{field}": {} for field in ("lastTransitionTime", "message", "observedGeneration", "reason", "status")},
    }
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {
            "annotations": {"example.com/owner": f"team-{number % 200}", "example.com/change": f"chg-{number:08}"},
            "creationTimestamp": stamp,
            "generation": number % 9 + 1,
            "labels": {"app.kubernetes.io/name": f"app-{number}", "app.kubernetes.io/part-of": namespace},
            "managedFields": [
                {
                    "apiVersion": "gateway.networking.k8s.io/v1",
                    "fieldsType": "FieldsV1",
                    "fieldsV1": {"f:spec": {"f:hostnames": {}, "f:parentRefs": {}, "f:rules": rule_fields}},
                    "manager": "kubectl-client-side-apply",
                    "operation": "Update",
                    "time": stamp,
                },
                {
                    "apiVersion": "gateway.networking.k8s.io/v1",
                    "fieldsType": "FieldsV1",
                    "fieldsV1": {"f:status": {"f:parents": {"k:{}": condition_fields}}},
                    "manager": "kgateway",
                    "operation": "Update",
                    "subresource": "status",
                    "time": stamp,
                },
            ],
            "name": name,
            "namespace": namespace,
            "resourceVersion": str(1_000_000 + number),
            "uid": f"0b5c7f1e-9a3d-4c62-8d11-{number:012}",
        },
        "spec": {
            "hostnames": [host],
            "parentRefs": [parent],
            "rules": [_rule(number, "/", 90), _rule(number, f"/api/v{number % 3}", 50)],
        },
        "status": {
            "parents": [
                {
                    "conditions": [
                        _condition(kind, reason, message, stamp, number % 9 + 1)
                        for kind, reason, message in (
                            ("Accepted", "Accepted", "Successfully accepted Route"),
                            ("ResolvedRefs", "ResolvedRefs", "Successfully resolved all references"),
                            ("kgateway.dev/Programmed", "Programmed", "Successfully programmed Route"),
                        )
                    ],
                    "controllerName": "kgateway.dev/kgateway",
                    "parentRef": parent,
                }
            ]
        },
    }


def _rule(number: int, path: str, weight: int) -> dict[str, Any]:
    return {
        "backendRefs": [
            {"group": "", "kind": "Service", "name": f"app-{number}", "port": 8080, "weight": weight},
            {"group": "", "kind": "Service", "name": f"app-{number}-next", "port": 8080, "weight": 100 - weight},
        ],
        "filters": [
            {
                "requestHeaderModifier": {"set": [{"name": "x-team", "value": f"team-{number % 200}"}]},
                "type": "RequestHeaderModifier",
            }
        ],
        "matches": [
            {
                "headers": [{"name": "x-env", "type": "Exact", "value": "live"}],
                "path": {"type": "PathPrefix", "value": path},
            }
        ],
        "timeouts": {"request": "10s"},
    }


def _condition(kind: str, reason: str, message: str, stamp: str, generation: int) -> dict[str, Any]:
    return {
        "lastTransitionTime": stamp,
        "message": message,
        "observedGeneration": generation,
        "reason": reason,
        "status": "True",
        "type": kind,
    }


def pages() -> list[bytes]:
    """The list as an API server pages it."""
    found = []
    for start in range(0, ROUTES, PAGE):
        items = [route(number) for number in range(start, start + PAGE)]
        meta = {"resourceVersion": "2000000", "continue": "token" if start + PAGE < ROUTES else ""}
        found.append(
            orjson.dumps(
                {
                    "kind": "HTTPRouteList",
                    "apiVersion": "gateway.networking.k8s.io/v1",
                    "metadata": meta,
                    "items": items,
                }
            )
        )
    return found


def decoders() -> dict[str, Callable[[bytes], Any]]:
    """The console's page decoder and its peer, by name."""
    return {"gwtui": KindDecoder(HttpRoute).page, "orjson": orjson.loads}


def orjson_paused(page: bytes) -> Any:
    """The peer with garbage collection held off, as the console holds it off: for the record, not for the goal."""
    with collector_paused():
        return orjson.loads(page)


def cpu_seconds(decode: Callable[[bytes], Any], listed: list[bytes]) -> float:
    """CPU of decoding every page while all results are held."""
    gc.collect()
    started = time.process_time()
    held = [decode(page) for page in listed]
    took = time.process_time() - started
    del held
    return took


def resident_bytes() -> int:
    """Resident set of this process. *Source:* `VmRSS` of `/proc/self/status`."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise OSError("no VmRSS in /proc/self/status")


def held_bytes(name: str, folder: Path) -> int:
    """Growth of the resident set by holding every decoded page; the bytes of each page are read and dropped."""
    decode = decoders()[name]
    files = sorted(folder.iterdir())
    decode(files[0].read_bytes())
    gc.collect()
    before = resident_bytes()
    held = [decode(file.read_bytes()) for file in files]
    gc.collect()
    grown = resident_bytes() - before
    del held
    return grown


def held_bytes_apart(name: str, folder: Path) -> int:
    """`held_bytes` in a process of its own."""
    command = [sys.executable, "-m", "bench.decode", name, str(folder)]
    return int(subprocess.run(command, check=True, capture_output=True, timeout=120).stdout)


def main() -> None:
    listed = pages()
    timed = {**decoders(), "orjson_paused": orjson_paused}
    cpu: dict[str, list[float]] = {name: [] for name in timed}
    for _ in range(REPETITIONS):
        for name, decode in timed.items():
            cpu[name].append(cpu_seconds(decode, listed))
    with tempfile.TemporaryDirectory() as folder:
        for number, page in enumerate(listed):
            (Path(folder) / f"{number:03}.json").write_bytes(page)
        memory = {
            name: statistics.median(held_bytes_apart(name, Path(folder)) for _ in range(3)) for name in decoders()
        }
    cpu_ratio = statistics.median(ours / peer for ours, peer in zip(cpu["gwtui"], cpu["orjson"], strict=True))
    memory_ratio = memory["gwtui"] / memory["orjson"]
    print(
        json.dumps(
            {
                "id": "P9",
                "cpu_ratio": round(cpu_ratio, 3),
                "goal": CPU_GOAL,
                "memory_ratio": round(memory_ratio, 3),
                "memory_goal": MEMORY_GOAL,
                "met": cpu_ratio <= CPU_GOAL and memory_ratio <= MEMORY_GOAL,
                "routes": ROUTES,
                "route_bytes": round(sum(map(len, listed)) / ROUTES),
                "repetitions": REPETITIONS,
                "cpu_s": {name: round(statistics.median(times), 4) for name, times in cpu.items()},
                "memory_bytes": memory,
                "load_average": round(os.getloadavg()[0], 2),
            }
        )
    )


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(held_bytes(sys.argv[1], Path(sys.argv[2])))
    else:
        main()
