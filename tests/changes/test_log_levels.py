"""Log levels as plans: what is posted, what it goes back to, what is refused, and how long it is kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwtui.changes.door import Door
from gwtui.changes.journal import Change, Entry, Opened, Writing, Written, changes
from gwtui.changes.leasing import with_next_lease
from gwtui.changes.log_levels import (
    DEFAULT_LEASE_S,
    OpenLevel,
    differing,
    is_of_log_levels,
    levels_after,
    levels_back,
    levels_of,
    log_level_plan,
    open_levels,
    wanted_level,
)
from gwtui.changes.plan import Plan
from gwtui.errors import Refused, UsageError
from gwtui.model.admin_posts import LOG_LEVELS, require_admin_post
from gwtui.model.ids import GatewayKey, ProxyKey
from gwtui.model.inspection import Build
from gwtui.model.loggers import LOGGERS

POD = ProxyKey("lab", "infra", "edge-5f6d8-abc12")
EDGE = GatewayKey("lab", "infra", "edge")
AT = datetime(2026, 1, 1, 14, 0, tzinfo=UTC)
PLAIN = Build(version="1.40.0", log_level="info")
OWN = Build(version="1.40.0", log_level="info", component_log_levels={"upstream": "debug", "connection": "error"})


def plan(typed: str, build: Build = PLAIN, *, id_: str = "20260101-140000-0001", **more: Any) -> Plan:
    return log_level_plan(POD, EDGE, build, wanted_level(typed), id_=id_, made_at=AT, **more)


def written(made: Plan, *, after_s: float = 0.0, steps: Sequence[int] | None = None) -> Change:
    at = AT + timedelta(seconds=after_s)
    entries: list[Entry] = [Opened(change=made.id, at=at, plan=made, who="me")]
    for index in range(len(made.steps)) if steps is None else steps:
        entries += [Writing(change=made.id, at=at, step=index), Written(change=made.id, at=at, step=index)]
    return changes(entries)[0]


def posts(made: Plan) -> list[tuple[str, str]]:
    return [(step.path, step.reverse_path) for step in made.steps]


def codes(found: Sequence[Any]) -> list[str]:
    return [each.code for each in found]


def test_one_logger_goes_back_to_the_level_it_had_at_start():
    made = plan("http=debug")
    assert posts(made) == [("/logging?http=debug", "/logging?http=info")]
    assert made.title == "edge-5f6d8-abc12: logger http to debug for 15 min"
    assert (made.lease_s, made.can_run, made.blast.gateways, made.blast.moved_rps) == (900.0, True, (EDGE,), 0.0)
    assert made.checked == ("levels at start: info",)
    assert posts(plan("upstream=trace", OWN)) == [("/logging?upstream=trace", "/logging?upstream=debug")]


def test_all_loggers_go_back_each_to_its_own_level():
    assert posts(plan("debug")) == [("/logging?level=debug", "/logging?level=info")]
    made = plan("trace", OWN, lease_s=3600.0)
    assert posts(made) == [
        ("/logging?paths=upstream:trace,connection:trace", "/logging?paths=upstream:debug,connection:error"),
        ("/logging?level=trace", "/logging?level=info"),
    ]
    assert made.title == "edge-5f6d8-abc12: all loggers to trace for 1 h"
    back = levels_back(written(made), id_="2", made_at=AT)
    assert levels_after(step.path for step in back.steps) == {"": "info", "upstream": "debug", "connection": "error"}
    assert back.title == "edge-5f6d8-abc12: all loggers to info, some to their own"


@given(
    build=st.builds(
        Build,
        version=st.just("1"),
        log_level=st.sampled_from(LOG_LEVELS),
        component_log_levels=st.dictionaries(st.sampled_from(sorted(LOGGERS)), st.sampled_from(LOG_LEVELS), max_size=4),
    ),
    logger=st.sampled_from(["", *sorted(LOGGERS)]),
    level=st.sampled_from(LOG_LEVELS),
)
def test_whatever_is_wished_the_undo_gives_the_levels_of_the_start(build: Build, logger: str, level: str):
    start = {name: build.component_log_levels.get(name, build.log_level) for name in LOGGERS}
    made = plan(f"{logger}={level}" if logger else level, build)
    assert made.can_run
    for path in (path for step in made.steps for path in (step.path, step.reverse_path)):
        require_admin_post(path)
    held = told(start, paths_of(made))
    assert held == {name: level if logger in ("", name) else was for name, was in start.items()}
    assert differing(held, paths_of(made)) == ()
    assert told(held, paths_of(levels_back(written(made), id_="2", made_at=AT))) == start


def paths_of(made: Plan) -> list[str]:
    return [step.path for step in made.steps]


def told(levels: dict[str, str], paths: Sequence[str]) -> dict[str, str]:
    """The levels of a proxy that gets these POSTs."""
    for path in paths:
        wished = levels_of(path)
        levels = {name: wished.get(name, wished.get("", was)) for name, was in levels.items()}
    return levels


@pytest.mark.parametrize("typed", ["", " ", "=", "http=", "=debug", "http=debug=info", "http debug", "a=b c"])
def test_what_names_no_level_says_how_to_write_one(typed: str):
    with pytest.raises(UsageError, match="names no log level") as caught:
        wanted_level(typed)
    assert "http=debug" in caught.value.line()


@pytest.mark.parametrize(
    ("typed", "build", "code", "safe_way"),
    [
        ("htpt=debug", PLAIN, "unknown-logger", "did you mean http?"),
        ("zzzzz=debug", PLAIN, "unknown-logger", "such as http"),
        ("paths=http:debug", PLAIN, "unknown-logger", "did you mean"),
        ("http=degub", PLAIN, "unknown-level", "did you mean debug?"),
        ("loud", PLAIN, "unknown-level", "one of trace"),
        ("http=debug", Build(version="1"), "unknown-start", "--log-level"),
        ("debug", Build(version="1"), "unknown-start", "--log-level"),
    ],
)
def test_what_cannot_be_wished_names_what_can(typed: str, build: Build, code: str, safe_way: str):
    made = plan(typed, build)
    (found,) = [each for each in made.refusals if each.code == code]
    assert safe_way in found.safe_way
    with pytest.raises(Refused):
        Door(read_only=False).approve(made)


def test_a_logger_of_a_newer_build_is_known_when_it_was_started_with_a_level():
    newer = Build(version="9", log_level="info", component_log_levels={"brand_new": "error"})
    assert plan("brand_new=debug", newer).can_run
    assert not plan("brand_new=debug").can_run


def test_a_console_that_may_not_write_refuses_both_ways():
    assert codes(plan("http=debug", read_only=True).refusals) == ["read-only"]
    back = levels_back(written(plan("http=debug")), id_="2", made_at=AT, read_only=True)
    assert codes(back.refusals) == ["read-only"]


def test_what_is_to_be_weighed():
    assert codes(plan("http=debug").cautions) == ["talkative"]
    assert "flood" in plan("trace").cautions[0].text
    assert codes(plan("http=off").cautions) == ["silent"]
    assert codes(plan("http=warn").cautions) == []
    assert codes(plan("http=info").cautions) == ["at-start"]
    open_ = (OpenLevel("http", "debug", AT, "1"), OpenLevel("router", "debug", AT, "2"))
    (found,) = plan("http=error", opened=open_).cautions
    assert "logger http at debug until 14:00 UTC by change 1" in found.text
    assert codes(plan("error", opened=open_).cautions) == ["leased", "leased"]
    assert codes(plan("http=error", opened=(OpenLevel("", "debug", AT, "3"),)).cautions) == ["leased"]


def test_a_level_is_never_kept_and_what_takes_it_back_always_is():
    made = plan("http=debug", lease_s=600.0)
    seen = []
    for _ in range(4):
        made = with_next_lease(made)
        seen.append((made.lease_s, made.title.partition(" for ")[2]))
    assert seen == [(900.0, "15 min"), (3600.0, "1 h"), (14400.0, "4 h"), (900.0, "15 min")]
    back = levels_back(written(made), id_="2", made_at=AT)
    assert (back.lease_s, with_next_lease(back)) == (None, back)
    again = levels_back(written(back), id_="3", made_at=AT)
    assert (posts(again), again.lease_s) == ([("/logging?http=debug", "/logging?http=info")], DEFAULT_LEASE_S)


def test_only_what_is_in_force_is_taken_back():
    made = plan("trace", OWN)
    back = levels_back(written(made, steps=(0,)), id_="2", made_at=AT, reason="enough")
    assert posts(back) == [
        ("/logging?paths=upstream:debug,connection:error", "/logging?paths=upstream:trace,connection:trace")
    ]
    assert (back.undoes, back.reason, back.blast) == (made.id, "enough", made.blast)
    with pytest.raises(Refused, match="nothing of change"):
        levels_back(written(made, steps=()), id_="2", made_at=AT)


def test_levels_that_are_held_are_told_until_something_else_takes_over():
    http, router = plan("http=debug", id_="1"), plan("router=trace", id_="2")
    every, back = plan("error", id_="3"), levels_back(written(http), id_="4", made_at=AT)
    held = written(http), written(router, after_s=60)
    until = AT + timedelta(minutes=15)
    assert open_levels(held, POD) == (
        OpenLevel("http", "debug", until, "1"),
        OpenLevel("router", "trace", until + timedelta(minutes=1), "2"),
    )
    assert open_levels(held, ProxyKey("lab", "infra", "another")) == ()
    assert [each.logger for each in open_levels((*held, written(back, after_s=90)), POD)] == ["router"]
    assert [each.logger for each in open_levels((*held, written(every, after_s=90)), POD)] == [""]


def test_what_is_no_setting_of_levels():
    assert levels_of("/logging") == levels_of("/healthcheck/fail") == levels_of("/drain_listeners?graceful") == {}
    assert is_of_log_levels(plan("trace", OWN))


def test_what_differs_is_named():
    held = {"http": "info", "router": "debug"}
    assert differing(held, ["/logging?level=debug"]) == ("http is info",)
    assert differing(held, ["/logging?level=debug", "/logging?http=info"]) == ()
    assert differing(held, ["/logging?http=info", "/logging?level=debug"]) == ("http is info",)
    assert differing(held, ["/logging?nobody=info"]) == ("nobody is not there",)
