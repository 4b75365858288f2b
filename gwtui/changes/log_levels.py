"""Log levels of one proxy as a plan that takes itself back: what it goes back to is the level it had at start.

What the loggers have now is told in answer to a POST alone, so nobody asks before the plan is approved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches
from typing import NamedTuple

from gwtui.changes.journal import Change
from gwtui.changes.plan import AdminPost, BlastRadius, Caution, Guard, Plan, Refusal
from gwtui.errors import Refused, UsageError
from gwtui.model.admin_posts import LOG_LEVELS, LOGGING
from gwtui.model.ids import GatewayKey, ProxyKey
from gwtui.model.inspection import Build
from gwtui.model.loggers import LOGGERS

DEFAULT_LEASE_S = 900.0
"""Seconds after which levels go back by themselves. There is no keeping them: they would be forgotten."""

TALKATIVE = ("trace", "debug")
SILENT = ("critical", "off")
ALL = ""
"""Stands for every logger."""

READ_ONLY = Refusal(
    code="read-only", text="this console is read-only", safe_way="start it without --read-only to make changes"
)


class Wanted(NamedTuple):
    """A logger and the level it should have."""

    logger: str
    """`ALL` for every one."""
    level: str

    def __str__(self) -> str:
        return f"{loggers_words((self.logger,))} to {self.level}"


class OpenLevel(NamedTuple):
    """What a change that is in force did to a logger."""

    logger: str
    """`ALL` for every one."""
    level: str
    until: datetime | None
    """When its lease ends."""
    change: str


def wanted_level(text: str) -> Wanted:
    """Read `logger=level`; a bare level is meant for all loggers.

    Raises:
        UsageError: it is neither.
    """
    first, equals, second = (part.strip() for part in text.strip().partition("="))
    if (equals and not (first and second)) or not first or len(text.split()) > 1 or "=" in second:
        raise UsageError(
            f"{text.strip()!r} names no log level", "write LOGGER=LEVEL such as http=debug, or LEVEL for all loggers"
        )
    logger, level = (first, second) if equals else (ALL, first)
    return Wanted(logger, {"warn": "warning"}.get(level, level))


def log_level_plan(
    proxy: ProxyKey,
    gateway: GatewayKey | None,
    build: Build,
    wanted: Wanted,
    *,
    id_: str,
    made_at: datetime,
    lease_s: float | None = None,
    guard: Guard | None = None,
    reason: str = "",
    opened: Sequence[OpenLevel] = (),
    read_only: bool = False,
) -> Plan:
    """Return the plan that gives a logger another level for a while.

    Args:
        proxy: whose.
        gateway: what it belongs to; None when that is not known.
        build: tells the levels it had at start.
        wanted: what is wished.
        id_: of the plan.
        made_at: when.
        lease_s: seconds it is kept; None is `DEFAULT_LEASE_S`.
        guard: bounds that take it back earlier.
        reason: the operator's own words.
        opened: levels of this proxy that other changes hold.
        read_only: whether the console may write at all.
    """
    lease_s = DEFAULT_LEASE_S if lease_s is None else lease_s
    steps = _steps(proxy, build, wanted)
    return Plan(
        id=id_,
        title=title(steps, lease_s),
        made_at=made_at,
        cluster=proxy.cluster,
        steps=steps,
        blast=BlastRadius(moved_rps=0.0, gateways=(gateway,) if gateway else ()),
        cautions=tuple(_cautions(build, wanted, opened)),
        refusals=tuple(_refusals(build, wanted, read_only=read_only)),
        checked=(f"levels at start: {start_words(build)}",) if build.log_level else (),
        reason=reason,
        lease_s=lease_s,
        guard=guard,
    )


def levels_back(change: Change, *, id_: str, made_at: datetime, reason: str = "", read_only: bool = False) -> Plan:
    """Return the plan that takes back what a change did to log levels.

    Taking that back gives the levels again, and for a while only.

    Raises:
        Refused: nothing of it is in force.
    """
    steps = tuple(
        step.reverse
        for index in sorted(change.applied | change.uncertain, reverse=True)
        if isinstance(step := change.plan.steps[index], AdminPost) and step.reverse_path
    )
    if not steps:
        raise Refused(f"nothing of change {change.id} is in force", "`gwtui changes` tells which are")
    lease_s = DEFAULT_LEASE_S if change.plan.undoes else None
    return Plan(
        id=id_,
        title=title(steps, lease_s),
        made_at=made_at,
        cluster=change.plan.cluster,
        steps=steps,
        blast=change.plan.blast,
        refusals=(READ_ONLY,) if read_only else (),
        reason=reason,
        lease_s=lease_s,
        undoes=change.id,
    )


def title(steps: Sequence[AdminPost], lease_s: float | None) -> str:
    """Name a plan of log levels: `edge-5f6d8-abc12: logger http to debug for 15 min`."""
    set_, span = levels_after(step.path for step in steps), "" if lease_s is None else f" for {_span(lease_s)}"
    if ALL in set_:
        # Single loggers beside all of them stand for what they had at start: the words say what is meant.
        others = "" if all(level == set_[ALL] for level in set_.values()) else ", some to their own"
        return f"{steps[0].proxy.pod}: {Wanted(ALL, set_[ALL])}{others}{span}"
    by_level: dict[str, list[str]] = {}
    for logger, level in set_.items():
        by_level.setdefault(level, []).append(logger)
    words = ", ".join(f"{loggers_words(loggers)} to {level}" for level, loggers in by_level.items())
    return f"{steps[0].proxy.pod}: {words}{span}"


def is_of_log_levels(plan: Plan) -> bool:
    """Whether a plan sets log levels and does nothing else."""
    return bool(plan.steps) and all(isinstance(step, AdminPost) and levels_of(step.path) for step in plan.steps)


def levels_of(path: str) -> Mapping[str, str]:
    """Return what a POST sets, level by logger; nothing when it is none that sets levels."""
    page, _, query = path.partition("?")
    name, _, value = query.partition("=")
    if page != LOGGING or not value:
        return {}
    match name:
        case "level":
            return {ALL: value}
        case "paths":
            return {logger: level for logger, _, level in (part.partition(":") for part in value.split(","))}
        case _:
            return {name: value}


def levels_after(paths: Iterable[str]) -> dict[str, str]:
    """Return what several POSTs, one after the other, leave: level by logger, `ALL` for those not named."""
    found: dict[str, str] = {}
    for path in paths:
        levels = levels_of(path)
        found = dict(levels) if ALL in levels else {**found, **levels}
    return found


def differing(held: Mapping[str, str], paths: Iterable[str]) -> tuple[str, ...]:
    """Return the loggers that have another level than these POSTs, one after the other, leave: `http is info`."""
    wished = levels_after(paths)
    rest = wished.pop(ALL, None)
    wanted = {**(dict.fromkeys(held, rest) if rest else {}), **wished}
    return tuple(
        f"{name} is {held.get(name, 'not there')}" for name, level in wanted.items() if held.get(name) != level
    )


def open_levels(changes: Iterable[Change], proxy: ProxyKey) -> tuple[OpenLevel, ...]:
    """Return the levels of a proxy that changes hold, the oldest first. What a later change took over is left out."""
    found: dict[str, OpenLevel] = {}
    for change in sorted(changes, key=lambda each: (each.opened_at, each.id)):
        for index in sorted(change.applied | change.uncertain):
            step = change.plan.steps[index]
            if not isinstance(step, AdminPost) or step.proxy != proxy:
                continue
            for logger, level in levels_of(step.path).items():
                if logger == ALL:
                    found.clear()
                found.pop(logger, None)
                if change.plan.lease_s is not None:  # without a lease it is the level at start
                    found[logger] = OpenLevel(logger, level, change.lease_ends_at, change.id)
    return tuple(found.values())


def start_words(build: Build) -> str:
    """The levels at start: `info, connection debug`."""
    own = [f"{logger} {level}" for logger, level in sorted(build.component_log_levels.items())]
    return ", ".join([build.log_level, *own])


def loggers_words(loggers: Sequence[str]) -> str:
    """Name loggers: `logger http`, `loggers http, router`, `all loggers`."""
    if ALL in loggers:
        return "all loggers"
    return f"logger{'' if len(loggers) == 1 else 's'} {', '.join(loggers)}"


def _steps(proxy: ProxyKey, build: Build, wanted: Wanted) -> tuple[AdminPost, ...]:
    """The POSTs. Those that started with levels of their own come first, so that they are the last to be put back."""
    logger, level = wanted
    own = build.component_log_levels
    if logger != ALL:
        back = own.get(logger, build.log_level)
        return (_post(proxy, f"{logger}={level}", f"{logger}={back}" if back else ""),)
    every = _post(proxy, f"level={level}", f"level={build.log_level}" if build.log_level else "")
    if not own:
        return (every,)
    there, back = (
        "paths=" + ",".join(f"{name}:{chosen}" for name, chosen in levels)
        for levels in ([(name, level) for name in own], own.items())
    )
    return _post(proxy, there, back), every


def _post(proxy: ProxyKey, query: str, back: str) -> AdminPost:
    return AdminPost(proxy=proxy, path=f"{LOGGING}?{query}", reverse_path=f"{LOGGING}?{back}" if back else "")


def _cautions(build: Build, wanted: Wanted, opened: Sequence[OpenLevel]) -> Iterator[Caution]:
    logger, level = wanted
    if level in TALKATIVE:
        all_of_them = " by all loggers is a flood that" if logger == ALL else ""
        text = f"{level}{all_of_them} costs CPU and disk, and may write what requests carry into the proxy's log"
        yield Caution(code="talkative", text=text)
    if level in SILENT:
        yield Caution(code="silent", text=f"at {level} its errors are not logged")
    if logger != ALL and level == build.component_log_levels.get(logger, build.log_level):
        yield Caution(code="at-start", text=f"{level} is its level at start: it stays there afterwards")
    for each in opened:
        if ALL in (logger, each.logger) or each.logger == logger:
            until = f" until {each.until:%H:%M} UTC" if each.until else ""
            text = (
                f"{loggers_words((each.logger,))} at {each.level}{until} by change {each.change}: its end ends this too"
            )
            yield Caution(code="leased", text=text)


def _refusals(build: Build, wanted: Wanted, *, read_only: bool) -> Iterator[Refusal]:
    logger, level = wanted
    if read_only:
        yield READ_ONLY
    if level not in LOG_LEVELS:
        safe = _near(level, LOG_LEVELS) or f"one of {', '.join(LOG_LEVELS)}"
        yield Refusal(code="unknown-level", text=f"no log level is called {level!r}", safe_way=safe)
    known = LOGGERS | build.component_log_levels.keys()
    if logger != ALL and logger not in known:
        safe = _near(logger, sorted(known)) or "such as http, router, upstream, connection; a level alone is for all"
        yield Refusal(code="unknown-logger", text=f"no logger of Envoy is called {logger!r}", safe_way=safe)
    if not build.log_level:
        text = "the proxy does not tell its log level at start: it could not be put back"
        yield Refusal(code="unknown-start", text=text, safe_way="look at its --log-level, and change that")


def _near(name: str, names: Sequence[str]) -> str:
    return next((f"did you mean {near}?" for near in get_close_matches(name.lower(), names, n=1)), "")


def _span(seconds: float) -> str:
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= length and seconds % length == 0:
            return f"{seconds / length:g} {unit}"
    return f"{seconds:g} s"
