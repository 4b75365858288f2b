"""What an executor needs beside those it writes to: a journal in memory, and a guard that says what the test says."""

from __future__ import annotations

import asyncio
import re
from contextlib import AbstractContextManager, nullcontext
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from heapq import heappop, heappush
from itertools import count

from gwtui.changes.differences import apply_patch
from gwtui.changes.door import Approval
from gwtui.changes.journal import Entry
from gwtui.changes.plan import Document, ObjectEdit, Plan
from gwtui.engine.truths import Baseline, Sight, Truth
from gwtui.model.controllers import KGATEWAY_CONTROLLER
from gwtui.model.health import ProxyState, SourceHealth, SourceState
from gwtui.model.ids import GatewayKey, ObjectKey, ProxyKey
from gwtui.model.inspection import Statistic
from gwtui.model.resources import HTTP_ROUTES, PODS
from gwtui.model.shape import GatewayNode, Topology
from gwtui.model.snapshot import ClusterView, ProxyView, Snapshot
from gwtui.ports import ProxyAddress, Stored
from set_clock import SetClock


class LoggedJournal:
    """A journal in memory that writes into the log of who is written to, so that the order of both is seen."""

    def __init__(self, log: list) -> None:
        self.kept: list[Entry] = []
        self._log = log

    def append(self, entry: Entry) -> None:
        self._log.append(type(entry).__name__)
        self.kept.append(entry)

    def entries(self) -> tuple[Entry, ...]:
        return tuple(self.kept)

    def claim(self, change: str, now: datetime) -> AbstractContextManager[None]:
        return nullcontext()


@dataclass
class Watcher:
    """A guard that finds broken what the test says, where the plan has one."""

    broken: str = ""

    async def watch(self, plan: Plan) -> str:
        return self.broken if plan.guard else ""

    def broken_now(self, plan: Plan) -> str:
        return self.broken if plan.guard else ""


class TurnClock(SetClock):
    """Time passes when everybody waits, until the first of them is due: whoever waits side by side shares it."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = count()
        self._passing: asyncio.Task[None] | None = None

    async def sleep(self, seconds: float) -> None:
        done = asyncio.get_running_loop().create_future()
        heappush(self._waiting, (self.seconds + seconds, next(self._numbers), done))
        if self._passing is None or self._passing.done():
            self._passing = asyncio.ensure_future(self._pass())
        await done

    async def _pass(self) -> None:
        while self._waiting:
            for _ in range(12):  # whoever can go on does so first
                await asyncio.sleep(0)
            due, _, done = heappop(self._waiting)
            if not done.cancelled():
                self.seconds = max(self.seconds, due)
                done.set_result(None)


class Fleet:
    """An API server of several objects, the proxies behind it and what is seen of them, all in memory.

    Writes are tested for their preconditions, as a server does. Proxies are live and told of at every moment.
    """

    def __init__(self, clock: SetClock, *documents: Document) -> None:
        self.clock = clock
        self.log: list = []
        """Entries by name, writes as `write <name>`, POSTs, in order."""
        self.documents = {self.key(each): deepcopy(each) for each in documents}
        self.statistics: dict[ProxyKey, dict[str, int] | Exception] = {}
        """What each proxy tells; absent means nothing was counted."""
        self.asked: list[str] = []
        """Patterns."""
        self.missing: dict[Truth, bool | None] = {}
        """Truths that are not seen; all others are."""
        self.fails: list[Exception | None] = []
        """What happens to the next writes before they are taken."""
        self.pods: dict[GatewayKey, list[str]] = {}
        self.gone: set[str] = set()
        """Pods that the topology still names, and that are no more."""
        self.states: dict[str, ProxyState] = {}
        self.problems: dict[GatewayKey, tuple[str, ...]] = {}

    @staticmethod
    def key(document: Document) -> ObjectKey:
        return ObjectKey("lab", HTTP_ROUTES, document["metadata"]["namespace"], document["metadata"]["name"])

    async def read(self, key: ObjectKey) -> Document:
        return deepcopy(self.documents[key])

    async def rehearse(self, key: ObjectKey, operations: list) -> Stored:
        return Stored(apply_patch(self.documents[key], operations))

    async def rules(self, namespace: str) -> None:
        return None

    async def write(self, approval: Approval, key: ObjectKey, operations: list) -> Stored:
        approval.require_object(key)
        if self.fails and (failure := self.fails.pop(0)):
            raise failure
        changed = apply_patch(self.documents[key], operations)
        self.log.append(f"write {key.name}")
        self.put(key, changed)
        return Stored(deepcopy(self.documents[key]))

    def put(self, key: ObjectKey, document: Document) -> None:
        """Store a content under the next version."""
        metadata = dict(self.documents[key]["metadata"])
        metadata["resourceVersion"] = str(int(metadata["resourceVersion"]) + 1)
        metadata["generation"] += 1
        self.documents[key] = {**deepcopy(document), "metadata": metadata}

    async def baseline(self, plan: Plan, step: ObjectEdit) -> Baseline:
        return Baseline()

    async def see(self, truth: Truth, plan: Plan, step: ObjectEdit, *_: object) -> Sight:
        self.log.append(f"look {truth} {step.key.name}")
        return Sight(self.missing.get(truth, True), f"{truth} it is")

    def find(self, proxy: ProxyKey) -> tuple[Fleet._Proxy, ProxyAddress]:
        return Fleet._Proxy(self, proxy), ProxyAddress(proxy, stats_port=1)

    def look(self) -> Snapshot:
        nodes = tuple(
            GatewayNode(
                key=key,
                class_name="kgateway",
                controller=KGATEWAY_CONTROLLER,
                tier=1,
                listeners=(),
                hostnames=(),
                namespaces=(),
                routes=(),
                proxies=tuple(ProxyKey("lab", key.namespace, pod) for pod in pods),
                services=(),
                problems=self.problems.get(key, ()),
            )
            for key, pods in self.pods.items()
        )
        proxies = [proxy for node in nodes for proxy in node.proxies]
        views = {
            each: ProxyView(key=each, state=self.states.get(each.pod, ProxyState.LIVE), answered_at=self.clock.now())
            for each in proxies
        }
        listed = {(each.namespace, each.pod): each for each in proxies if each.pod not in self.gone}
        health = SourceHealth(state=SourceState.READY, since=self.clock.now())
        view = ClusterView(
            name="lab", objects={PODS: listed}, sources={PODS: health}, topology=Topology(gateways=nodes)
        )
        return Snapshot(clusters={"lab": view}, proxies=views)

    @dataclass
    class _Proxy:
        """One proxy: tells its statistics, and takes POSTs that are about its health."""

        fleet: Fleet
        key: ProxyKey

        async def statistics(self, address: ProxyAddress, pattern: str, *, deadline_s: float) -> tuple:
            self.fleet.asked.append(pattern)
            told = self.fleet.statistics.get(self.key, {})
            if isinstance(told, Exception):
                raise told
            names = (name for name in sorted(told) if re.search(pattern, name))
            return tuple(Statistic(name=name, value=told[name]) for name in names)

        async def post(self, approval: Approval, address: ProxyAddress, path: str, *, deadline_s: float) -> None:
            approval.require_post(self.key, path)
            self.fleet.log.append(path)
            states = {"/healthcheck/fail": ProxyState.DRAINING, "/healthcheck/ok": ProxyState.LIVE}
            self.fleet.states[self.key.pod] = states.get(path, ProxyState.LIVE)
