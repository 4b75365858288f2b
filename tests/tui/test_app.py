"""Every key of the console, pressed on a running application over handmade snapshots."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from gwtui.model.ids import ObjectKey
from gwtui.tui.app import GwtuiApp
from gwtui.tui.keymap import KEYS
from gwtui.tui.screens import proxies
from gwtui.tui.screens.reading import LiveReadingScreen
from gwtui.views.proxies import row
from tests.tui import fleet, fleets
from tests.tui.looking import seen, until, until_seen

WIDE, NARROW = (140, 45), (80, 24)
EDGE_YAML = ObjectKey(fleet.CLUSTER, fleet.GATEWAYS, "infra", "edge")


def feed_of(app: GwtuiApp) -> fleet.FakeFeed:
    assert isinstance(app._feed, fleet.FakeFeed)
    return app._feed


def test_the_first_frame_needs_textual_alone() -> None:
    code = (
        "import sys, gwtui.tui.app\n"
        "heavy = {'msgspec', 'aiohttp', 'httpx', 'httpcore', 'kubernetes', 'yaml', 'prometheus_api_client'}\n"
        "print(sorted(heavy & set(sys.modules)), sorted(m for m in sys.modules if m.startswith('gwtui.model')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[] []"


def test_the_screens_need_no_network_library_either() -> None:
    code = (
        "import sys, gwtui.tui.screens.map, gwtui.tui.screens.proxies, gwtui.tui.dialogs, gwtui.tui.screens.help\n"
        "heavy = {'msgspec', 'aiohttp', 'httpx', 'httpcore', 'kubernetes', 'yaml', 'prometheus_api_client'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


async def test_first_frame_then_map(make_app) -> None:
    app = make_app(fleet.LOADING)
    async with app.run_test(size=WIDE) as pilot:
        await until_seen(pilot, "connecting to prod-eu", "1 Map", "READ-ONLY", "waiting")
        assert feed_of(app).frames == 1
        feed_of(app).change(fleet.central_ingress())
        await until_seen(pilot, "infra/edge", "12.4k rps", "4/6 proxies answer, oldest 3 s", "live")


async def test_leaving_ends_the_subscription(make_app) -> None:
    app = make_app()
    async with app.run_test(size=WIDE) as pilot:
        await until_seen(pilot, "infra/edge")
        assert feed_of(app).listeners == 1
    assert feed_of(app).listeners == 0


async def test_numbers_switch_screens(make_app) -> None:
    app = make_app()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("2")
        await until_seen(pilot, "GATEWAY", "PROXY", "edge-5f6d8-abc12")
        await pilot.press("1")
        await until_seen(pilot, "TIER 1", "WORKLOADS")


async def test_map_walk_open_and_back(make_app) -> None:
    app = make_app()
    async with app.run_test(size=WIDE) as pilot:
        await until_seen(pilot, "infra/edge · 0.31% of its answers are 5xx")
        await pilot.press("right")
        await until_seen(pilot, "gets 71% of infra/edge, shop intends 90%, 71% seen")
        await pilot.press("j")
        await until_seen(pilot, "gets 29% of infra/edge, shop intends 10%, 29% seen")
        await pilot.press("k", "h", "left")
        await until_seen(pilot, "in front of infra/edge")
        await pilot.press("right", "right", "down", "enter")
        await until_seen(pilot, "proxies of infra/shard-b", "shard-b-7c9f5-x2x4z")
        assert "edge-5f6d8-abc12" not in seen(pilot)
        await pilot.press("escape")
        await until_seen(pilot, "TIER 1", "infra/shard-b · 1.04% of its answers are 5xx")


async def test_map_first_and_last_card_and_namespace_detail(make_app) -> None:
    app = make_app()
    async with app.run_test(size=WIDE) as pilot:
        await until_seen(pilot, "infra/edge")
        await pilot.press("G")
        await until_seen(pilot, "namespace extra")
        await pilot.press("enter")
        await until_seen(pilot, "FROM GATEWAY", "batch", "1/3")
        await pilot.press("q", "g")
        await until_seen(pilot, "in front of infra/edge")


async def test_the_tree_walks_as_well(make_app) -> None:
    app = make_app()
    async with app.run_test(size=NARROW) as pilot:
        await until_seen(pilot, "infra/shard-a 71%", "infra/shard-b 29%")
        await pilot.press("right")
        await until_seen(pilot, "infra/shard-a · ")
        await pilot.press("end", "left")
        await until_seen(pilot, "infra/shard-b · ")


async def test_yaml_loads_beside_the_keys_and_shows_failures(make_app) -> None:
    app = make_app()
    feed = feed_of(app)
    feed.is_slow.clear()
    feed.documents[EDGE_YAML] = "kind: Gateway\nmetadata:\n  name: edge\n"
    async with app.run_test(size=WIDE) as pilot:
        await until_seen(pilot, "infra/edge")
        await pilot.press("y")
        await until_seen(pilot, "reading gateways/infra/edge")
        feed.is_slow.set()
        await until_seen(pilot, "kind: Gateway", "  name: edge")
        await pilot.press("escape")
        del feed.documents[EDGE_YAML]
        await pilot.press("y")
        await until_seen(pilot, "gateways/infra/edge did not answer", "try again with y")
    assert feed.asked == [EDGE_YAML, EDGE_YAML]


async def test_secrets_are_never_fetched(make_app) -> None:
    app = make_app()
    async with app.run_test(size=WIDE) as pilot:
        await until_seen(pilot, "infra/edge")
        app.open_yaml(ObjectKey(fleet.CLUSTER, "secrets", "infra", "tls"))
        await until_seen(pilot, "Secrets are never shown here")
    assert feed_of(app).asked == []


async def test_worst_first_and_the_reason_across_the_row(make_app) -> None:
    app = make_app()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("2")
        await until_seen(pilot, "edge-5f6d8-ghi34")
        rows = [row for row in seen(pilot).splitlines() if "infra/" in row and "in prod-eu" not in row]
        assert "✖ no answer" in rows[0]
        assert "for 40 s: port 9091 refused the connection" in rows[0]
        assert "✖ errors" in rows[1]
        assert "pods/proxy is forbidden for user sre" in rows[2]
        assert "● ok" in rows[5]


async def test_rows_rest_while_the_cursor_moves_and_the_selection_follows_its_key(make_app) -> None:
    app = make_app()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("2", "down")
        await until_seen(pilot, "pod infra/shard-b-7c9f5-x2x4z")
        feed_of(app).change(fleet.healthy(), later_s=1)
        table = app.screen.query_one("#body")
        await until(pilot, lambda: len(table.keys) == 4)
        assert table.keys[0].pod == "shard-b-7c9f5-x2x4z"
        feed_of(app).change(fleet.healthy(), later_s=5)
        await until(pilot, lambda: table.keys[-1].pod == "shard-b-7c9f5-x2x4z")
        assert table.selected.pod == "shard-b-7c9f5-x2x4z"


async def test_only_rows_in_the_window_are_put_into_words(make_app, monkeypatch) -> None:
    written: list[str] = []

    def noting(proxy, *about, **more):
        written.append(proxy.key.pod)
        return row(proxy, *about, **more)

    monkeypatch.setattr(proxies, "row", noting)
    app = make_app(fleets.many(50, 4, 5))
    async with app.run_test(size=(140, 24)) as pilot:
        await pilot.press("2")
        await until_seen(pilot, "gw-007")
        table = app.screen.query_one("#body")
        assert len(table.keys) == 204
        assert set(written) <= {key.pod for key in table.keys[: table.size.height]}


async def test_moving_in_the_table(make_app) -> None:
    app = make_app()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("2")
        await until_seen(pilot, "pod infra/edge-5f6d8-ghi34")
        for keys, pod in (
            (("G",), "shard-a-66d4c-j9k8l"),
            (("g",), "edge-5f6d8-ghi34"),
            (("pagedown",), "shard-a-66d4c-j9k8l"),
            (("pageup",), "edge-5f6d8-ghi34"),
            (("j", "k", "down"), "shard-b-7c9f5-x2x4z"),
            (("up",), "edge-5f6d8-ghi34"),
        ):
            await pilot.press(*keys)
            await until_seen(pilot, f"pod infra/{pod}")


async def test_sorting_by_the_column_beside(make_app) -> None:
    app = make_app()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("2")
        await until_seen(pilot, "STATE▾")
        await pilot.press("greater_than_sign")
        await until_seen(pilot, "RPS▾")
        table = app.screen.query_one("#body")
        assert table.keys[0].pod == "shard-a-66d4c-j9k8l"
        await pilot.press("less_than_sign")
        await until_seen(pilot, "STATE▾")


async def test_proxy_detail_tells_time_and_source(make_app) -> None:
    app = make_app()
    feed_of(app).documents[ObjectKey(fleet.CLUSTER, "pods", "infra", "shard-b-7c9f5-x2x4z")] = "kind: Pod\n"
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("2", "down", "enter")
        await until_seen(pilot, "3.6k rps", "downstream_rq_total", "our cost")
        await pilot.press("y")
        await until_seen(pilot, "kind: Pod")
        await pilot.press("escape", "escape")
        await until_seen(pilot, "STATE▾")


async def test_y_in_the_table_shows_the_pod(make_app) -> None:
    app = make_app()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("2", "y")
        await until(
            pilot, lambda: feed_of(app).asked == [ObjectKey(fleet.CLUSTER, "pods", "infra", "edge-5f6d8-ghi34")]
        )


async def test_filter_is_live_and_escape_clears_it(make_app) -> None:
    app = make_app()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("2", "slash", *"shard")
        await until(pilot, lambda: "edge-5f6d8-abc12" not in seen(pilot) and "shard-a-66d4c-j9k8l" in seen(pilot))
        await pilot.press("enter")
        await until_seen(pilot, "filter shard  esc clears")
        await pilot.press("escape")
        await until_seen(pilot, "edge-5f6d8-abc12")
        await pilot.press("slash", *"zzz")
        await until_seen(pilot, "nothing matches zzz")
        await pilot.press("escape")
        await until_seen(pilot, "edge-5f6d8-abc12")


async def test_filter_on_the_map_keeps_what_is_connected(make_app) -> None:
    app = make_app()
    async with app.run_test(size=WIDE) as pilot:
        await until_seen(pilot, "infra/shard-a")
        await pilot.press("slash", *"extra")
        await until(pilot, lambda: "infra/shard-a" not in seen(pilot))
        assert all(name in seen(pilot) for name in ("infra/edge", "infra/shard-b", "extra", "NLB"))


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("proxies", "STATE▾"),
        ("p shard-b", "filter shard-b"),
        ("sources", "how do we know"),
        ("help", "Quit at once"),
        ("proxxies", "no command proxxies; did you mean :proxies?"),
        ("xyzzy", "no command xyzzy; there are: map, proxies"),
        ("theme nope", "no theme nope; there are: dark, high-contrast, light"),
    ],
)
async def test_command_mode(make_app, typed: str, text: str) -> None:
    app = make_app()
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await until_seen(pilot, "infra/edge")
        await pilot.press("colon", *[key if key != " " else "space" for key in typed.replace("-", "-")], "enter")
        await until_seen(pilot, text)


async def test_theme_command_changes_the_colours(make_app) -> None:
    app = make_app()
    async with app.run_test(size=WIDE) as pilot:
        await until_seen(pilot, "infra/edge")
        await pilot.press("colon", *"theme", "space", *"light", "enter")
        await until(pilot, lambda: app.theme == "light")


async def test_escape_leaves_command_mode(make_app) -> None:
    app = make_app()
    async with app.run_test(size=WIDE) as pilot:
        await until_seen(pilot, "infra/edge")
        await pilot.press("colon", *"q")
        await until(pilot, lambda: bool(app.screen.query("#prompt")))
        await pilot.press("escape")
        await until(pilot, lambda: not app.screen.query("#prompt"))
        assert app.is_running


async def test_command_q_quits(make_app) -> None:
    app = make_app()
    async with app.run_test(size=WIDE) as pilot:
        await until_seen(pilot, "infra/edge")
        await pilot.press("colon", "q", "enter")
        await until(pilot, lambda: app._exit)


async def test_help_lists_the_live_bindings(make_app) -> None:
    app = make_app()
    async with app.run_test(size=WIDE) as pilot:
        await until_seen(pilot, "infra/edge")
        await pilot.press("question_mark")
        shown = [key for key in KEYS if key.id.partition(".")[0] in ("map", "console", "app")]
        await until_seen(pilot, *(key.tooltip for key in shown))
        assert "Sort by the column" not in seen(pilot)
        await pilot.press("j", "k", "ctrl+d", "ctrl+u", "G", "g", "q")
        await until(pilot, lambda: "Quit at once" not in seen(pilot))


async def test_palette_lists_our_commands(make_app) -> None:
    app = make_app()
    async with app.run_test(size=WIDE) as pilot:
        await until_seen(pilot, "infra/edge")
        await pilot.press("ctrl+p")
        await until_seen(pilot, "sources", "theme light")


async def test_sources_say_what_to_grant(make_app) -> None:
    app = make_app(fleet.FORBIDDEN)
    async with app.run_test(size=WIDE) as pilot:
        await until_seen(pilot, "not allowed to read Gateways in prod-eu")
        await pilot.press("s")
        await until_seen(pilot, "forbidden", fleet.GATEWAYS, "grant list, watch on gateways")


async def test_pause_holds_the_screen_and_says_so(make_app) -> None:
    app = make_app()
    async with app.run_test(size=WIDE) as pilot:
        await until_seen(pilot, "12.4k rps")
        await pilot.press("p")
        await until_seen(pilot, "PAUSED")
        feed_of(app).change(fleet.LOADING)
        await asyncio.sleep(0.6)  # two repaints would have been due
        await pilot.press("down")
        assert "12.4k rps" in seen(pilot)
        await pilot.press("p")
        await until_seen(pilot, "connecting to prod-eu")


async def test_q_asks_and_escape_never_quits(make_app) -> None:
    app = make_app()
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await until_seen(pilot, "infra/edge")
        await pilot.press("escape", "escape")
        await until_seen(pilot, "this is the first screen; q leaves")
        await pilot.press("q")
        await until_seen(pilot, "press q again to quit")
        assert not app._exit
        await pilot.press("q")
        await until(pilot, lambda: app._exit)


async def test_capital_q_quits_at_once(make_app) -> None:
    app = make_app()
    async with app.run_test(size=WIDE) as pilot:
        await until_seen(pilot, "infra/edge")
        await pilot.press("Q")
        await until(pilot, lambda: app._exit)


async def test_interrupt_twice_quits_even_from_a_dialog_and_a_text_field(make_app) -> None:
    for keys in (("y",), ("slash", "a")):
        app = make_app()
        feed_of(app).is_slow.clear()
        async with app.run_test(size=WIDE) as pilot:
            await until_seen(pilot, "infra/edge")
            await pilot.press(*keys, "ctrl+c")
            assert not app._exit
            await pilot.press("ctrl+c")
            await until(pilot, lambda app=app: app._exit)


async def test_the_operators_own_keys(make_app) -> None:
    app = make_app(keys={"app.sources": "f9"})
    async with app.run_test(size=WIDE) as pilot:
        await until_seen(pilot, "infra/edge", "f9 sources")
        await pilot.press("f9")
        await until_seen(pilot, "how do we know")


def test_every_key_has_a_name_a_label_and_an_explanation() -> None:
    assert len({key.id for key in KEYS}) == len(KEYS)
    assert all("." in key.id and key.label and key.tooltip and key.keys for key in KEYS)


def test_no_two_actions_of_one_screen_share_a_key() -> None:
    for together in (("map", "console", "app"), ("table", "proxies", "console", "app"), ("reading", "detail")):
        keys = [name for key in KEYS if key.id.partition(".")[0] in together for name in key.keys.split(",")]
        assert len(keys) == len(set(keys)), together


async def test_nothing_is_painted_while_screens_lose_their_widgets(make_app, monkeypatch) -> None:
    app = make_app()
    widgets_left = []

    async def tick(screen: LiveReadingScreen) -> None:
        widgets_left.append(len(screen.children))
        app._bridge._is_dirty = True
        app._bridge._rests_until = float("-inf")
        await app._bridge.tick()

    monkeypatch.setattr(LiveReadingScreen, "on_unmount", tick, raising=False)
    async with app.run_test(size=WIDE) as pilot:
        await until_seen(pilot, "infra/edge")
        await pilot.press("s")
        await until_seen(pilot, "how do we know")
    assert widgets_left == [0]


async def test_a_panel_that_is_being_closed_is_not_painted(make_app) -> None:
    app = make_app()
    async with app.run_test(size=WIDE) as pilot:
        await until_seen(pilot, "infra/edge")
        await pilot.press("s")
        await until_seen(pilot, "esc closes")
        panel = app.screen
        await panel.query("#panel").remove()
        assert panel.is_mounted
        panel.paint(app.scene)
