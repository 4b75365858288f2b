"""The library of incidents against triage: `make incidents`.

One fleet per scenario; each incident is injected by the annotation anybody can write, and taken away again once it was
told. Meanwhile the console's own engine watches, and its findings are looked at twice a second. The signal is the first
failed answer its clients count; of an incident that makes none fail, the moment it is injected.

Prints one JSON line per incident and one for all; the exit code is 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Sequence
from typing import Any

from bench.fleet import Fleet, watched
from gwtui.playground.incident import ANNOTATION, Incident, incidents
from gwtui.triage.evaluation import Report
from gwtui.triage.finding import Finding, Severity

LOOK_S = 0.5
WARM_S = 8.0
LONGEST_S = 25.0
"""How long an incident is waited for."""

SHORTEST_S = 5.0
"""How long it lasts at least: what is refused and made good between two samples leaves open what came last."""

CALM_S = 60.0
"""How long the fleet may take to be well again."""

CALM_LOOKS = 4
WHOLE_S = 720.0
"""How long all of them may take; one that has no time left any more counts as missed."""

WITHIN_S = 5.0
FIRST_OF = 0.9
AMONG = 3
NODE = "/api/v1/nodes/playground"


async def happen(fleet: Fleet, incident: Incident) -> dict[str, Any]:
    """Let one incident happen and return what was told of it."""
    calm = await _calm(fleet)
    before = fleet.unwell()
    began = time.monotonic()
    await fleet.api.patch(NODE, {"metadata": {"annotations": {ANNOTATION: incident.name}}})
    signal_s: float | None = None
    told_s: float | None = None
    first_s: float | None = None
    rank: int | None = None
    findings: Sequence[Finding] = ()
    while (passed_s := time.monotonic() - began) < LONGEST_S:
        await asyncio.sleep(LOOK_S)
        if signal_s is None and fleet.unwell() > before:
            signal_s = passed_s
        found = rank_of(fleet.watch.look(), incident)
        if found is not None:
            findings = fleet.watch.look().findings
            told_s = told_s if told_s is not None else time.monotonic() - began
            if found == 1 and first_s is None:
                first_s = time.monotonic() - began
            rank = found
        since_s = time.monotonic() - began - (signal_s or 0.0)
        if told_s is not None and passed_s > SHORTEST_S and (rank == 1 or since_s > WITHIN_S + 2):
            break
    findings = findings or fleet.watch.look().findings
    await fleet.api.patch(NODE, {"metadata": {"annotations": {ANNOTATION: None}}})

    def after_signal(moment_s: float | None) -> float | None:
        return None if moment_s is None else round(max(0.0, moment_s - (signal_s or 0.0)), 1)

    return {
        "incident": incident.name,
        "cause": incident.cause,
        "rank": rank,
        "signal_after_s": round(signal_s, 1) if signal_s is not None else None,
        "told_s": after_signal(told_s),
        "first_s": after_signal(first_s),
        "first": f"{findings[0].rule}: {findings[0].sentence}" if findings else None,
        "was_calm": calm,
    }


def rank_of(report: Report, incident: Incident) -> int | None:
    """Return the place of the finding that tells the cause, from 1; None where none does."""
    for place, finding in enumerate(report.findings, start=1):
        if finding.rule == incident.cause and all(name in finding.sentence for name in incident.names):
            return place
    return None


async def _calm(fleet: Fleet) -> bool:
    """Wait until nothing is wrong any more and no proxy is being replaced; whether it came to that."""
    looks = 0
    end = time.monotonic() + CALM_S
    while time.monotonic() < end:
        await asyncio.sleep(LOOK_S)
        report = fleet.watch.look()
        is_quiet = all(each.severity is Severity.INFO for each in report.findings) and await fleet.is_whole()
        looks = looks + 1 if is_quiet else 0
        if looks >= CALM_LOOKS:
            return True
    return False


async def run(names: Sequence[str]) -> bool:
    """Let every incident happen; whether the goals are met."""
    chosen = [each for each in incidents() if not names or each.name in names]
    told: list[dict[str, Any]] = []
    end = time.monotonic() + WHOLE_S
    for scenario in dict.fromkeys(each.scenario for each in chosen):
        async with watched(scenario) as fleet:
            await asyncio.sleep(WARM_S)
            for incident in chosen:
                if incident.scenario == scenario and time.monotonic() < end - LONGEST_S:
                    told.append(await happen(fleet, incident))
                    print(json.dumps(told[-1], ensure_ascii=False), flush=True)
    first = sum(each["first_s"] is not None and each["first_s"] <= WITHIN_S for each in told)
    among = sum(each["rank"] is not None and each["rank"] <= AMONG for each in told)
    in_time = [each["told_s"] for each in told if each["told_s"] is not None]
    slowest_s = max(in_time, default=None)
    of = len(chosen)
    met = first >= FIRST_OF * of and among == of and slowest_s is not None and slowest_s <= WITHIN_S
    summary = {
        "id": "incidents",
        "of": of,
        "first": first,
        "within_three": among,
        "slowest_s": slowest_s,
        "not_run": sorted({each.name for each in chosen} - {each["incident"] for each in told}),
        "not_calm_before": [each["incident"] for each in told if not each["was_calm"]],
        "goal": f"first in {FIRST_OF:.0%}, within three in all, told within {WITHIN_S:g} s of the signal",
        "met": met,
    }
    print(json.dumps(summary), flush=True)
    return met


def main() -> int:
    """Return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.incidents")
    parser.add_argument("names", nargs="*", metavar="INCIDENT", help="default: all of them")
    return 0 if asyncio.run(run(parser.parse_args().names)) else 1


if __name__ == "__main__":
    sys.exit(main())
