"""The playground as a process: `python -m gwtui.playground --scenario NAME [--state DIR] [--no-traffic]`.

Prints one line of JSON on standard output when it is ready (or when it failed: `error` and `hint`), progress on
standard error, and runs until standard input ends or it is told to stop.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path

from gwtui.errors import Exit, GwtuiError, UsageError
from gwtui.playground.incident import incident_wish
from gwtui.playground.lifeline import follow_parent_death, wait_for_end
from gwtui.playground.scenario import DEFAULT, load_scenario, with_rates
from gwtui.playground.session import Session


def main() -> int:
    """Run a playground; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m gwtui.playground")
    parser.add_argument("--scenario", default=DEFAULT, help="which fleet to run")
    parser.add_argument("--state", type=Path, help="directory for its files, kept at the end")
    parser.add_argument("--no-traffic", action="store_true", help="send no requests")
    parser.add_argument(
        "--rps", action="append", default=[], type=_rate, metavar="HOST=RPS", help="requests/s to one host; repeatable"
    )
    parser.add_argument(
        "--incident", type=_incident, metavar="NAME[@S]", help="what goes wrong, and after how many seconds"
    )
    arguments = parser.parse_args()
    follow_parent_death()
    try:
        scenario = with_rates(load_scenario(arguments.scenario), dict(arguments.rps))
        state = arguments.state or Path(tempfile.mkdtemp(prefix="gwtui-playground-"))
        state.mkdir(parents=True, exist_ok=True)
        session = Session(
            scenario,
            state=state.resolve(),
            temporary=arguments.state is None,
            traffic=not arguments.no_traffic,
            report=_progress,
            incident=arguments.incident,
        )
        asyncio.run(_run(session))
    except GwtuiError as error:
        _progress(error.line())
        _answer({"error": error.message, "hint": error.hint})
        return error.exit_code
    return Exit.OK


def _rate(text: str) -> tuple[str, float]:
    host, _, rps = text.rpartition("=")
    try:
        return host, float(rps)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no HOST=RPS, such as shop.example.com=200") from error


def _incident(text: str) -> tuple[str, float]:
    try:
        return incident_wish(text)
    except UsageError as error:
        raise argparse.ArgumentTypeError(error.line()) from error


async def _run(session: Session) -> None:
    ended = asyncio.create_task(wait_for_end(), name="end")
    starting = asyncio.create_task(session.start(), name="start")
    failing: asyncio.Task[None] | None = None
    try:
        await asyncio.wait((ended, starting), return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            _answer(starting.result())
            failing = asyncio.create_task(session.failed(), name="failure")
            await asyncio.wait((ended, failing), return_when=asyncio.FIRST_COMPLETED)
            if failing.done():
                failing.result()
    finally:
        tasks = [task for task in (ended, starting, failing) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await session.close()


def _progress(line: str) -> None:
    # Whoever read the progress may be gone already; that is no reason to fail.
    try:
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()
    except OSError:
        return


def _answer(document: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
