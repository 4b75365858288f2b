"""Screenshots of the console as SVG, made by running it without a terminal on the playground.

Without arguments: the pictures of `central-ingress` that the repository keeps; `--all`: those of every scenario. Any of
`--screen`, `--theme` and `--size` asks for other pictures instead, down to a single one:

    python -m tools.screenshots mixed --theme mono --size 80x24 --folder build

The figures in the pictures are those of that run.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import re
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from gwtui.engine.clock import SystemClock
from gwtui.errors import GwtuiError
from gwtui.playground import launch
from gwtui.playground.scenario import load_scenario, pattern_names, scenario_names
from gwtui.settings import SHORTEST_PERIOD_S, Settings
from gwtui.tui.app import GwtuiApp
from gwtui.tui.feed import Feed
from gwtui.tui.theming import theme_names, themes_dir
from gwtui.wiring.console import ConsoleFeed
from gwtui.wiring.session import start

FOLDER = Path(__file__).resolve().parent.parent / "screenshots"
NARROW, USUAL, WIDE = (80, 24), (140, 45), (220, 60)
SIZES = (NARROW, USUAL, WIDE)

_SHOP = ("slash", *"ns:infra host:shop", "enter", "e")
_HALVES = ("minus", "minus", "minus", "minus", "v")

SCREENS: dict[str, tuple[str, tuple[tuple[tuple[str, ...], str], ...]]] = {
    "map": ("map", ()),
    "proxies": ("proxies", ()),
    "routes": ("routes", ()),
    "editor": ("routes", ((_SHOP, "nothing changed yet"), (("minus", "minus"), "changed"))),
    "plan": ("routes", ((_SHOP, "nothing changed yet"), (_HALVES, "dry run"))),
    "changes": ("changes", ()),
    "triage": ("triage", ()),
    "explain": ("map", ((("x",), "agree"),)),
}
"""By name: the mode, then what is typed and the text that is waited for after it."""

MONO = "mono"
"""Stands for the theme `dark` in a terminal whose user asked for no colour."""

SCENARIO = "central-ingress"
"""Its pictures are named without the scenario, and there are more of them."""

UNWELL = "bad-backend"
"""Something is wrong there: its pictures are those of Triage."""

SHOWN_TICKS = 400
"""Tenths of a second a text is waited for."""

SETTLE_TICKS = 20
"""How often the application may go round before the picture is taken."""

WATCH_S = 15.0
"""How long the fleet is watched first: a rate's window is full after 10 s, and Envoy flushes latencies every 5 s."""

ASKED_WITHIN_S = 10.0


class Picture(NamedTuple):
    """One picture of one scenario."""

    scenario: str
    screen: str
    theme: str
    size: tuple[int, int]
    """Columns and rows of the terminal."""

    @property
    def file_name(self) -> str:
        """Scenario, screen, theme and size."""
        lead = "" if self.scenario == SCENARIO else f"{self.scenario}-"
        columns, rows = self.size
        return f"{lead}{self.screen}-{self.theme}-{columns}x{rows}.svg"


def kept(scenario: str) -> Iterator[Picture]:
    """The pictures of a scenario that the repository keeps."""
    if scenario == SCENARIO:
        for theme, size in itertools.product(("dark", "light", MONO), SIZES):
            yield Picture(scenario, "map", theme, size)
        for size in SIZES:
            yield Picture(scenario, "proxies", "dark", size)
        for screen, size in itertools.product(("routes", "editor", "plan", "explain"), (NARROW, USUAL)):
            yield Picture(scenario, screen, "dark", size)
    else:
        for size in (NARROW, USUAL):
            yield Picture(scenario, "triage" if scenario == UNWELL else "map", "dark", size)


async def capture(
    feed: Feed,
    screen: str,
    size: tuple[int, int],
    theme: str,
    path: Path,
    *,
    clusters: tuple[str, ...] = (),
    keys: tuple[str, ...] = (),
) -> None:
    """Run the console on a feed, go to a screen and write what it shows.

    Args:
        feed: Any feed; what it holds when the console starts is what is shown.
        screen: one of `SCREENS`.
        size: Columns and rows of the terminal.
        theme: Name of a theme file, or `mono`.
        path: Where the SVG goes; its folder must exist.
        clusters: Contexts the header names; empty takes those of the snapshot.
        keys: Keys pressed before the picture is taken.
    """
    contexts = clusters or tuple(feed.snapshot.clusters)
    app = app_on(feed, contexts, theme)
    async with app.run_test(size=size) as pilot:
        mode, visits = SCREENS[screen]
        app.action_show_mode(mode)
        await pilot.pause()
        for typed, wanted in (*visits, (keys, "")):
            await pilot.press(*typed)
            await shown(app, wanted)
        for _ in range(SETTLE_TICKS):
            await asyncio.sleep(0)
        await pilot.pause()
        picture = app.export_screenshot(title="gwtui")
        for key in visits and ("D", "escape", "D"):  # no draft stays behind, with a plan over it or without
            await pilot.press(key)
    await asyncio.to_thread(path.write_text, picture, "utf-8")


async def shown(app: GwtuiApp, wanted: str) -> None:
    """Wait until a text is on the screen; what is read from a server comes when it comes."""
    for _ in range(SHOWN_TICKS):
        if wanted in app.export_screenshot(simplify=True).replace("&#160;", " "):
            return
        await asyncio.sleep(0.1)
    raise GwtuiError(f"{wanted!r} is not on the screen", "look at it with `gwtui demo`")


def app_on(feed: Feed, contexts: tuple[str, ...], theme: str) -> GwtuiApp:
    """The console in that theme, whatever the user of this command wants for colours: it looks when it is made."""
    wanted = os.environ.pop("NO_COLOR", None)
    if theme == MONO:
        os.environ["NO_COLOR"] = "1"
    try:
        return GwtuiApp(feed, title_clusters=contexts, theme="dark" if theme == MONO else theme, read_only=False)
    finally:
        os.environ.pop("NO_COLOR", None)
        if wanted is not None:
            os.environ["NO_COLOR"] = wanted


@asynccontextmanager
async def watched(scenario: str, watch_s: float) -> AsyncIterator[Feed]:
    """A feed of the playground with a scenario, once its fleet was watched for `watch_s` seconds.

    Where no proxy runs nothing moves, and it is there as soon as everything was listed.
    """
    playground = await launch.launch(scenario, state_dir=None, progress=lambda line: print(line, flush=True))
    clock = SystemClock()
    session = start(Settings(kubeconfig=playground.kubeconfig, scrape_period_s=SHORTEST_PERIOD_S), clock)
    engine: asyncio.Task[None] | None = None
    try:
        await session.open()
        engine = asyncio.create_task(session.run())
        feed = ConsoleFeed(clock)
        feed.attach(session)
        await session.answered()
        await session.listed()
        await session.sampled(ASKED_WITHIN_S)
        if playground.ready["admin"]:
            print(f"watching {scenario} for {watch_s:.0f} s", flush=True)
            await asyncio.sleep(watch_s)
        yield feed
    finally:
        if engine is not None:
            engine.cancel()
            await asyncio.gather(engine, return_exceptions=True)
        await session.close()
        await playground.close()


async def take(pictures: Sequence[Picture], folder: Path, watch_s: float) -> None:
    """Write pictures, those of one scenario after those of the other."""
    for scenario, own in itertools.groupby(pictures, lambda picture: picture.scenario):
        async with watched(scenario, watch_s) as feed:
            for picture in own:
                await capture(feed, picture.screen, picture.size, picture.theme, folder / picture.file_name)
                print(folder / picture.file_name, flush=True)


def size_of(text: str) -> tuple[int, int]:
    """Columns and rows, written as `80x24`."""
    found = re.fullmatch(r"([0-9]{1,3})x([0-9]{1,3})", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text} is not like 80x24")
    return int(found[1]), int(found[2])


def parser() -> argparse.ArgumentParser:
    """What may be asked for."""
    names = [name for name, _ in scenario_names()]
    themes = [*theme_names(themes_dir()), MONO]
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=f"default {SCENARIO}; {', '.join(names)}")
    made.add_argument("--all", action="store_true", help="every deployment pattern, and something unwell")
    made.add_argument("--screen", action="append", choices=list(SCREENS), help="repeat for more; default map")
    made.add_argument("--theme", action="append", choices=themes, help="repeat for more; default dark")
    made.add_argument("--size", action="append", type=size_of, metavar="COLUMNSxROWS", help="default all three")
    made.add_argument("--watch", type=float, default=WATCH_S, metavar="S", help="seconds; default %(default).0f")
    made.add_argument("--folder", type=Path, default=FOLDER, help="where the pictures go; default screenshots/")
    return made


def pictures_of(asked: argparse.Namespace) -> list[Picture]:
    """The pictures that were asked for."""
    scenarios = (*pattern_names(), UNWELL) if asked.all else asked.scenarios or [SCENARIO]
    if asked.screen or asked.theme or asked.size:
        product = itertools.product(scenarios, asked.screen or ["map"], asked.theme or ["dark"], asked.size or SIZES)
        return list(itertools.starmap(Picture, product))
    return [picture for scenario in scenarios for picture in kept(scenario)]


def main(arguments: Sequence[str]) -> int:
    """Take the pictures; return the exit code."""
    asked = parser().parse_args(arguments)
    pictures = pictures_of(asked)
    try:
        for picture in pictures:
            load_scenario(picture.scenario)
        asked.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as state:
            os.environ["XDG_STATE_HOME"] = state  # a journal and drafts of these pictures alone
            asyncio.run(take(pictures, asked.folder, asked.watch))
    except GwtuiError as error:
        print(f"screenshots: {error.line()}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
