"""A healthy fleet must stay quiet: `make soak`.

Under ordinary load somebody shifts weights, edits, adds and removes routes, and restarts one proxy or backend after
the other, as on any working day. The console's own engine watches, and looks every second. The exit code is 1 when
anything more than "worth knowing" was found; each such finding is printed once, as JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from bench.fleet import JSON, Api, Fleet, watched
from gwtui.triage.finding import Severity

SCENARIO = "central-ingress"
MINUTES = 10.0
WARM_S = 8.0
LOOK_S = 1.0
STEP_S = 8.0
"""Seconds from one change to the next."""

ROUTES = "/apis/gateway.networking.k8s.io/v1/namespaces/infra/httproutes"
PODS = "/api/v1/namespaces/infra/pods"
AWAY_S = 3.0
"""Seconds a pod of a workload is not ready while its turn has come."""

Step = Callable[[Api], Awaitable[None]]


def weights(first: int, second: int) -> Step:
    """Shift what the two shards get of the shop."""

    async def step(api: Api) -> None:
        path = "/spec/rules/0/backendRefs/{}/weight"
        values = enumerate((first, second))
        await api.patch(
            f"{ROUTES}/shop",
            [{"op": "replace", "path": path.format(at), "value": each} for at, each in values],
            kind=JSON,
        )

    return step


def header(value: str | None) -> Step:
    """Give the answers of a route a header, or take it away."""
    headers = {"set": [{"name": "x-soak", "value": value}]}
    given = [{"type": "ResponseHeaderModifier", "responseHeaderModifier": headers}]

    async def step(api: Api) -> None:
        change = {"op": "add", "path": "/spec/rules/0/filters", "value": given}
        gone = {"op": "remove", "path": "/spec/rules/0/filters"}
        await api.patch(f"{ROUTES}/foo", [gone if value is None else change], kind=JSON)

    return step


async def added(api: Api) -> None:
    """Add a route for a hostname that nobody asks yet."""
    shard = {"name": "shard-b", "port": 8080}
    spec = {"parentRefs": [{"name": "edge"}], "hostnames": ["new.example.com"], "rules": [{"backendRefs": [shard]}]}
    about = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": "new"}}
    await api.create(ROUTES, {**about, "spec": spec})


async def removed(api: Api) -> None:
    """Remove that route."""
    await api.delete(f"{ROUTES}/new")


def restarted(gateway: str) -> Step:
    """Have one proxy of a gateway replaced, the oldest first, as a rolling restart does."""

    async def step(api: Api) -> None:
        pods = (await api.get(PODS))["items"]
        mine = [each["metadata"] for each in pods if each["metadata"]["name"].startswith(f"{gateway}-")]
        oldest = min(mine, key=lambda each: (each["creationTimestamp"], each["name"]))
        await api.delete(f"{PODS}/{oldest['name']}")

    return step


def rolled(namespace: str, workload: str) -> Step:
    """Have the pods of a workload leave the endpoints and come back, one after the other, as a rolling restart does."""
    pods = f"/api/v1/namespaces/{namespace}/pods"

    async def said(api: Api, name: str, *, ready: bool) -> None:
        found = (await api.get(f"{pods}/{name}"))["status"]["conditions"]
        told = [{**each, "status": str(ready)} if each["type"] == "Ready" else each for each in found]
        await api.patch(f"{pods}/{name}/status", {"status": {"conditions": told}})

    async def step(api: Api) -> None:
        for each in (await api.get(pods))["items"]:
            if each["metadata"].get("labels", {}).get("app") == workload:
                await said(api, each["metadata"]["name"], ready=False)
                await asyncio.sleep(AWAY_S)
                await said(api, each["metadata"]["name"], ready=True)

    return step


STEPS: tuple[tuple[str, Step], ...] = (
    ("weights", weights(70, 30)),
    ("restart of an edge proxy", restarted("edge")),
    ("header", header("1")),
    ("restart of a proxy of shard-a", restarted("shard-a")),
    ("restart of foo/web", rolled("foo", "web")),
    ("route added", added),
    ("weights", weights(90, 10)),
    ("restart of an edge proxy", restarted("edge")),
    ("header", header(None)),
    ("restart of extra/web", rolled("extra", "web")),
    ("route removed", removed),
    ("restart of a proxy of shard-a", restarted("shard-a")),
)
"""Shard-b has one proxy alone: its restart would be an outage, and is left out."""


async def soak(minutes: float) -> bool:
    """Change and watch for so long; whether nothing was found."""
    async with watched(SCENARIO) as fleet:
        await asyncio.sleep(WARM_S)
        fleet.watch.look()
        done: Counter[str] = Counter()
        changing = asyncio.create_task(_change(fleet.api, done))
        try:
            found, looks = await _watched(fleet, minutes * 60, changing)
        finally:
            changing.cancel()
            await asyncio.gather(changing, return_exceptions=True)
        unwell = fleet.unwell()
    summary = {
        "id": "soak",
        "minutes": minutes,
        "looks": looks,
        "changes": dict(done),
        "failed_answers": unwell,
        "false_findings": len(found),
        "met": not found,
    }
    print(json.dumps(summary), flush=True)
    return not found


async def _watched(fleet: Fleet, seconds: float, changing: asyncio.Task[None]) -> tuple[dict[str, Any], int]:
    found: dict[str, Any] = {}
    looks = 0
    began = time.monotonic()
    while (passed_s := time.monotonic() - began) < seconds:
        if changing.done():
            changing.result()
        looks += 1
        for each in fleet.watch.look().findings:
            if each.severity is not Severity.INFO and each.id not in found:
                found[each.id] = {"after_s": round(passed_s, 1), "severity": each.severity, "sentence": each.sentence}
                print(json.dumps({"rule": each.rule, **found[each.id]}, ensure_ascii=False), flush=True)
        await asyncio.sleep(LOOK_S)
    return found, looks


async def _change(api: Api, done: Counter[str]) -> None:
    for name, step in itertools.cycle(STEPS):
        await asyncio.sleep(STEP_S)
        await step(api)
        done[name] += 1


def main() -> int:
    """Return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak")
    parser.add_argument("--minutes", type=float, default=MINUTES, metavar="N")
    return 0 if asyncio.run(soak(min(parser.parse_args().minutes, 60.0))) else 1


if __name__ == "__main__":
    sys.exit(main())
