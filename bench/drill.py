"""Ten full cycles of a drain on the living fleet, each request of every client counted: `make drill`.

One cycle drains `infra/shard-a` onto `infra/shard-b` and waits until it is empty, stops its Envoys, starts them again,
and undrains it, by the commands an operator would type. Meanwhile clients send requests of HTTP/1.1, HTTP/2 and gRPC
and hold event streams and WebSockets. Then a drain is interrupted as each of its stages begins, and takes itself back.
At last a workload behind the taker begins to answer with errors in the middle of a guarded drain: how long after the
guard first saw it the weights are back is told (what clients of that workload get is not the drain's doing, so nothing
is counted there).

Prints one JSON line per cycle and one for all; the exit code is 1 when a request failed, a stream was cut before its
time, a command did not end as it should, or the guard was late.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import signal
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.fleet import Api
from gwtui.playground.launch import Playground, launch
from gwtui.playground.wishes import ERROR_RATIO

SCENARIO = "drain-drill"
SHARD, TAKER = "infra/shard-a", "infra/shard-b"
CYCLES = 10
STAGES = 6
"""Of its plan: attach, add, three of the ramp, empty."""

ROLLED_BACK = "rolled back"
RESTORED_WITHIN_S = 3.0
"""From the guard's first sight of errors to the old weights, seen stored."""

FAULT_IN_STAGE = 3
COMMAND_S = 240.0
COMES_S = 60.0
WARM_S = 5.0
LOOK_S = 0.25
BROKEN = "/apis/apps/v1/namespaces/extra/deployments/web"
"""What only the taker serves."""

PARAMETERS = "/apis/gateway.kgateway.dev/v1alpha1/namespaces/infra/gatewayparameters/shard-a"
DEPLOYMENT = "/apis/apps/v1/namespaces/infra/deployments/shard-a"


@dataclass(frozen=True)
class Count:
    """What the clients counted of one protocol."""

    ok: int
    failed: int
    cut: int


class Stage:
    """A running playground and the commands of an operator.

    Args:
        playground: what runs.
        api: its API.
        home: where the journal is.
    """

    def __init__(self, playground: Playground, api: Api, home: Path) -> None:
        self._playground = playground
        self._api = api
        self._home = home
        self._report = Path(playground.ready["state"], "traffic.json")

    async def gwtui(self, *words: str) -> list[dict[str, Any]]:
        """Run one command that tells events; they are returned.

        Raises:
            RuntimeError: it did not end with 0.
        """
        process = await self._start(words)
        try:
            async with asyncio.timeout(COMMAND_S):
                told, problem = await process.communicate()
        except TimeoutError:
            process.kill()
            await process.wait()
            raise RuntimeError(f"gwtui {' '.join(words)}: not done within {COMMAND_S:.0f} s") from None
        events = [json.loads(line) for line in told.splitlines() if line.startswith(b'{"event"')]
        if process.returncode != 0:
            last = events[-1]["words"] if events and "words" in events[-1] else told.decode()[-1500:]
            raise RuntimeError(f"gwtui {' '.join(words)}: exit {process.returncode}: {problem.decode()[-500:]} {last}")
        return events

    async def interrupted(self, at: int, *words: str) -> str:
        """Run a drain, interrupt it as a stage begins, and return its verdict."""
        process = await self._start(words)
        assert process.stdout is not None
        verdict = ""
        async with asyncio.timeout(COMMAND_S):
            async for line in process.stdout:
                told = json.loads(line)
                if told["event"] == "entered" and told["stage"] + 1 == at:
                    process.send_signal(signal.SIGINT)
                verdict = told.get("verdict", verdict)
            await process.wait()
        return verdict

    async def guarded(self, *words: str) -> list[dict[str, Any]]:
        """Run a drain, and let a workload fail once a stage is written; returns the events."""
        process = await self._start(words)
        assert process.stdout is not None
        events: list[dict[str, Any]] = []
        entered = 0
        try:
            async with asyncio.timeout(COMMAND_S):
                async for line in process.stdout:
                    events.append(json.loads(line))
                    entered = events[-1]["stage"] + 1 if events[-1]["event"] == "entered" else entered
                    if events[-1]["event"] == "written" and entered == FAULT_IN_STAGE:
                        await self._fail("0.9")
                await process.wait()
        finally:
            await self._fail(None)
        return events

    async def _fail(self, ratio: str | None) -> None:
        await self._api.patch(BROKEN, {"metadata": {"annotations": {ERROR_RATIO: ratio}}})

    async def _start(self, words: Sequence[str]) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "gwtui", *words, "--kubeconfig", str(self._playground.kubeconfig), "--yes", "-o", "events"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "XDG_STATE_HOME": str(self._home)},
        )

    async def scale(self, replicas: int) -> None:
        """Stop or start the Envoys of the shard, and wait until the cluster says so."""
        await self._api.patch(PARAMETERS, {"spec": {"kube": {"deployment": {"replicas": replicas}}}})

        async def is_scaled() -> bool:
            status = (await self._api.get(DEPLOYMENT)).get("status", {})
            counts = [status.get(name) or 0 for name in ("replicas", "readyReplicas")]
            return counts == [replicas, replicas]

        await until(is_scaled, COMES_S)

    def counts(self) -> dict[str, Count]:
        """What the clients counted so far, by protocol."""
        hosts = json.loads(self._report.read_text())["hosts"].values()
        found: dict[str, Count] = {}
        for host in hosts:
            for protocol, each in host["protocols"].items():
                before = found.get(protocol, Count(0, 0, 0))
                found[protocol] = Count(
                    before.ok + each["ok"], before.failed + each["failed"], before.cut + each.get("cut", 0)
                )
        return found


async def until(holds: Callable[[], Awaitable[bool]], within_s: float) -> None:
    """Wait until something holds.

    Raises:
        TimeoutError: it does not in time.
    """
    for _ in range(int(within_s / LOOK_S)):
        if await holds():
            return
        await asyncio.sleep(LOOK_S)
    raise TimeoutError(f"not so within {within_s:.0f} s")


async def abort(stage: Stage, at: int) -> dict[str, Any]:
    """Begin a drain and interrupt it as a stage begins; what was counted until everything is back, as a document."""
    before = stage.counts()
    told = await stage.interrupted(at, "drain", SHARD, "--to", TAKER, "--above-peak", "--bake", "1s")
    await asyncio.sleep(2)
    return {"aborted_at_stage": at, "verdict": told, **_counted(before, stage.counts())}


async def guard(stage: Stage) -> dict[str, Any]:
    """Let errors begin in the middle of a guarded drain; how soon it was taken back, as a document."""
    bounds = ("--bake", "40s", "--guard-errors", "5%")
    events = await stage.guarded("drain", SHARD, "--to", TAKER, "--above-peak", *bounds)
    last = events[-1]
    seen_for_s = re.search(r"seen for ([0-9.]+) s", last["text"])
    entered = [at for at, each in enumerate(events) if each["event"] == "entered"]
    attached = {each["step"] for each in events[: entered[1]] if each["event"] == "written"}
    back = [each for each in events if each.get("is_reverse") and each["step"] not in attached]
    if seen_for_s is None or not back:
        raise RuntimeError(f"the guard did not take the drain back: {last.get('text')}")
    began, ended = (datetime.fromisoformat(each["at"]) for each in (back[0], back[-1]))
    restored_s = float(seen_for_s[1]) + (ended - began).total_seconds()
    return {
        "guarded": True,
        "verdict": last["verdict"],
        "text": last["text"],
        "signal_to_restored_s": round(restored_s, 2),
        "goal_s": RESTORED_WITHIN_S,
        "met": last["verdict"] == ROLLED_BACK and restored_s <= RESTORED_WITHIN_S,
    }


async def cycle(stage: Stage, *, with_stop: bool = True) -> dict[str, Any]:
    """Drain, stop, start, undrain; what was counted meanwhile, as a document."""
    before, began = stage.counts(), time.monotonic()
    drained = await stage.gwtui("drain", SHARD, "--to", TAKER, "--above-peak", "--bake", "1s", "--deadline", "60")
    took_s = time.monotonic() - began
    if with_stop:
        await stage.scale(0)
        await stage.scale(2)
    await stage.gwtui("undrain", SHARD)
    await asyncio.sleep(2)
    return {
        "drained_after_s": round(took_s, 1),
        "cycle_s": round(time.monotonic() - began, 1),
        "events": len(drained),
        **_counted(before, stage.counts()),
    }


def _counted(before: Mapping[str, Count], after: Mapping[str, Count]) -> dict[str, Any]:
    counted = {name: _since(before.get(name, Count(0, 0, 0)), count) for name, count in after.items()}
    return {
        "requests": {name: vars(count) for name, count in counted.items()},
        "failed": sum(count.failed for count in counted.values()),
        "cut": sum(count.cut for count in counted.values()),
    }


def _since(before: Count, after: Count) -> Count:
    return Count(after.ok - before.ok, after.failed - before.failed, after.cut - before.cut)


async def drill(cycles: int) -> bool:
    """Run the cycles and print them; whether nothing failed."""
    with tempfile.TemporaryDirectory() as home:
        playground = await launch(
            SCENARIO, state_dir=None, progress=lambda words: print(words, file=sys.stderr, flush=True)
        )
        api = Api(playground.kubeconfig)
        try:
            stage = Stage(playground, api, Path(home))
            await asyncio.sleep(WARM_S)
            found = []
            for number in range(1, cycles + 1):
                found.append(await cycle(stage))
                print(json.dumps({"cycle": number, **found[-1]}), flush=True)
            for at in range(1, STAGES + 1):
                found.append(await abort(stage, at))
                print(json.dumps(found[-1]), flush=True)
            guarded = await guard(stage)
            print(json.dumps(guarded), flush=True)
        finally:
            await api.close()
            await playground.close()
    failed, cut = (sum(each[name] for each in found) for name in ("failed", "cut"))
    sent = sum(count["ok"] + count["failed"] for each in found for count in each["requests"].values())
    print(json.dumps({"id": "drill", "cycles": cycles, "requests": sent, "failed": failed, "cut": cut}), flush=True)
    return (
        guarded["met"] and failed == cut == 0 and all(each.get("verdict", ROLLED_BACK) == ROLLED_BACK for each in found)
    )


def main() -> int:
    """Return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.drill")
    parser.add_argument("--cycles", type=int, default=CYCLES, choices=range(1, 51), metavar="N")
    try:
        return 0 if asyncio.run(drill(parser.parse_args().cycles)) else 1
    except (RuntimeError, TimeoutError) as error:
        print(json.dumps({"id": "drill", "error": str(error) or "not in time"}), flush=True)
        return 1


if __name__ == "__main__":
    sys.exit(main())
