"""`gwtui snapshot` and `gwtui map`: what can be seen, as one document, without a console."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys

from gwtui.engine.clock import SystemClock
from gwtui.errors import Exit
from gwtui.model.snapshot import Snapshot
from gwtui.settings import Settings
from gwtui.views.complaints import complaints
from gwtui.views.document import fleet_document
from gwtui.views.document_table import fleet_table
from gwtui.views.map_document import map_document
from gwtui.views.map_mermaid import map_mermaid
from gwtui.views.map_svg import map_svg
from gwtui.views.map_text import map_text
from gwtui.views.scene import Scene
from gwtui.wiring.inks import theme_inks
from gwtui.wiring.session import Session, start

ASKED_WITHIN_S = 5.0
UNSEEN_CELLS = 140
"""Width of a text that does not go to a terminal."""


def snapshot(settings: Settings, *, output: str, settle_s: float) -> int:
    """Watch the fleet for `settle_s` seconds, print it, and say on stderr what is wrong with it.

    Returns:
        0 when all is well, 1 when something was found.

    Raises:
        GwtuiError: no cluster answered, or nothing may be read.
    """
    scene = _look(settings, settle_s)
    document = fleet_document(scene.snapshot, now=scene.now)
    print(json.dumps(document, indent=2) if output == "json" else fleet_table(document), flush=True)
    return _complain(scene.snapshot)


def draw_map(settings: Settings, *, output: str, settle_s: float, cells: int | None) -> int:
    """Watch the fleet for `settle_s` seconds, draw its shape, and say on stderr what is wrong with it.

    Args:
        settings: What to connect to; the theme colours an SVG.
        output: `text`, `json`, `svg` or `mermaid`.
        settle_s: How long to watch once everything was listed, in seconds.
        cells: Width of the text; None is that of the terminal.

    Returns:
        0 when all is well, 1 when something was found.

    Raises:
        GwtuiError: no cluster answered, nothing may be read, or the theme cannot be used.
    """
    inks = theme_inks(settings.theme) if output == "svg" else None
    scene = _look(settings, settle_s)
    if inks is not None:
        drawn = map_svg(scene, inks)
    elif output == "json":
        drawn = json.dumps(map_document(scene), indent=2) + "\n"
    elif output == "mermaid":
        drawn = map_mermaid(scene)
    else:
        drawn = map_text(scene, cells=cells or shutil.get_terminal_size((UNSEEN_CELLS, 0)).columns)
    print(drawn, end="", flush=True)
    return _complain(scene.snapshot)


def _complain(seen: Snapshot) -> int:
    found = complaints(seen)
    for complaint in found:
        print(f"gwtui: {complaint.line()}", file=sys.stderr)
    return Exit.FINDINGS if found else Exit.OK


def _look(settings: Settings, settle_s: float) -> Scene:
    clock = SystemClock()
    session = start(settings, clock)
    seen = asyncio.run(_watch(session, settle_s))
    return Scene(seen, session.reach.clusters, clock.now())


async def _watch(session: Session, settle_s: float) -> Snapshot:
    async with session.watching(settle_s, asked_within_s=ASKED_WITHIN_S):
        return session.store.snapshot
