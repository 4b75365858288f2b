"""Log levels in words: the review, the progress, and what the page of a proxy tells of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gwtui.changes.journal import Change, Ended, Entry, Opened, Seen, Writing, Written, changes
from gwtui.changes.log_levels import levels_back, log_level_plan, wanted_level
from gwtui.changes.plan import Plan, Verdict
from gwtui.model.ids import GatewayKey, ProxyKey
from gwtui.model.inspection import Build
from gwtui.model.known import Known, Unknown
from gwtui.views.change_document import change_document
from gwtui.views.change_table import changes_table, patch_of_plan
from gwtui.views.change_words import progress, told
from gwtui.views.plan_review import confirmation, confirms, plan_review
from gwtui.views.proxy.log_levels import completions, log_levels
from gwtui.views.spans import Line, plain
from gwtui.views.text import UNKNOWN

POD = ProxyKey("lab", "infra", "edge-5f6d8-abc12")
EDGE = GatewayKey("lab", "infra", "edge")
AT = datetime(2026, 1, 1, 14, 17, tzinfo=UTC)
BUILD = Build(version="1.40.0", log_level="info", component_log_levels={"upstream": "error"})
READ = Known(BUILD, AT)


def plan(typed: str = "http=debug", gateway: GatewayKey | None = EDGE) -> Plan:
    return log_level_plan(POD, gateway, BUILD, wanted_level(typed), id_="20260101-141700-0001", made_at=AT)


def change(made: Plan, *more: Entry) -> Change:
    opened = Opened(change=made.id, at=AT, plan=made, who="me")
    return changes([opened, *more])[0]


def written(made: Plan) -> Change:
    return change(made, *(Written(change=made.id, at=AT, step=at) for at in range(len(made.steps))))


def text(lines: tuple[Line, ...] | list[Line]) -> str:
    return "\n".join(plain(each).rstrip() for each in lines)


def test_the_review_says_what_is_posted_to_whom_and_what_takes_it_back():
    shown = text(plan_review(plan(), 200))
    for part in (
        "Moves     nothing: traffic goes where it goes",
        "Gateways  infra/edge",
        "▲ debug costs CPU and disk, and may write what requests carry",
        "POST /logging?http=debug to infra/edge-5f6d8-abc12  taken back by /logging?http=info",
        "levels at start: info, upstream error",
        "the proxy is asked for its levels again",
        "lease 15 min: taken back after that",
    ):
        assert part in shown, part
    assert "stored" not in shown
    assert f"Gateways  {UNKNOWN}" in text(plan_review(plan(gateway=None), 200))
    assert patch_of_plan(plan()) == ""


@pytest.mark.parametrize(
    ("typed", "is_meant"), [("edge", True), ("edge-5f6d8-abc12 ", True), ("debug", False), ("", False)]
)
def test_the_gateways_name_confirms_and_so_does_the_pods(typed: str, *, is_meant: bool):
    assert confirmation(plan()) == "edge"
    assert confirms(plan(), typed) is is_meant
    assert confirmation(plan(gateway=None)) == POD.pod


def test_progress_tells_the_one_truth_that_applies():
    made = plan()
    entries: tuple[Entry, ...] = (
        Writing(change=made.id, at=AT, step=0),
        Written(change=made.id, at=AT, step=0),
        Seen(change=made.id, at=AT, step=0, truth="loaded", is_met=True, text="edge-5f6d8-abc12 says http debug"),
        Ended(change=made.id, at=AT, verdict=Verdict.VERIFIED),
    )
    assert told(made, entries[1]) == "the proxy took infra/edge-5f6d8-abc12 POST /logging?http=debug"
    under_way = text(progress(change(made, *entries[:2]), 200))
    assert "✔ written     taken by the proxy" in under_way
    assert "▶ loaded      waiting" in under_way
    shown = text(progress(change(made, *entries), 200))
    assert "✔ loaded      edge-5f6d8-abc12 says http debug" in shown
    assert "verified" in shown
    assert "stored" not in shown
    assert "observed" not in shown
    document = change_document(change(made, *entries))
    assert document["steps"][0]["post"] == "/logging?http=debug"
    assert [each["truth"] for each in document["steps"][0]["truths"]] == ["loaded"]
    assert "until 14:32:00 UTC" in changes_table([change(made, *entries)])


def test_where_nothing_had_to_be_sent_it_says_so():
    back = levels_back(written(plan()), id_="2", made_at=AT)
    seen = Seen(change="2", at=AT, step=0, truth="loaded", is_met=True, text="the pod is gone")
    assert "written     nothing was to be sent" in text(progress(change(back, seen), 200))


def test_a_proxys_levels_at_start_and_those_that_changes_hold():
    other = log_level_plan(
        ProxyKey("lab", "infra", "other"), None, BUILD, wanted_level("http=trace"), id_="3", made_at=AT
    )
    shown = text(log_levels(READ, (written(plan()), written(other)), POD))
    assert "info, upstream error at start" in shown
    assert "▲ logger http at debug until 14:32:00 UTC  change 20260101-141700-0001" in shown
    assert "trace" not in shown
    assert "▲ all loggers at debug" in text(log_levels(READ, (written(plan("debug")),), POD))


@pytest.mark.parametrize("build", [Unknown("not read"), Known(replace(BUILD, log_level=""), AT)])
def test_a_level_that_nobody_told_is_unknown(build: Known[Build] | Unknown):
    assert text(log_levels(build, (), POD)) == f"log levels   {UNKNOWN}  at start"


def test_what_is_proposed_for_the_beginning_of_a_word():
    words = completions()
    assert next(word for word in words if word.startswith("htt")) == "http=debug"
    assert next(word for word in words if word.startswith("tra")) == "tracing=debug"
    assert {"debug", "off"} <= set(words)
    assert all(wanted_level(word) for word in words)
