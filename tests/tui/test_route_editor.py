"""The editor of a route: every key changes a draft, and nothing else."""

from __future__ import annotations

from copy import deepcopy

import pytest

from gwtui.changes.documents import as_yaml
from gwtui.changes.drafting import whole
from gwtui.changes.journal import Ended, Opened
from gwtui.changes.plan import Verdict
from gwtui.errors import Refused, UsageError
from gwtui.external_editor import edit
from gwtui.tui.app import GwtuiApp
from gwtui.tui.screens.route_editor import RouteEditorScreen
from tests.tui.looking import seen, until, until_seen
from tests.tui.test_changes import KEY, document, feed_of, plan, story

WIDE = (140, 45)


def route() -> dict[str, object]:
    made = deepcopy(document(90, 10))
    rule = made["spec"]["rules"][0]  # type: ignore[index]
    rule["matches"] = [{"path": {"type": "PathPrefix", "value": "/"}}]
    return made


def wanted(app: GwtuiApp) -> dict[str, object]:
    """The spec of the draft as it was kept."""
    return feed_of(app).changes.kept[KEY][1]["spec"]


def backends(app: GwtuiApp, rule: int = 0) -> list[tuple[str, int]]:
    return [(ref["name"], ref.get("weight", 1)) for ref in wanted(app)["rules"][rule]["backendRefs"]]  # type: ignore[index]


async def opened(app: GwtuiApp, pilot) -> None:
    feed_of(app).changes.documents[KEY] = route()
    await until_seen(pilot, "infra/edge")
    app.push_screen(RouteEditorScreen(KEY, 0))
    await until_seen(pilot, "editing httproutes/infra/edge-routes", "nothing changed yet", "shop.example.com")


async def typed(pilot, text: str) -> None:
    """Replace what stands in the prompt."""
    await pilot.press("end", "ctrl+u", *text, "enter")


async def test_weights_shift_by_ten_and_keep_their_sum_or_not(make_app) -> None:
    app = make_app()
    async with app.run_test(size=WIDE) as pilot:
        await opened(app, pilot)
        await pilot.press("minus", "minus")
        assert backends(app) == [("shard-a", 70), ("shard-b", 30)]
        await until_seen(pilot, "2 fields changed", "70%", "30%", "weights keep their sum")
        await pilot.press("equals_sign", "plus")
        assert backends(app) == [("shard-a", 80), ("shard-b", 30)]
        await until_seen(pilot, "weights are free")
        await pilot.press("j", "enter")
        await typed(pilot, "7")
        assert backends(app) == [("shard-a", 80), ("shard-b", 7)]
        await pilot.press("u", "u", "u")
        assert backends(app) == [("shard-a", 80), ("shard-b", 20)]
        await pilot.press("D")
        assert KEY not in feed_of(app).changes.kept
        await until_seen(pilot, "nothing changed yet")


async def test_limits_are_named_while_the_draft_breaks_them(make_app) -> None:
    app = make_app()
    async with app.run_test(size=WIDE) as pilot:
        await opened(app, pilot)
        await pilot.press("n")
        await typed(pilot, "Not_A_Host")
        await until_seen(pilot, "✖", "Not_A_Host")
        await pilot.press("u", "f")
        await typed(pilot, "redirect")
        await until_seen(pilot, "RequestRedirect", "✖")


async def test_everything_in_a_route_can_be_added_moved_and_taken_out(make_app) -> None:
    app = make_app()
    async with app.run_test(size=WIDE) as pilot:
        await opened(app, pilot)
        await pilot.press("m")
        await typed(pilot, "{path: {type: Exact, value: /cart}}")
        assert len(wanted(app)["rules"][0]["matches"]) == 2  # type: ignore[index]
        await pilot.press("f")
        await typed(pilot, "mirror")
        assert wanted(app)["rules"][0]["filters"][0]["type"] == "RequestMirror"  # type: ignore[index]
        await pilot.press("t")
        await typed(pilot, "3s")
        assert wanted(app)["rules"][0]["timeouts"] == {"request": "3s"}  # type: ignore[index]
        await pilot.press("b")
        await typed(pilot, "{name: shard-c, port: 80, weight: 5}")
        assert [name for name, _ in backends(app)] == ["shard-a", "shard-b", "shard-c"]
        await pilot.press("c")
        assert len(wanted(app)["rules"]) == 2  # type: ignore[arg-type]
        await pilot.press("G", "k", "K")
        assert [name for name, _ in backends(app, 1)] == ["shard-a", "shard-c", "shard-b"]
        await pilot.press("x")
        assert [name for name, _ in backends(app, 1)] == ["shard-a", "shard-b"]
        await pilot.press("g")
        await pilot.press("x")
        await until(pilot, lambda: "hostnames" not in wanted(app))


async def test_what_is_typed_wrong_changes_nothing_and_says_why(make_app) -> None:
    app = make_app()
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await opened(app, pilot)
        await pilot.press("m")
        await typed(pilot, "{path: [")
        await until_seen(pilot, "that is no YAML")
        await pilot.press("m", "escape")
        await until_seen(pilot, "nothing changed yet")
        assert KEY not in feed_of(app).changes.kept


async def test_a_draft_becomes_a_plan_and_is_forgotten_once_it_is_in_force(make_app) -> None:
    app = make_app()
    feed_of(app).changes.planned = plan()
    feed_of(app).changes.entries = story()
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await opened(app, pilot)
        await pilot.press("v")
        await until_seen(pilot, "nothing is changed yet")
        await pilot.press("minus", "v")
        await until_seen(pilot, "type  edge-routes  to apply")
        ((key, base, draft),) = feed_of(app).changes.drafts
        assert (key, base["spec"]) == (KEY, route()["spec"])
        assert draft["spec"] == wanted(app)
        await pilot.press("escape", "v")
        await until_seen(pilot, "type  edge-routes  to apply")
        assert KEY in feed_of(app).changes.kept
        await pilot.press(*"edge-routes", "enter")
        await until_seen(pilot, "✔ observed", "verified")
        assert KEY not in feed_of(app).changes.kept


async def test_a_draft_that_was_left_is_taken_up(make_app) -> None:
    app = make_app()
    feed_of(app).changes.kept[KEY] = (route(), document(60, 40))
    async with app.run_test(size=WIDE) as pilot:
        await until_seen(pilot, "infra/edge")
        app.push_screen(RouteEditorScreen(KEY, 0))
        await until_seen(pilot, "60%", "40%")


async def test_a_route_that_cannot_be_read_says_why(make_app) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until_seen(pilot, "infra/edge")
        app.push_screen(RouteEditorScreen(KEY, 0))
        await until_seen(pilot, "✖ httproutes/infra/edge-routes did not answer", "try again")
        await pilot.press("minus", "a", "x", "c", "u", "v", "E", "K")
        assert "traceback" not in seen(pilot).lower()
        await pilot.press("escape")
        await until_seen(pilot, "enter open")


@pytest.mark.parametrize(("script", "told"), [("false", "ended with 1"), ("printf nonsense >", "that is no")])
def test_the_operators_editor_may_fail(monkeypatch, script: str, told: str) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", script)
    with pytest.raises(UsageError) as failed:
        edit("kind: HTTPRoute", lambda text: whole(route(), text))
    assert told in failed.value.message or "no object" in failed.value.message
    assert ".yaml" in failed.value.line()


def test_the_operators_editor_changes_the_spec_and_leaves_no_file(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setenv("VISUAL", "sed -i 's/weight: 90/weight: 55/'")
    made = edit(as_yaml(route()), lambda text: whole(route(), text))
    assert made["spec"]["rules"][0]["backendRefs"][0]["weight"] == 55
    assert made["metadata"] == route()["metadata"]
    assert list(tmp_path.iterdir()) == []


async def test_a_draft_outlives_a_plan_that_somebody_else_made_stale(make_app) -> None:
    app = make_app()
    feed_of(app).changes.planned = plan()
    feed_of(app).changes.entries = (
        Opened(change=plan().id, at=plan().made_at, plan=plan(), who="sre"),
        Ended(change=plan().id, at=plan().made_at, verdict=Verdict.REFUSED, text="changed by somebody else since"),
    )
    async with app.run_test(size=WIDE) as pilot:
        await opened(app, pilot)
        await pilot.press("minus", "v")
        await until_seen(pilot, "type  edge-routes  to apply")
        await pilot.press(*"edge-routes", "enter")
        await until_seen(pilot, "refused", "changed by somebody else since")
        await pilot.press("escape")
        await until_seen(pilot, "2 fields changed")
        assert backends(app) == [("shard-a", 80), ("shard-b", 20)]
        feed_of(app).changes.planned = Refused("changed in the same place: spec.rules[0]", "weigh both, then edit")
        await pilot.press("v")
        await until_seen(pilot, "changed in the same place: spec.rules[0]", "weigh both")
        await pilot.press("escape")
        assert KEY in feed_of(app).changes.kept


async def test_a_draft_is_checked_when_it_changes_and_not_with_every_key(make_app, monkeypatch) -> None:
    made = []
    page_of = RouteEditorScreen._page

    def counted(screen: RouteEditorScreen, cells: int):
        made.append(screen._wanted)
        return page_of(screen, cells)

    monkeypatch.setattr(RouteEditorScreen, "_page", counted)
    app = make_app()
    async with app.run_test(size=WIDE) as pilot:
        await opened(app, pilot)
        before = len(made)
        await pilot.press("j", "k", "g", "G")
        app.screen.repaint()
        assert len(made) == before
        await pilot.press("k", "minus")
        await until_seen(pilot, "2 fields changed")
        assert len(made) == before + 1
