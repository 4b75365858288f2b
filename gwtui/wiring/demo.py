"""`gwtui demo`: the playground in a child process, and the console (or a JSON line) on it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from gwtui.errors import Exit, Unreachable
from gwtui.playground import launch
from gwtui.settings import Settings


def names() -> int:
    """Print the scenarios and the incidents, one line each."""
    scenarios, incidents = launch.scenario_names(), launch.incident_names()
    width = max(len(name) for name, _ in (*scenarios, *incidents))
    for title, known in (("--scenario", scenarios), ("--incident", incidents)):
        print(f"{title}")
        for name, description in known:
            print(f"  {name:{width}}  {description}")
    return Exit.OK


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """How the playground is played."""

    scenario: str
    """Empty: that of the incident, else the default."""
    incident: str = ""
    """`NAME` or `NAME@S`; empty: nothing goes wrong."""
    state_dir: Path | None = None
    """None: a temporary folder that is removed at the end."""
    headless: bool = False
    duration_s: float | None = None
    """None: until it is stopped."""
    traffic: bool = True


def run(settings: Settings, stage: Stage) -> int:
    """Start the playground and stay until the console is left, the duration is over, or SIGTERM arrives."""
    if not stage.headless:
        from gwtui.wiring import console  # noqa: PLC0415 - headless needs no terminal toolkit

        console.need_terminal()
    return asyncio.run(_run(settings, stage))


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


async def _run(settings: Settings, stage: Stage) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    # A console whose terminal hung up ends at once, as the plain one does: to end it in order would mean to write to
    # that terminal, which can block for ever. The playground ends with it.
    hangup = (signal.SIGHUP,) if stage.headless else ()
    for number in (signal.SIGTERM, signal.SIGINT, *hangup):
        loop.add_signal_handler(number, stop.set)
    starting = asyncio.create_task(
        launch.launch(
            stage.scenario,
            state_dir=stage.state_dir,
            traffic=stage.traffic,
            incident=stage.incident,
            progress=_say,
        )
    )
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait((starting, stopping), return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        return Exit.OK
    playground = await starting
    try:
        if stage.headless:
            print(json.dumps(playground.ready), flush=True)
            return await _stay(playground, stopping, stage.duration_s)
        from gwtui.wiring import console  # noqa: PLC0415 - as above

        opened = replace(settings, kubeconfig=playground.kubeconfig, contexts=(playground.context,))
        return await console.open_on(opened, until=stopping)
    finally:
        stopping.cancel()
        await playground.close()


async def _stay(playground: launch.Playground, stopping: asyncio.Task[bool], duration_s: float | None) -> int:
    ended = asyncio.create_task(playground.wait())
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(duration_s):
            await asyncio.wait((ended, stopping), return_when=asyncio.FIRST_COMPLETED)
    if ended.done() and not stopping.done():
        raise Unreachable(f"the playground ended by itself (exit code {ended.result()})", "see its last lines above")
    ended.cancel()
    return Exit.OK
