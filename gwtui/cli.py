"""The command line: arguments to settings, errors to one line and an exit code.

Nothing heavy is imported here: `--help` and a typing mistake answer at once.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from gwtui import arguments
from gwtui.errors import Exit, GwtuiError, UsageError
from gwtui.settings import Settings, load, override

log = logging.getLogger(__name__)

INTERRUPTED = 130
"""Exit code after ctrl-c, as shells expect."""


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Raise the error instead of printing a usage text."""
        raise UsageError(message, f"try `{self.prog} --help`")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    connection = Parser(add_help=False, argument_default=argparse.SUPPRESS)
    group = connection.add_argument_group("connection")
    group.add_argument("--context", dest="contexts", action="append", metavar="NAME", help="kubeconfig context; repeat")
    group.add_argument("--kubeconfig", type=Path, metavar="FILE", help="instead of $KUBECONFIG or ~/.kube/config")
    group.add_argument("-n", "--namespace", dest="namespaces", action="append", metavar="NS", help="only this; repeat")
    group.add_argument("--as", dest="as_user", metavar="USER", help="impersonate a user")
    group.add_argument("--as-group", dest="as_groups", action="append", metavar="GROUP", help="and a group; repeat")
    group.add_argument("--config", type=Path, metavar="FILE", help="configuration file")
    console = Parser(add_help=False, argument_default=argparse.SUPPRESS)
    look = console.add_argument_group("console")
    look.add_argument("--read-only", action="store_true", help="refuse every write")
    look.add_argument("--theme", metavar="NAME", help="dark, light, high-contrast, or one of yours")

    main = Parser(prog="gwtui", parents=[connection, console], description="Operate Kubernetes gateways.")
    main.set_defaults(command="console")
    commands = main.add_subparsers(title="commands", metavar="COMMAND", parser_class=Parser)

    demo = commands.add_parser("demo", parents=[console], help="a living fleet of real Envoys on this machine")
    demo.set_defaults(command="demo")
    demo.add_argument("--scenario", default="", metavar="NAME", help="default: central-ingress, or the incident's")
    demo.add_argument("--incident", default="", metavar="NAME[@S]", help="what goes wrong, S seconds after the start")
    demo.add_argument(
        "--list", action="store_true", dest="list_scenarios", help="name the scenarios and incidents, and stop"
    )
    demo.add_argument("--state", type=Path, metavar="DIR", help="keep the fleet's files here")
    demo.add_argument("--headless", action="store_true", help="no console: print one JSON line when ready and stay")
    demo.add_argument("--duration", type=arguments.seconds, metavar="S", help="with --headless: end after S seconds")
    demo.add_argument("--no-traffic", action="store_true", help="without the load generator")

    snapshot = commands.add_parser("snapshot", parents=[connection], help="the fleet as one document")
    snapshot.set_defaults(command="snapshot")
    snapshot.add_argument("-o", "--output", choices=("json", "table"), default="table")
    snapshot.add_argument(
        "--settle", type=arguments.seconds, default=5.0, metavar="S", help="watch for S seconds (default 5)"
    )

    drawing = commands.add_parser("map", parents=[connection], help="the shape of the fleet as text, data or a picture")
    drawing.set_defaults(command="map")
    drawing.add_argument("-o", "--output", choices=("text", "json", "svg", "mermaid"), default="text")
    drawing.add_argument(
        "--settle", type=arguments.seconds, default=5.0, metavar="S", help="watch for S seconds (default 5)"
    )
    drawing.add_argument(
        "--width", type=arguments.cells, metavar="N", help="cells of text (default: the terminal, else 140)"
    )
    drawing.add_argument("--theme", default="light", metavar="NAME", help="colours of the svg (default %(default)s)")

    triage = commands.add_parser("triage", parents=[connection], help="what is wrong right now, the worst first")
    triage.set_defaults(command="triage")
    triage.add_argument("-o", "--output", choices=("table", "json"), default="table")
    triage.add_argument(
        "--settle", type=arguments.seconds, default=5.0, metavar="S", help="watch for S seconds (default 5)"
    )

    arguments.add_explain(commands, connection)
    arguments.add_changes(commands, connection)

    doctor = commands.add_parser("doctor", parents=[connection], help="probe every way in, say what to grant")
    doctor.set_defaults(command="doctor")
    doctor.add_argument("-o", "--output", choices=("text", "json"), default="text")
    return main


def main(words: Sequence[str] | None = None) -> int:
    """Carry out one command and return its exit code.

    Raises:
        GwtuiError: the command could not be carried out.
    """
    chosen = parser().parse_args(words)
    settings = override(load(getattr(chosen, "config", None)), vars(chosen))
    match chosen.command:
        case "console":
            from gwtui.wiring import console  # noqa: PLC0415 - imported once the arguments are known to be good

            return console.run(settings)
        case "demo":
            return _demo(chosen, settings)
        case "snapshot" | "map":
            return _batch(chosen, settings)
        case "triage" | "explain":
            return _told(chosen, settings)
        case "route" | "proxy" | "drain" | "undrain" | "undo" | "resume" | "changes":
            return _changes(chosen, settings)
        case _:
            from gwtui.wiring import doctor  # noqa: PLC0415 - as above

            return doctor.run(settings, output=chosen.output)


def _batch(chosen: argparse.Namespace, settings: Settings) -> int:
    from gwtui.wiring import batch  # noqa: PLC0415 - as above

    if chosen.command == "map":
        return batch.draw_map(settings, output=chosen.output, settle_s=chosen.settle, cells=chosen.width)
    return batch.snapshot(settings, output=chosen.output, settle_s=chosen.settle)


def _told(chosen: argparse.Namespace, settings: Settings) -> int:
    if chosen.command == "explain":
        from gwtui.wiring import explaining  # noqa: PLC0415 - as above

        return explaining.run(settings, arguments.explain_request(chosen))
    from gwtui.wiring import triaging  # noqa: PLC0415 - as above

    return triaging.run(settings, output=chosen.output, settle_s=chosen.settle)


def _changes(chosen: argparse.Namespace, settings: Settings) -> int:
    if chosen.command == "changes":
        from gwtui.wiring import remembering  # noqa: PLC0415 - as above

        return remembering.run(change=chosen.change, output=chosen.output)
    from gwtui.wiring import changing  # noqa: PLC0415 - as above

    return changing.run(settings, arguments.request(chosen))


def _demo(chosen: argparse.Namespace, settings: Settings) -> int:
    if chosen.duration is not None and not chosen.headless:
        raise UsageError("--duration needs --headless", "or leave it out and quit the console with Q")
    from gwtui.wiring import demo  # noqa: PLC0415 - as above

    if chosen.list_scenarios:
        return demo.names()
    stage = demo.Stage(
        scenario=chosen.scenario,
        incident=chosen.incident,
        state_dir=chosen.state,
        headless=chosen.headless,
        duration_s=chosen.duration,
        traffic=not chosen.no_traffic,
    )
    return demo.run(settings, stage)


def run() -> NoReturn:
    """Run gwtui as a program: every error is one line on stderr and an exit code."""
    try:
        code = main()
    except GwtuiError as error:
        print(f"gwtui: {error.line()}", file=sys.stderr)
        code = error.exit_code
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:
        code = Exit.OK
    except Exception as error:  # noqa: BLE001 - the last door: no traceback reaches the user
        from gwtui import logs  # noqa: PLC0415 - only now

        path = logs.keep_crash(error)
        what = " ".join(str(error).split()) or type(error).__name__
        print(f"gwtui: internal error: {what}; see {path}", file=sys.stderr)
        code = Exit.UNREACHABLE
    sys.exit(code)
