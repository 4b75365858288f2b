"""The Triage screen: what it shows, where its keys lead, and what the other screens say of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from gwtui.changes.journal import Change
from gwtui.tui.app import GwtuiApp
from gwtui.tui.screens.drain import DrainScreen
from gwtui.tui.screens.plan import PlanScreen
from gwtui.tui.screens.proxies import ProxiesScreen
from gwtui.tui.screens.proxy import ProxyScreen
from gwtui.tui.screens.reading import DocumentScreen, LiveReadingScreen
from gwtui.tui.screens.route_editor import RouteEditorScreen
from gwtui.tui.screens.rule import RuleScreen
from gwtui.tui.screens.triage import TriageScreen
from tests.triage.lab import BATCH, CLUSTER, NOW, ROUTE, SHARD_B, TO_B, Fleet, Trouble, central, change, changed, watch
from tests.tui import fleet as made
from tests.tui.looking import seen, until, until_seen

WIDE = (140, 45)
ERRS = [Trouble("shard-b", BATCH, each={"errors_5xx": 20}), Trouble("edge", TO_B, each={"errors_5xx": 10})]


def two_backends() -> list[dict]:
    refs = [{"name": "batch", "port": 8080, "weight": 1}, {"name": "feed", "port": 8080, "weight": 1}]
    return changed(central(), "HTTPRoute", "batch", lambda route: route["spec"]["rules"][0].update(backendRefs=refs))


@pytest.fixture
def open_triage() -> Callable[..., GwtuiApp]:
    def make(fleet: Fleet, before: Change | None = None) -> GwtuiApp:
        app = GwtuiApp(made.FakeFeed(watch(fleet)[-1]), title_clusters=(CLUSTER,))
        app._feed.moment = NOW + timedelta(seconds=1)
        if before is not None:
            app._feed.changes.remembered = (before,)
        return app

    return make


async def test_the_first_finding_is_on_every_screen_and_in_full_on_its_own(open_triage) -> None:
    app = open_triage(Fleet(two_backends(), troubles=ERRS), change())
    async with app.run_test(size=WIDE) as pilot:
        await until_seen(pilot, "4 Triage ✖1", "✖ tier 2 infra/shard-b: extra/batch answers 5xx to")
        await pilot.press("4")
        await until_seen(pilot, "FINDING", "+1 symptom", "before    ", "after batch: weights (change 20260801")
        await until_seen(
            pilot, "served    ", "loaded    ", "explains  ✖ backend-errors", "gwtui undo 20260801-115930-abcd"
        )
        assert "enter go to the rule" in seen(pilot)


async def test_enter_goes_to_the_place_and_keys_open_what_acts(open_triage) -> None:
    app = open_triage(Fleet(two_backends(), troubles=ERRS), change())
    app._feed.documents[ROUTE] = "kind: HTTPRoute"
    app._feed.changes.documents[ROUTE] = {"kind": "HTTPRoute", "metadata": {"name": "batch", "namespace": "extra"}}
    expected = {
        "enter": RuleScreen,
        "d": DrainScreen,
        "e": RouteEditorScreen,
        "z": PlanScreen,
        "y": DocumentScreen,
        "space": LiveReadingScreen,
    }
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("4")
        await until_seen(pilot, "FINDING", "backend-errors")
        for key, screen in expected.items():
            await pilot.press(key)
            await until(pilot, lambda screen=screen: isinstance(app.screen, screen))
            app.pop_screen()
            await until(pilot, lambda: isinstance(app.screen, TriageScreen))
        assert app._feed.changes.undone == ["20260801-115930-abcd"]


async def test_a_key_that_the_finding_does_not_offer_says_so(open_triage) -> None:
    app = open_triage(Fleet(silent=["shard-b-z1"]))
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("4")
        await until_seen(pilot, "no-healthy-front")
        await pilot.press("e")
        await until(pilot, lambda: "no route is to be edited for it" in said(app))
        await pilot.press("z")
        await until(pilot, lambda: "no change of ours came before it" in said(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ProxiesScreen))
        assert app.screen._scope == SHARD_B


def said(app: GwtuiApp) -> list[str]:
    return [each.message for each in app._notifications]


async def test_a_finding_about_a_proxy_leads_to_it(open_triage) -> None:
    app = open_triage(Fleet(silent=["edge-x1"]))
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("4")
        await until_seen(pilot, "proxy-silent")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ProxyScreen))


async def test_a_cluster_that_is_not_read_leads_to_its_sources(make_app) -> None:
    app = make_app(made.stale())
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("4")
        await until_seen(pilot, "FINDING")
        await pilot.press("slash", *"cluster prod-eu", "enter")
        await until_seen(pilot, "blind-spot")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, LiveReadingScreen))


async def test_what_is_over_leaves_the_screen(open_triage) -> None:
    app = open_triage(Fleet(troubles=ERRS))
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("4")
        await until_seen(pilot, "backend-errors")
        app._feed.change(watch(Fleet())[-1])
        await until_seen(pilot, "nothing is wrong as far as is known", "● nothing stands out")
        assert "✖" not in seen(pilot).splitlines()[1]


async def test_the_filter_and_the_command(open_triage) -> None:
    app = open_triage(Fleet(troubles=ERRS, silent=["edge-x1"]))
    async with app.run_test(size=WIDE) as pilot:
        await until_seen(pilot, "4 Triage")
        app.run_command("triage silent")
        await until_seen(pilot, "filter silent", "proxy-silent")
        assert "extra/batch answers" not in seen(pilot).partition("FINDING")[2].partition("──")[0]
        await pilot.press("escape")
        await until_seen(pilot, "+1 symptom")


async def test_it_is_there_before_anything_is_known(make_app) -> None:
    app = make_app(made.LOADING)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("4")
        await until_seen(pilot, "4 Triage", "connecting")
        app._feed.change(replace(made.central_ingress(), revision=9))
        await until_seen(pilot, "extra/batch answers 5xx")


SIZES = {"wide": (140, 45), "narrow": (80, 24)}


@pytest.mark.parametrize("size", SIZES)
def test_how_it_looks(snap_compare, size: str) -> None:
    async def ready(pilot) -> None:
        await pilot.press("4")
        await until_seen(pilot, "FINDING", "live")

    app = GwtuiApp(made.FakeFeed(made.central_ingress()), title_clusters=(made.CLUSTER,), read_only=True)
    assert snap_compare(app, terminal_size=SIZES[size], run_before=ready)
