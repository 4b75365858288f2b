"""A plan in stages in words, as documents, as a patch, and as it goes."""

from __future__ import annotations

from msgspec.structs import replace

from gwtui.changes.journal import Entered, Passed
from gwtui.changes.plan import AdminPost, Drain, DrainKind, End, Plan, Stage, StageKind
from gwtui.model.ids import ProxyKey
from gwtui.model.known import Known, Unknown
from gwtui.views.change_document import change_document, plan_document
from gwtui.views.change_table import patch_of_plan, timeline
from gwtui.views.change_words import progress, told
from gwtui.views.conducting import conducting, keys
from gwtui.views.drains import Drained, drain_words
from gwtui.views.key_lines import key_lines
from gwtui.views.open_changes import open_changes
from gwtui.views.plan_review import confirmation, confirms, plan_review
from gwtui.views.spans import Line, plain, width
from gwtui.views.stage_words import State, stages_of
from tests.tui import drain_story as story
from tests.tui import fleet


def words(lines: tuple[Line, ...]) -> str:
    return "\n".join(plain(each) for each in lines)


def test_stages_are_as_far_as_the_journal_tells() -> None:
    states = [each.state for each in stages_of(story.change(story.until_writes()))]
    assert states == [State.PASSED, State.PASSED, State.UNDER_WAY, State.PLANNED, State.PLANNED]
    states = [each.state for each in stages_of(story.change(story.aborted()))]
    assert states == [State.PASSED, State.PASSED, State.STOPPED, State.PLANNED, State.PLANNED]


def test_a_stage_that_is_entered_again_is_under_way_and_one_left_unseen_says_so() -> None:
    again = (*story.until_writes(), Entered(change=story.ID, at=story.after(40), stage=1))
    assert stages_of(story.change(again))[1].state is State.UNDER_WAY
    left = Passed(change=story.ID, at=story.after(60), stage=story.EMPTY, text="3 under way", is_met=False)
    change = story.change((*story.until_empty(), left))
    assert stages_of(change)[story.EMPTY].state is State.LEFT
    assert "went on without: 3 under way" in words(progress(change, 100))


def test_every_entry_of_a_stage_is_told() -> None:
    plan = story.plan()
    entered = Entered(change=story.ID, at=story.BEGIN, stage=4)
    assert told(plan, entered) == "▶ stage 5 of 5: wait until empty"
    assert told(plan, story.passed(4, 1, "silent")) == "✔ stage 5 of 5: silent"
    assert "| 14:01:55 | ▶ stage 2 of 5: infra/shard-a 50 % |" in timeline(story.change(story.done()))
    assert "- empties infra/shard-a, by replacement" in timeline(story.change(story.done()))


def test_a_patch_and_the_diff_go_from_before_the_first_step_to_after_the_last() -> None:
    patch = patch_of_plan(story.plan())
    assert "-      weight: 90" in patch
    assert "+      weight: 100" in patch
    assert "45" not in patch
    review = words(plan_review(story.plan(), 120))
    assert "backendRefs[0].weight  - 90  + 0" in review
    assert "45" not in review


def test_the_review_tells_way_stages_end_and_what_undrain_restores() -> None:
    review = words(plan_review(story.plan(), 200))
    assert "Way       replacement: its routes are attached" in review
    assert "Stages    1 attach foo/web to infra/shard-b  writes foo/web" in review
    assert "Empty     when nothing is under way at infra/edge → shard-a, nor at infra/shard-a" in review
    assert "undrain restores 2 objects, from the journal" in review
    back = words(plan_review(story.plan(undoes=story.ID), 200))
    assert "it restores 2 objects; the drain can be planned again" in back
    assert "Deadline" not in back


def test_what_cannot_be_undone_is_marked() -> None:
    proxy = ProxyKey(fleet.CLUSTER, "infra", "shard-a-66d4c-j9k8l")
    post = AdminPost(proxy=proxy, path="/drain_listeners?graceful", reverse_path="")
    plan = story.plan(steps=(*story.plan().steps, post))
    assert "▲ not undone: /drain_listeners?graceful on infra/shard-a-66d4c-j9k8l" in words(plan_review(plan, 250))


def test_the_word_that_confirms_names_what_is_drained() -> None:
    targets = {
        "infra/shard-a": "shard-a",
        "infra/shard-a-5f6d8-abc12": "shard-a-5f6d8-abc12",
        "infra/shop:infra/shard-b": "shard-b",
        "namespace/foo": "foo",
        "host/foo.example.com": "foo.example.com",
    }
    for target, word in targets.items():
        drain = Drain(kind=DrainKind.SHARD, target=target, gateway=fleet.SHARD_A)
        plan = story.plan(drain=drain)
        assert confirmation(plan) == word
        assert confirms(plan, f" {word} ")
        assert not confirms(plan, "edge-routes")
    assert confirmation(story.plan(steps=())) == "shard-a"


def test_documents_have_the_drain_and_its_stages() -> None:
    planned = plan_document(story.plan())
    assert planned["drain"]["target"] == "infra/shard-a"
    assert planned["drain"]["ends"][1] == {"gateway": "infra/shard-a", "clusters": [], "pod": None}
    assert [each["state"] for each in planned["stages"]] == ["planned"] * 5
    document = change_document(story.change(story.until_writes()))
    assert [each["state"] for each in document["stages"]] == ["passed", "passed", "under way", "planned", "planned"]
    assert document["stages"][0]["title"] == "attach foo/web to infra/shard-b"
    assert {each["path"] for each in document["diff"] if each["object"].endswith("edge-routes")} == {
        "spec.rules[0].backendRefs[0].weight",
        "spec.rules[0].backendRefs[1].weight",
    }
    assert plan_document(Plan(id="x", title="x", made_at=story.BEGIN, cluster="c", steps=()))["drain"] is None


def test_the_conductor_never_shows_a_zero_for_what_nobody_tells() -> None:
    change = story.change(story.until_empty())
    lines = words(conducting(change, story.counted(None), 100, fleet.NOW))
    row = next(each for each in lines.splitlines() if each.strip().startswith("infra/shard-a "))
    assert row.split()[1:5] == ["–"] * 4
    assert "pods/proxy is forbidden for user sre" in lines
    overdue = words(conducting(change, story.counted(None, sending=None, is_overdue=True), 100, fleet.NOW))
    assert "what is under way is not known" in overdue
    some = words(conducting(change, story.counted(None, is_overdue=True), 100, fleet.NOW))
    assert "0 requests still under way, and not every end tells" in some


def test_the_conductor_waits_for_its_first_reading_and_tells_errors() -> None:
    change = story.change(story.until_empty())
    errors = [("infra/edge", Known(0.0, fleet.NOW)), ("infra/shard-b", Unknown("no answer"))]
    lines = words(conducting(change, None, 100, fleet.NOW, errors=errors, steered="HELD"))
    assert "counting what is under way" in lines
    assert "infra/edge 0%  infra/shard-b –" in lines
    assert lines.startswith(" HELD ")


def test_a_bake_is_told_while_it_lasts() -> None:
    change = story.change((*story.until_writes()[:-4], *story.written(2, 14)))
    lines = words(conducting(change, None, 100, story.after(18)))
    assert "watching ████████████░░░░░░░░ 3 s before the next stage" in lines


def test_no_line_is_wider_than_the_window() -> None:
    for cells in (60, 71, 100, 126):
        for told_ in (story.until_writes(), story.until_empty(), story.done(), story.aborted()):
            for counted in (None, story.counted(), story.counted(None), story.counted(is_overdue=True)):
                lines = conducting(story.change(told_), counted, cells, fleet.NOW)
                assert all(width(each) <= max(cells, 71) for each in lines), (cells, words(lines))
        hints = keys(None, is_over=False, is_held=False, is_overdue=True, is_aborted=False)
        assert all(width(each) <= cells for each in key_lines(hints, cells))


def test_many_steps_of_one_stage_are_counted() -> None:
    steps = tuple(replace(story.plan().steps[0], key=replace_name(n)) for n in range(12))  # type: ignore[type-var]
    stage = Stage(kind=StageKind.WRITE, title="attach 12 routes", steps=tuple(range(12)), truths=story.TRUTHS)
    plan = story.plan(steps=steps, stages=(stage,))
    entries = (story.until_writes(plan)[0], *story.written(0, 1))
    lines = words(progress(story.change(entries), 100))
    assert "1 of 12 written" in lines
    assert "1 of 12 seen in force" in lines


def replace_name(number: int):
    return story.FOO_WEB._replace(name=f"web-{number}")


def test_a_card_says_drained_draining_and_by_whom() -> None:
    done = drain_words(Drained(story.change(story.done()), is_done=True), fleet.NOW)
    assert plain(done.state) == "⇣ drained 5 s"
    assert "by sre" in plain(done.story)
    writing = drain_words(Drained(story.change(story.until_writes()), is_done=False), fleet.NOW)
    assert (plain(writing.state), plain(writing.progress)) == ("⇣ draining 10 %", "3 of 5")
    assert plain(writing.short) == "⇣ 10 % 3/5"
    waits = drain_words(Drained(story.change(story.until_empty()), is_done=False), fleet.NOW)
    assert (plain(waits.state), plain(waits.short)) == ("⇣ draining", "⇣ draining 5/5")
    assert "wait until empty" in plain(waits.story)
    assert plain(drain_words(Drained(None, is_done=True), fleet.NOW).state) == "⇣ drained, not by gwtui"


def test_the_header_counts_drains_apart_with_the_age_of_the_oldest() -> None:
    badges = open_changes((story.change(story.until_writes()),), fleet.NOW)
    assert [each.text for each in badges] == ["⇣1 drain 1 min"]
    assert open_changes((story.change(story.aborted()),), fleet.NOW) == []


def test_ends_are_named_by_what_they_count() -> None:
    drain = Drain(
        kind=DrainKind.PROXY,
        target="infra/shard-a-1",
        gateway=fleet.SHARD_A,
        ends=(End(gateway=fleet.SHARD_A, pod="shard-a-1"),),
    )
    assert "nothing is under way at infra/shard-a-1" in words(plan_review(story.plan(drain=drain), 200))
