"""The door to a write, and the screen of what was written."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace

from gwtui.changes.journal import Change, Ended, Entry, Opened, Seen, Writing, Written, changes
from gwtui.changes.plan import BlastRadius, Caution, Load, ObjectEdit, Owner, Plan, Refusal, Verdict
from gwtui.engine.steering import Steering
from gwtui.errors import Unreachable
from gwtui.model.ids import GatewayKey, ObjectKey
from gwtui.model.resources import HTTP_ROUTES
from gwtui.tui.app import GwtuiApp
from tests.tui import fleet
from tests.tui.looking import seen, until, until_seen

WIDE = (140, 45)
KEY = ObjectKey(fleet.CLUSTER, HTTP_ROUTES, "infra", "edge-routes")
SHARD_B = GatewayKey(fleet.CLUSTER, "infra", "shard-b")


def document(a: int, b: int) -> dict[str, object]:
    refs = [{"name": name, "port": 8080, "weight": weight} for name, weight in (("shard-a", a), ("shard-b", b))]
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "edge-routes", "namespace": "infra", "uid": "1", "resourceVersion": "7", "generation": 3},
        "spec": {"parentRefs": [{"name": "edge"}], "hostnames": ["shop.example.com"], "rules": [{"backendRefs": refs}]},
    }


def plan(**more: object) -> Plan:
    step = ObjectEdit(key=KEY, object_kind="HTTPRoute", before=document(90, 10), after=document(50, 50))
    told = {
        "id": "20260101-120000-0001",
        "title": "edge-routes rule 0: shard-a 90 → 50, shard-b 10 → 50",
        "made_at": fleet.NOW,
        "cluster": fleet.CLUSTER,
        "steps": (step,),
        "blast": BlastRadius(
            moved_rps=1400.0,
            moved_share=0.11,
            hostnames=("shop.example.com",),
            namespaces=("infra",),
            gateways=(GatewayKey(fleet.CLUSTER, "infra", "edge"),),
            loads=(Load(gateway=SHARD_B, now_rps=3600.0, then_rps=5000.0, peak_rps=5500.0, peak_window_s=300.0),),
        ),
        "owners": (Owner(name="Argo CD app edge", evidence="label", reverts=True),),
        "cautions": (Caution(code="shadowed", text="rule 0 takes /cart from foo/cart"),),
        "checked": ("the server's dry run accepted it",),
    }
    return Plan(**{**told, **more})  # type: ignore[arg-type]


def story(verdict: Verdict | None = Verdict.VERIFIED, *, made: Plan | None = None) -> tuple[Entry, ...]:
    told, at = made or plan(), fleet.NOW
    seen_of = [
        Seen(change=told.id, at=at, step=0, truth=truth, is_met=True, text=f"{truth} it is")
        for truth in ("stored", "programmed", "loaded", "observed")
    ]
    entries: tuple[Entry, ...] = (
        Opened(change=told.id, at=at, plan=told, who="sre"),
        Writing(change=told.id, at=at, step=0),
        Written(change=told.id, at=at, step=0, generation=4, resource_version="8"),
        *seen_of,
    )
    return entries if verdict is None else (*entries, Ended(change=told.id, at=at, verdict=verdict, text=""))


def change(verdict: Verdict | None = Verdict.VERIFIED, *, made: Plan | None = None) -> Change:
    return changes(story(verdict, made=made))[0]


def feed_of(app: GwtuiApp) -> fleet.FakeFeed:
    assert isinstance(app._feed, fleet.FakeFeed)
    return app._feed


async def opened(app: GwtuiApp, pilot) -> None:
    await until_seen(pilot, "infra/edge")
    app.open_plan(
        " Edit infra/edge-routes ", lambda: feed_of(app).changes.plan(KEY, document(90, 10), document(50, 50))
    )


async def test_the_review_tells_what_moves_and_nothing_is_written_without_the_name(make_app) -> None:
    app = make_app()
    feed_of(app).changes.planned = plan()
    async with app.run_test(size=WIDE) as pilot:
        await opened(app, pilot)
        await until_seen(
            pilot,
            "shard-a 90 → 50",
            "1.4k rps (11% of what its gateways take), 1 hostname",
            "3.6k → 5.0k rps",
            "91% of its observed peak",
            "Argo CD app edge",
            "will put back what it wants",
            "takes /cart from foo/cart",
            "spec.rules[0].backendRefs[0].weight",
            "type  edge-routes  to apply",
        )
        await pilot.press(*"edge", "enter")
        await until_seen(pilot, "that is not edge-routes: nothing was written")
        assert feed_of(app).changes.ran == []
        await pilot.press("escape")
        assert "spec.rules" not in seen(app)
        assert feed_of(app).changes.ran == []


async def test_the_name_applies_it_and_each_truth_is_followed(make_app) -> None:
    app = make_app()
    feed_of(app).changes.planned = plan()
    feed_of(app).changes.entries = story()
    async with app.run_test(size=WIDE) as pilot:
        await opened(app, pilot)
        await until_seen(pilot, "type  edge-routes  to apply")
        await pilot.press("ctrl+t", "shift+tab", *"why not", "enter", *"edge-routes", "enter")
        await until_seen(pilot, "✔ stored", "✔ programmed", "✔ loaded", "loaded it is", "✔ observed", "verified")
        (ran,) = feed_of(app).changes.ran
        assert (ran.reason, ran.lease_s) == ("why not", 900.0)


async def test_a_refused_plan_cannot_be_confirmed_and_names_the_safe_way(make_app) -> None:
    app = make_app()
    feed_of(app).changes.planned = plan(
        refusals=(Refusal(code="all-zero", text="all weights would be 0", safe_way="keep one above 0"),)
    )
    async with app.run_test(size=WIDE) as pilot:
        await opened(app, pilot)
        await until_seen(pilot, "✖ all weights would be 0", "keep one above 0")
        await pilot.press(*"edge-routes", "enter")
        assert feed_of(app).changes.ran == []
        assert "to apply" not in seen(app)


async def test_a_plan_that_cannot_be_made_says_why(make_app) -> None:
    app = make_app()
    feed_of(app).changes.planned = Unreachable("prod-eu did not answer", "is the VPN up?")
    async with app.run_test(size=WIDE) as pilot:
        await opened(app, pilot)
        await until_seen(pilot, "✖ prod-eu did not answer", "is the VPN up?")
        await pilot.press("escape")
        await until_seen(pilot, "enter open")


async def test_a_plan_can_be_kept_as_a_patch_file(make_app, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    app = make_app()
    feed_of(app).changes.planned = plan()
    async with app.run_test(size=WIDE) as pilot:
        await opened(app, pilot)
        await until_seen(pilot, "type  edge-routes  to apply")
        await pilot.press("ctrl+s")
        await until_seen(pilot, "written to")
    (written,) = tmp_path.glob("gwtui-*.patch")
    assert "-      weight: 90" in written.read_text()
    assert "+      weight: 50" in written.read_text()


@pytest.mark.parametrize("size", [(80, 24), WIDE])
async def test_changes_are_listed_the_open_ones_first(make_app, size: tuple[int, int]) -> None:
    app = make_app()
    leased = plan(id="20260101-120001-0002", title="second", lease_s=3600.0)
    cut = plan(id="20260101-115900-0003", title="third")
    undone = plan(id="20260101-115800-0004", title="fourth")
    feed_of(app).changes.remembered = (
        change(Verdict.UNDONE, made=undone),
        change(None, made=cut),
        change(),
        change(made=leased),
    )
    feed_of(app).moment = fleet.NOW + timedelta(minutes=10)
    async with app.run_test(size=size) as pilot:
        await until_seen(pilot, "infra/edge", "✎1 open", "✎1 lease")
        await pilot.press("5")
        await until_seen(pilot, "VERDICT", "verified", "undone", "second", "third", "50 min more")
        text = seen(app)
        assert text.index("second") < text.index("edge-routes rule 0")
        assert text.index("third") < text.index("edge-routes rule 0")
        await pilot.press("/", *"fourth", "enter")
        await until_seen(pilot, "filter fourth")
        assert "second" not in seen(app)


async def test_a_change_opens_is_taken_back_and_taken_up(make_app) -> None:
    app = make_app()
    feed_of(app).changes.remembered = (change(), change(None, made=plan(id="20260101-115900-0003", title="third")))
    feed_of(app).changes.planned = plan(title="undo of it", undoes="20260101-120000-0001")
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await until_seen(pilot, "infra/edge")
        await pilot.press("5")
        await until_seen(pilot, "third")
        await pilot.press("G", "r")
        await until_seen(pilot, "it is verified: nothing")
        await pilot.press("enter")
        await until_seen(pilot, "change 20260101-120000-0001", "✔ loaded", "spec.rules[0]")
        await pilot.press("escape", "z")
        await until_seen(pilot, "undo of it", "type  edge-routes  to apply")
        await pilot.press("escape", "g", "r")
        await until_seen(pilot, "third", "type  edge-routes  to apply")
        feed_of(app).changes.entries = story(made=plan(id="20260101-115900-0003", title="third"))
        await pilot.press(*"edge-routes", "enter")
        await until_seen(pilot, "✔ observed", "verified")
        assert [each.title for each in feed_of(app).changes.ran] == ["third"]


async def test_nothing_was_changed_yet(make_app) -> None:
    app = make_app()
    async with app.run_test(size=WIDE) as pilot:
        await until_seen(pilot, "infra/edge")
        await pilot.press("5")
        await until_seen(pilot, "no change is remembered yet")
        await pilot.press("z", "r", "enter")
        assert feed_of(app).changes.ran == []


async def test_a_guard_is_set_a_little_above_what_the_gateways_do_now(make_app) -> None:
    app = make_app()
    feed_of(app).changes.planned = plan()
    async with app.run_test(size=WIDE) as pilot:
        await opened(app, pilot)
        await until_seen(pilot, "type  edge-routes  to apply")
        await pilot.press("ctrl+g")
        await until_seen(pilot, "Guard", "errors ≤ 0.8", "for 1 min, else taken back")
        await pilot.press("ctrl+g")
        await until(pilot, lambda: "Guard" not in seen(app))


async def test_what_is_in_force_and_not_seen_offers_the_way_back(make_app) -> None:
    app = make_app()
    feed_of(app).changes.planned = plan()
    feed_of(app).changes.entries = story(Verdict.UNVERIFIED)
    async with app.run_test(size=WIDE) as pilot:
        await opened(app, pilot)
        await until_seen(pilot, "type  edge-routes  to apply")
        await pilot.press(*"edge-routes", "enter")
        await until_seen(pilot, "unverified", "z on Changes (5) takes it back")


async def test_a_write_that_nobody_found_out_about_can_be_taken_up(make_app) -> None:
    app = make_app()
    entries = (*story(None)[:2], Ended(change=plan().id, at=fleet.NOW, verdict=Verdict.UNVERIFIED, text="no answer"))
    feed_of(app).changes.remembered = changes(entries)
    async with app.run_test(size=WIDE) as pilot:
        await until_seen(pilot, "infra/edge", "✎1 open")
        await pilot.press("5")
        await until_seen(pilot, "not known")
        await pilot.press("r")
        await until_seen(pilot, "type  edge-routes  to apply")


async def test_a_change_goes_on_when_its_window_is_closed_and_says_how_it_ended(make_app) -> None:
    app = make_app()
    changes_of = feed_of(app).changes
    changes_of.planned, changes_of.entries = plan(), story(Verdict.UNVERIFIED)
    written = []
    may_end = asyncio.Event()
    run = changes_of.run

    async def held(of: Plan, steering: Steering | None = None):
        async for entry in run(of, steering):
            if isinstance(entry, Ended):
                await may_end.wait()
            yield entry

    changes_of.run = held
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await until_seen(pilot, "infra/edge")
        app.open_plan(" Edit ", lambda: changes_of.plan(KEY, {}, {}), written=lambda: written.append(True))
        await until_seen(pilot, "to apply")
        await pilot.press(*"edge-routes", "enter")
        await until_seen(pilot, "✔ observed", "under way")
        await pilot.press("escape")
        await until(pilot, lambda: "under way" not in seen(app))
        may_end.set()
        await until_seen(pilot, "unverified")
        assert written == [True]


async def test_what_was_seen_is_told_whole_in_a_small_window(make_app) -> None:
    app = make_app()
    entries = list(story())
    entries[-2] = replace(
        entries[-2], text="infra/shard-a 62.5% of 60.0% intended, infra/shard-b 37.5% of 40.0% intended"
    )
    feed_of(app).changes.planned, feed_of(app).changes.entries = plan(), tuple(entries)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        await until_seen(pilot, "to apply")
        await pilot.press(*"edge-routes", "enter")
        await until_seen(pilot, "verified", "of 60.0% intended", "of 40.0%")
