"""M1 to M4: what a repaint of the Map costs at 200 gateways, and one of the Proxies at 1000 proxies.

The Map shows the cluster of `bench/topology.py`, its 180 shards spread over 20 namespaces: 200 gateways with 400
proxies, 5,000 routes, 5,400 hops, in a window of 140x45. A repaint is everything between a new snapshot and painted
lines: figures, cards, links, layout, header, triage, strips.

- M1: every figure changed, against the floor of this work: one difference of two counters for every upstream of every
  proxy in a bare loop, and painting as many static lines through the same widgets.
- M2: every twentieth proxy was asked again, as between two repaints of a fleet at rest; against M1's floor.
- M3: the cursor moved; against painting the static lines alone.
- M4: the Proxies of 100 gateways, 1000 rows, every figure changed; against painting the static lines alone.

Prints one JSON line per figure. CPU is process time without garbage collection, the median over repetitions in one
process. Run with `python -m bench.map`.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
from collections.abc import AsyncIterator, Callable, Collection, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import Any, Never

from textual.geometry import Region

from bench import replay, topology
from gwtui.errors import Unreachable
from gwtui.model.health import ProxyState
from gwtui.model.ids import GatewayKey, ObjectKey, ProxyKey
from gwtui.model.observations import KindListed, ProxySampled, TopologyGiven
from gwtui.model.reduction import reduce
from gwtui.model.samples import ClusterSample, ProxySample
from gwtui.model.shape import Topology
from gwtui.model.snapshot import Snapshot
from gwtui.tui.app import GwtuiApp
from gwtui.tui.feed import ConsoleChanges, ProxyPages
from gwtui.tui.screens.console import ConsoleScreen
from gwtui.tui.widgets.fleet_view import FleetView
from gwtui.tui.widgets.live_table import LiveTable
from gwtui.tui.widgets.painted import Painted
from gwtui.views.spans import Line, Role, Span

GOALS = {"M1": 25.0, "M2": 9.0, "M3": 4.0, "M4": 38.0}
SIZE = (140, 45)
TEAMS = 20
PERIOD_S = 5.0
WARM_ROUNDS = 14
"""Longer than the window of latencies, and some history for the sparklines."""

REPETITIONS = 15
PARTS = 20
"""One part of so many is asked between two repaints at rest."""

START = datetime(2026, 3, 1, 14, 0, tzinfo=UTC)
BOUNDS = (0.5, 1.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0, 5000.0, 10000.0, 30000.0, float("inf"))
STATIC: Line = tuple(Span("shard-042 12.4k rps ", role) for role in (Role.TEXT, Role.STRONG, Role.DIM, Role.OK) * 2)[:7]
SICK = 37
"""Every so manyeth upstream answers some 5xx."""


class StillFeed:
    """Serves one snapshot at one moment: later ones are painted by hand."""

    def __init__(self, snapshot: Snapshot, now: datetime) -> None:
        self.snapshot = snapshot
        self._now = now

    @property
    def pages(self) -> ProxyPages:
        """No proxy can be opened."""
        raise Unreachable("made proxies hold no pages")

    @property
    def changes(self) -> ConsoleChanges:
        """No object can be changed."""
        raise Unreachable("made fleets cannot be changed")

    def subscribe(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Nothing changes."""
        return lambda: None

    def attend(self, visible: Collection[ProxyKey], opened: ProxyKey | None = None) -> None:
        """Everything is sampled anyway."""

    async def fetch_yaml(self, key: ObjectKey) -> Never:
        """No object can be read."""
        raise Unreachable(f"made fleets hold no {key}")

    def now(self) -> datetime:
        """The moment of the snapshot."""
        return self._now

    def painted(self) -> None:
        """Nothing waits for the first frame."""


class Traffic:
    """Counters of every proxy of a topology, as samples; all of them grow with every round.

    Args:
        shape: the fleet.
    """

    def __init__(self, shape: Topology) -> None:
        upstreams: dict[GatewayKey, list[str]] = {}
        for hop in shape.hops:
            upstreams.setdefault(hop.source, []).extend(hop.envoy_clusters)
        self._proxies = [(key, upstreams.get(node.key, [])) for node in shape.gateways for key in node.proxies]
        self._seconds = 0.0

    @property
    def now(self) -> datetime:
        """A moment after the last round."""
        return START + timedelta(seconds=self._seconds + 1)

    def round(self, part: int = 0, parts: int = 1) -> list[ProxySampled]:
        """The next sample of every proxy a period later; or of one of so many parts of them, as much sooner."""
        self._seconds += PERIOD_S / parts
        return [
            self._sampled(key, names, number)
            for number, (key, names) in enumerate(self._proxies)
            if number % parts == part
        ]

    def _sampled(self, key: ProxyKey, names: Iterable[str], number: int) -> ProxySampled:
        seconds = self._seconds
        turn = round(seconds * PARTS / PERIOD_S)
        weight = 1 + number % 50
        # The pace differs from round to round, so that no figure stays what it was.
        requests = turn * 300 * weight + turn % 7 * 11
        clusters = {
            name: ClusterSample(
                requests=turn * weight * (index + 3) + turn % 5 * (index + 1),
                errors_5xx=turn if (index + number) % SICK == 0 else 0,
                active=3,
                members_healthy=topology.PODS_PER_SERVICE,
                members_total=topology.PODS_PER_SERVICE,
            )
            for index, name in enumerate(names)
        }
        sample = ProxySample(
            taken_mono=seconds,
            taken_at=START + timedelta(seconds=seconds),
            requests=requests,
            errors_5xx=turn * (number % SICK == 0),
            errors_4xx=turn,
            active=turn % 40,
            uptime_s=int(seconds),
            latency=tuple(
                (bound, min(requests, requests * (at + 1) // 9 + turn % 3)) for at, bound in enumerate(BOUNDS)
            ),
            clusters=clusters,
            answer_bytes=55_000,
            answer_ms=4.0,
            admin_ms=2.0,
        )
        return ProxySampled(key, ProxyState.LIVE, sample, "pod proxy")


def spread(shape: Topology) -> Topology:
    """The same fleet with its shards in namespaces of several teams."""
    moved = {node.key: _moved(node.key) for node in shape.gateways}
    gateways = sorted((replace(node, key=moved[node.key]) for node in shape.gateways), key=lambda node: node.key)
    hops = [
        replace(
            hop,
            source=moved[hop.source],
            target=moved[hop.target] if isinstance(hop.target, GatewayKey) else hop.target,
        )
        for hop in shape.hops
    ]
    return replace(shape, gateways=tuple(gateways), hops=tuple(sorted(hops, key=lambda hop: hop.source)))


def _moved(key: GatewayKey) -> GatewayKey:
    kind, _, number = key.name.rpartition("-")
    return key._replace(namespace=f"edge-{int(number) % TEAMS:02}") if kind == "shard" else key


def map_fleet() -> Snapshot:
    """200 gateways with what they serve."""
    objects = topology.fleet()
    snapshot = reduce(Snapshot(), [KindListed(topology.CLUSTER, kind, found) for kind, found in objects.items()])
    shape = spread(snapshot.clusters[topology.CLUSTER].topology)
    return reduce(snapshot, (TopologyGiven(topology.CLUSTER, shape),))


def proxies_fleet() -> Snapshot:
    """100 gateways of ten proxies each."""
    return reduce(Snapshot(), (TopologyGiven(replay.CLUSTER, replay.topology()),))


class Screen:
    """A screen of the console on a made fleet, painted by hand.

    Args:
        screen: the screen, on the terminal.
        snapshot: what it shows at first.
        traffic: where the samples come from.
    """

    def __init__(self, screen: ConsoleScreen, snapshot: Snapshot, traffic: Traffic) -> None:
        self._screen = screen
        self._snapshot = snapshot
        self._traffic = traffic
        self._scene = screen.console_app.scene
        self._body = screen.query_one("#body", Painted)
        self._steps = cycle(("right", "down", "up", "left"))

    def sampled(self, part: int = 0, parts: int = 1) -> None:
        """Take over samples of every proxy, or of one part of them; nothing is painted."""
        self._snapshot = reduce(self._snapshot, self._traffic.round(part, parts))

    def refresh(self) -> None:
        """From the snapshot to painted lines."""
        self._scene = self._scene.later(self._snapshot, self._scene.clusters, self._traffic.now)
        self._screen.paint(self._scene)
        self._paint()

    def move(self) -> None:
        """One step of the cursor, to painted lines."""
        step = next(self._steps)
        if isinstance(self._body, FleetView):
            self._body.action_move(step)
        elif isinstance(self._body, LiveTable):
            self._body.action_move(1)
        self._screen.paint_foot(self._scene)
        self._paint()

    def static(self) -> None:
        """Paint a full window of lines that never change, through the same widget."""
        for _ in range(SIZE[1]):
            self._body.strip(STATIC, SIZE[0])

    def differences(self) -> float:
        """One difference of counters for every upstream of every proxy: what no rate can do without."""
        total = 0.0
        for view in self._snapshot.proxies.values():
            before, newest = view.samples[-2:]
            span_s = newest.taken_mono - before.taken_mono
            earlier = before.clusters
            for name, counted in newest.clusters.items():
                total += (counted.requests - earlier[name].requests) / span_s
        return total

    def _paint(self) -> None:
        for name in ("#header", "#body", "#foot"):
            widget = self._screen.query_one(name)
            widget.render_lines(Region(0, 0, *widget.size))


@asynccontextmanager
async def shown(snapshot: Snapshot, key: str) -> AsyncIterator[Screen]:
    """The console on a fleet, at the screen of a key."""
    traffic = Traffic(next(iter(snapshot.clusters.values())).topology)
    for _ in range(WARM_ROUNDS):
        snapshot = reduce(snapshot, traffic.round())
    app = GwtuiApp(StillFeed(snapshot, traffic.now), title_clusters=tuple(snapshot.clusters))
    async with app.run_test(size=SIZE) as pilot:
        for pressed in ("1", key):
            await pilot.press(pressed)
            await pilot.pause()
        if not isinstance(app.screen, ConsoleScreen):
            raise TypeError(f"{key} shows {app.screen}")
        yield Screen(app.screen, snapshot, traffic)


def cpu_ms(run: Callable[[], Any]) -> float:
    """CPU of a call in ms, garbage collected before it and not during it."""
    return 1000 * topology.cpu_seconds(run)[0]


async def map_costs() -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """CPU in ms of the floors and of what is measured on the Map, by name."""
    floors: dict[str, list[float]] = {"M1": [], "M2": [], "M3": []}
    costs: dict[str, list[float]] = {"M1": [], "M2": [], "M3": []}
    async with shown(map_fleet(), "1") as screen:
        for number in range(REPETITIONS):
            static = cpu_ms(screen.static)
            bare = static + cpu_ms(screen.differences)
            for name, floor in (("M1", bare), ("M2", bare), ("M3", static)):
                floors[name].append(floor)
            screen.sampled()
            costs["M1"].append(cpu_ms(screen.refresh))
            costs["M3"].append(cpu_ms(screen.move))
            # The first of these still clears away what all of the old figures were.
            for part in (2 * number, 2 * number + 1):
                screen.sampled(part % PARTS, PARTS)
                at_rest = cpu_ms(screen.refresh)
            costs["M2"].append(at_rest)
    return floors, costs


async def proxies_costs() -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """The same of the Proxies."""
    floors: dict[str, list[float]] = {"M4": []}
    costs: dict[str, list[float]] = {"M4": []}
    async with shown(proxies_fleet(), "2") as screen:
        for _ in range(REPETITIONS):
            floors["M4"].append(cpu_ms(screen.static))
            screen.sampled()
            costs["M4"].append(cpu_ms(screen.refresh))
    return floors, costs


def main() -> None:
    for measured in (map_costs, proxies_costs):
        floors, costs = asyncio.run(measured())
        for name, taken in costs.items():
            ratio = statistics.median(one / floor for one, floor in zip(taken, floors[name], strict=True))
            print(
                json.dumps(
                    {
                        "id": name,
                        "cpu_ratio": round(ratio, 2),
                        "goal": GOALS[name],
                        "met": ratio <= GOALS[name],
                        "cpu_ms": round(statistics.median(taken), 2),
                        "floor_ms": round(statistics.median(floors[name]), 2),
                        "window": SIZE,
                        "repetitions": REPETITIONS,
                        "load_average": round(os.getloadavg()[0], 2),
                    }
                ),
                flush=True,
            )


if __name__ == "__main__":
    main()
