"""Arguments of the commands that write, and the kinds of values arguments have. Nothing heavy is imported here."""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from gwtui.errors import UsageError

_SPAN = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<unit>ms|s|m|h|d)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainRequest:
    """How a drain was asked for."""

    to: str = ""
    """`<namespace>/<name>` of who takes over."""
    source: str = ""
    """`<namespace>/<name>` of the gateway that a namespace or hostname leaves."""
    ramp: tuple[int, ...] = (50, 10, 0)
    """Percent that is left after each stage."""
    bake_s: float = 5.0
    deadline_s: float = 60.0
    at_deadline: str = "keep"
    """`keep` the drain in force, or `abort` it."""
    accepts_load: bool = False
    closes_listeners: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRequest:
    """What a writing command was asked to do."""

    action: str
    """`weight`, `edit`, `apply`, `log`, `drain`, `undrain`, `undo`, `resume`."""
    target: str = ""
    """`<namespace>/<name>` of a route or a proxy, what is drained, or the id of a change."""
    kind: str = "HTTPRoute"
    rule: int | None = None
    weights: tuple[str, ...] = ()
    """`BACKEND=WEIGHT`, as typed."""
    level: str = ""
    """`LOGGER=LEVEL`, as typed; a level alone is for all loggers."""
    file: Path | None = None
    dry_run: bool = False
    yes: bool = False
    reason: str = ""
    lease_s: float | None = None
    bake_s: float = 30.0
    max_error_ratio: float | None = None
    max_p99_ms: float | None = None
    reverts: bool = False
    """Whether a change that is not seen in force in time is taken back."""
    output: str = "text"
    drain: DrainRequest = DrainRequest()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainRequest:
    """What `gwtui explain` was asked."""

    words: tuple[str, ...]
    """`[METHOD] URL`, or a whole line in one word."""
    headers: tuple[str, ...] = ()
    """`name: value`, as typed."""
    method: str = ""
    entry: str = ""
    """`<namespace>/<name>` of the gateway it comes in by."""
    intended_alone: bool = False
    """Whether no proxy is asked."""
    settle_s: float = 0.0
    """How long proxies are watched before."""
    proves: bool = False
    """Whether Envoy's own matcher is asked about the routes of the proxies."""
    output: str = "text"


def add_explain(commands: argparse._SubParsersAction[Any], connection: argparse.ArgumentParser) -> None:
    """Add the command that tells where a request goes."""
    explain = commands.add_parser("explain", parents=[connection], help="where a request goes, hop by hop, and why")
    explain.set_defaults(command="explain")
    explain.add_argument("words", nargs="+", metavar="[METHOD] URL", help="or a whole curl command in quotes")
    explain.add_argument("-H", "--header", action="append", default=[], metavar="'NAME: VALUE'", help="repeat")
    explain.add_argument("-X", "--request", default="", metavar="METHOD", help="the same as METHOD before the URL")
    explain.add_argument("--entry", default="", metavar="NS/GATEWAY", help="comes in here; else by the front doors")
    explain.add_argument(
        "--settle", type=seconds, default=0.0, metavar="S", help="watch for S seconds first: tells error rates as well"
    )
    depth = explain.add_mutually_exclusive_group()
    depth.add_argument("--objects-only", action="store_true", help="ask no proxy what it holds")
    depth.add_argument("--prove", action="store_true", help="try the loaded routes in an Envoy on this machine")
    explain.add_argument("-o", "--output", choices=("text", "json"), default="text")


def explain_request(chosen: argparse.Namespace) -> ExplainRequest:
    """Return what `gwtui explain` was asked."""
    return ExplainRequest(
        words=tuple(chosen.words),
        headers=tuple(chosen.header),
        method=chosen.request,
        entry=chosen.entry,
        intended_alone=chosen.objects_only,
        settle_s=chosen.settle,
        proves=chosen.prove,
        output=chosen.output,
    )


def add_changes(commands: argparse._SubParsersAction[Any], connection: argparse.ArgumentParser) -> None:
    """Add the commands that write and the one that tells what was written."""
    plan = argparse.ArgumentParser(add_help=False)
    group = plan.add_argument_group("plan")
    group.add_argument("--read-only", action="store_true", default=argparse.SUPPRESS, help="refuse every write")
    group.add_argument("--dry-run", action="store_true", help="show the plan; nothing is written")
    group.add_argument("--yes", action="store_true", help="do not ask")
    group.add_argument("--reason", default="", metavar="TEXT", help="kept with the change")
    group.add_argument("--revert-unverified", action="store_true", help="take it back when it is not seen in force")
    group.add_argument(
        "-o", "--output", choices=("text", "json", "events"), default="text", help="events: one JSON line per event"
    )
    lease = argparse.ArgumentParser(add_help=False)
    group = lease.add_argument_group("bounds")
    group.add_argument("--lease", type=span, metavar="TIME", help="take it back after 15m, 1h, …")
    group.add_argument(
        "--bake", type=span, default=30.0, metavar="TIME", help="how long the guard watches (default 30s)"
    )
    group.add_argument("--guard-errors", type=share, metavar="SHARE", help="take it back above 0.5%% of 5xx answers")
    group.add_argument("--guard-p99", type=span, metavar="TIME", help="take it back when p99 is above 200ms")

    route = commands.add_parser("route", help="change a route: seen before, proved after")
    actions = route.add_subparsers(title="actions", metavar="ACTION", required=True)
    shared = [connection, plan, lease]
    for name, text in (
        ("weight", "give backends of a rule other weights"),
        ("edit", "edit the whole route in $EDITOR"),
        ("apply", "make a route what a file says"),
    ):
        action = actions.add_parser(name, parents=shared, help=text)
        action.set_defaults(command="route", action=name)
        if name == "apply":
            action.add_argument("-f", "--filename", type=Path, required=True, metavar="FILE", dest="file")
            continue
        action.add_argument("target", metavar="NAMESPACE/NAME")
        action.add_argument("--kind", default="HTTPRoute", choices=("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute"))
        if name == "weight":
            action.add_argument(
                "--rule", type=int, metavar="N", help="which rule, from 0; needed where there are several"
            )
            action.add_argument("weights", nargs="+", metavar="BACKEND=WEIGHT")

    _add_proxy(commands, [connection, plan])
    _add_drains(commands, [connection, plan])
    undo = commands.add_parser("undo", parents=[connection, plan], help="take a change back")
    undo.add_argument("target", metavar="ID")
    undo.set_defaults(command="undo", action="undo")
    resume = commands.add_parser("resume", parents=[connection, plan], help="take up a change that was cut off")
    resume.add_argument("target", metavar="ID")
    resume.set_defaults(command="resume", action="resume")
    changes = commands.add_parser("changes", help="what was changed, by whom, and what became of it")
    changes.add_argument("change", nargs="?", default="", metavar="ID")
    changes.add_argument("-o", "--output", choices=("table", "json", "markdown", "patch"), default="table")
    changes.set_defaults(command="changes")


def _add_proxy(commands: argparse._SubParsersAction[Any], shared: list[argparse.ArgumentParser]) -> None:
    proxy = commands.add_parser("proxy", help="make one proxy do something for a while")
    actions = proxy.add_subparsers(title="actions", metavar="ACTION", required=True)
    log = actions.add_parser("log", parents=shared, help="another log level, until the lease is over")
    log.add_argument("target", metavar="NAMESPACE/POD")
    log.add_argument("level", metavar="LOGGER=LEVEL", help="http=debug, or debug for all loggers")
    log.add_argument("--lease", type=span, metavar="TIME", help="taken back after 30s, 1h, … (default 15m)")
    log.set_defaults(command="proxy", action="log")


def _add_drains(commands: argparse._SubParsersAction[Any], shared: list[argparse.ArgumentParser]) -> None:
    target = (
        "a gateway or pod as NAMESPACE/NAME, a route's backend as NAMESPACE/ROUTE:BACKEND, namespace/NAME, or host/NAME"
    )
    drain = commands.add_parser("drain", parents=shared, help="empty a shard, a proxy or a backend; nobody notices")
    drain.set_defaults(command="drain", action="drain")
    drain.add_argument("target", metavar="TARGET", help=target)
    drain.add_argument("--to", default="", metavar="NAMESPACE/NAME", help="the gateway (or Service) that takes over")
    drain.add_argument(
        "--from", default="", dest="source", metavar="NAMESPACE/NAME", help="which gateway a namespace or host leaves"
    )
    drain.add_argument(
        "--ramp", type=ramp, default=(50, 10, 0), metavar="LIST", help="percent left after each stage (default 50,10,0)"
    )
    drain.add_argument("--at-once", action="store_const", const=(0,), dest="ramp", help="the same as --ramp 0")
    drain.add_argument(
        "--bake", type=span, default=5.0, metavar="TIME", help="how long each stage is watched (default 5s)"
    )
    drain.add_argument(
        "--deadline", type=seconds, default=60.0, metavar="S", help="wait so long for what is under way (default 60)"
    )
    drain.add_argument(
        "--at-deadline",
        choices=("keep", "abort"),
        default="keep",
        help="what becomes of the drain when streams remain (default keep: they run on)",
    )
    drain.add_argument("--above-peak", action="store_true", help="even where others get more than they ever took")
    drain.add_argument("--close-listeners", action="store_true", help="at the end; only a restart opens them again")
    drain.add_argument("--lease", type=span, metavar="TIME", help="undrain it after 15m, 1h, …")
    drain.add_argument("--guard-errors", type=share, metavar="SHARE", help="abort above 0.5%% of 5xx answers")
    drain.add_argument("--guard-p99", type=span, metavar="TIME", help="abort when p99 is above 200ms")
    undrain = commands.add_parser(
        "undrain", parents=shared, help="give a drained shard, proxy or backend its part again"
    )
    undrain.set_defaults(command="undrain", action="undrain")
    undrain.add_argument("target", metavar="TARGET", help="as `gwtui drain` took it, or the id of the drain")


def request(chosen: argparse.Namespace) -> ChangeRequest:
    """Return what a writing command was asked to do."""
    return ChangeRequest(
        action=chosen.action,
        target=getattr(chosen, "target", ""),
        kind=getattr(chosen, "kind", "HTTPRoute"),
        rule=getattr(chosen, "rule", None),
        weights=tuple(getattr(chosen, "weights", ())),
        level=getattr(chosen, "level", ""),
        file=getattr(chosen, "file", None),
        dry_run=chosen.dry_run,
        yes=chosen.yes,
        reason=chosen.reason,
        lease_s=getattr(chosen, "lease", None),
        bake_s=getattr(chosen, "bake", 30.0),
        max_error_ratio=getattr(chosen, "guard_errors", None),
        max_p99_ms=1000 * chosen.guard_p99 if getattr(chosen, "guard_p99", None) is not None else None,
        reverts=chosen.revert_unverified,
        output=chosen.output,
        drain=_drain(chosen) if chosen.action == "drain" else DrainRequest(),
    )


def _drain(chosen: argparse.Namespace) -> DrainRequest:
    return DrainRequest(
        to=chosen.to,
        source=chosen.source,
        ramp=chosen.ramp,
        bake_s=chosen.bake,
        deadline_s=chosen.deadline,
        at_deadline=chosen.at_deadline,
        accepts_load=chosen.above_peak,
        closes_listeners=chosen.close_listeners,
    )


def ramp(text: str) -> tuple[int, ...]:
    """Percents that are left stage by stage: `50,10,0`. A last 0 may be left out."""
    parts = text.split(",")
    if not all(part.strip().isdecimal() for part in parts):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of percents such as 50,10,0")
    found = [int(part) for part in parts]
    found += [0] if found[-1] else []
    if found[0] >= 100 or any(later >= earlier for earlier, later in pairwise(found)):
        raise argparse.ArgumentTypeError(f"{text!r} does not fall from below 100 to 0")
    return tuple(found)


def seconds(text: str) -> float:
    """A plain number of seconds."""
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds") from None
    if not 0 <= value < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} seconds is out of range")
    return value


def span(text: str) -> float:
    """A span of time with its unit, in seconds: `200ms`, `30s`, `15m`, `1h30m`."""
    parts = list(_SPAN.finditer(text))
    if not parts or "".join(part[0] for part in parts) != text:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time such as 30s, 15m or 1h")
    return sum(float(part["number"]) * _UNITS[part["unit"]] for part in parts)


def share(text: str) -> float:
    """A share as `0.5%` or `0.005`, 0 to 1."""
    number, percent = text.removesuffix("%"), text.endswith("%")
    try:
        value = float(number) / (100 if percent else 1)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share such as 0.5%") from None
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not between 0% and 100%")
    return value


def cells(text: str) -> int:
    """A width in cells."""
    if not text.isdecimal() or not 40 <= int(text) <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a width between 40 and 1000")
    return int(text)


def names(text: str, what: str = "a route") -> tuple[str, str]:
    """A namespaced name of something, taken apart.

    Raises:
        UsageError: it is none.
    """
    namespace, slash, name = text.partition("/")
    if not (slash and namespace and name) or "/" in name:
        raise UsageError(f"{text!r} does not name {what}", "write NAMESPACE/NAME")
    return namespace, name
