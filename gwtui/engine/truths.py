"""The four truths of a written route, each by an observation that is later than the write.

stored: the API server has it. programmed: the controller says so, of that generation. loaded: every proxy of every
affected gateway holds it. observed: the traffic divides as intended.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from gwtui.changes import loaded
from gwtui.changes.documents import namespace_of, parents_of, same_content
from gwtui.changes.plan import Document, ExpectedShare, ObjectEdit, Plan
from gwtui.errors import GwtuiError
from gwtui.model.controllers import KGATEWAY_CONTROLLER
from gwtui.model.ids import GatewayKey, ProxyKey
from gwtui.model.known import Known
from gwtui.model.observed import is_backend, rule_branches, shares_of, together
from gwtui.model.relations.conditions import condition_problems
from gwtui.model.shares import ObservedShares
from gwtui.model.snapshot import ClusterView, Snapshot
from gwtui.ports import Clock, FindInspector, ObjectWriter

LOOK_S = 0.5
"""Between two looks."""

UNTOLD_S = 12.0
"""Seconds after which what cannot be told is left at that: rates need some to settle."""

PAGE_S = 10.0
"""Seconds a proxy may take to show its configuration."""

WITHIN = 0.02
"""How far an observed share may be from the intended one."""

SIGMAS = 3.0
"""Or as far as chance explains: proxies choose a backend by lot for every request."""

RATE_WINDOW_S = 10.0
"""Seconds the observed shares cover."""


class Truth(StrEnum):
    """In the order they come true."""

    STORED = "stored"
    PROGRAMMED = "programmed"
    LOADED = "loaded"
    OBSERVED = "observed"


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds each truth is waited for."""

    stored: float = 10.0
    programmed: float = 20.0
    loaded: float = 30.0
    observed: float = 45.0

    def of(self, truth: Truth) -> float:
        """Seconds of one truth."""
        return float(getattr(self, truth.value))


class Sight(NamedTuple):
    """What was seen of one truth."""

    is_met: bool | None
    """None: it cannot be told."""
    text: str
    is_final: bool = False
    """Whether waiting will not change it."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """What proxies held of a route before it was written."""

    held: Mapping[ProxyKey, loaded.Held] = field(default_factory=dict)
    """Absent are proxies that did not show it."""


class Truths:
    """Looks for the truths of one cluster's objects.

    Args:
        writer: reads single objects.
        look: the current snapshot.
        find: who asks a proxy.
        clock: the time of everything.
        deadlines: how long each truth is waited for.
    """

    def __init__(
        self,
        writer: ObjectWriter,
        look: Callable[[], Snapshot],
        find: FindInspector,
        clock: Clock,
        deadlines: Deadlines | None = None,
    ) -> None:
        self._writer = writer
        self._look = look
        self._find = find
        self._clock = clock
        self._deadlines = deadlines or Deadlines()

    async def baseline(self, plan: Plan, step: ObjectEdit) -> Baseline:
        """Read what every affected proxy holds of the route now."""
        views = self._look().proxies
        keys = [key for key in self._proxies(plan, step) if (view := views.get(key)) and view.is_answering]
        found = await asyncio.gather(*(self._held(key, step) for key in keys))
        return Baseline({key: each for key, each in zip(keys, found, strict=True) if isinstance(each, loaded.Held)})

    async def see(self, truth: Truth, plan: Plan, step: ObjectEdit, baseline: Baseline, generation: int) -> Sight:
        """Wait until a truth is seen, or its time is up.

        Args:
            truth: which one.
            plan: what is carried out.
            step: the step that was written.
            baseline: what `baseline` read before the write.
            generation: of the object as it was stored.
        """
        looks: Mapping[Truth, Callable[[], Awaitable[Sight]]] = {
            Truth.STORED: lambda: self._stored(step),
            Truth.PROGRAMMED: lambda: self._programmed(step, generation),
            Truth.LOADED: lambda: self._loaded(plan, step, baseline),
            Truth.OBSERVED: lambda: self._observed(plan, step),
        }
        began, allowed_s = self._clock.mono(), self._deadlines.of(truth)
        while True:
            sight = await looks[truth]()
            waited_s = self._clock.mono() - began
            if sight.is_met or sight.is_final or waited_s >= (UNTOLD_S if sight.is_met is None else allowed_s):
                return sight
            await self._clock.sleep(LOOK_S)

    def _view(self, cluster: str) -> ClusterView | None:
        return self._look().clusters.get(cluster)

    async def _stored(self, step: ObjectEdit) -> Sight:
        try:
            current = await self._writer.read(step.key)
        except GwtuiError as error:
            return Sight(is_met=None, text=error.message)
        if same_content(current, step.after):
            return Sight(is_met=True, text=f"generation {current['metadata'].get('generation', '?')}")
        return Sight(is_met=False, text="the server holds something else")

    async def _programmed(self, step: ObjectEdit, generation: int) -> Sight:
        view = self._view(step.key.cluster)
        route = view.objects.get(step.key.resource, {}).get((step.key.namespace, step.key.name)) if view else None
        if route is None or route.metadata.generation < generation:
            return Sight(is_met=False, text="the watch has not shown the new generation yet")
        own = [parent for parent in route.status.parents if parent.controller_name == KGATEWAY_CONTROLLER]
        if not own:
            return Sight(is_met=None, text="no status of kgateway: nobody says whether it took it")
        problems = [
            problem for parent in own for problem in condition_problems(parent.conditions, route.metadata.generation)
        ]
        if problems:
            return Sight(is_met=False, text=problems[0])
        return Sight(is_met=True, text=f"by {KGATEWAY_CONTROLLER}, generation {route.metadata.generation}")

    async def _loaded(self, plan: Plan, step: ObjectEdit, baseline: Baseline) -> Sight:
        asked = self._proxies(plan, step)
        if not asked:
            return Sight(is_met=None, text="no proxy of an affected gateway is known")
        must_differ = loaded.must_differ(step.before, step.after)
        found = await asyncio.gather(*(self._held(key, step) for key in asked))
        untold: list[str] = []
        for (key, gateway), each in zip(asked.items(), found, strict=True):
            if isinstance(each, str):
                untold.append(f"{key.pod}: {each}")
                continue
            if _leaves(step, gateway):
                if each.routes:
                    return Sight(is_met=False, text=f"{key.pod} still holds it")
                continue
            answer = loaded.judge(step.after, each, baseline.held.get(key), must_differ=must_differ)
            if not answer.is_loaded:
                return Sight(is_met=False, text=f"{key.pod} {answer.text}")
        if untold:
            return Sight(is_met=None, text="; ".join(untold))
        return Sight(is_met=True, text="on " + ", ".join(key.pod for key in asked))

    async def _observed(self, plan: Plan, step: ObjectEdit) -> Sight:
        view, snapshot = self._view(step.key.cluster), self._look()
        if view is None or not plan.expected:
            return Sight(is_met=None, text="the change moves no share", is_final=True)
        shares = shares_of(snapshot, view)
        seen: list[str] = []
        unknown: list[str] = []
        for expected in plan.expected:
            sight = self._share(view, shares, step, expected)
            (unknown if sight.is_met is None else seen).append(sight.text)
            if sight.is_met is False:
                return sight
        if not seen:
            return Sight(is_met=None, text=unknown[0] if unknown else "nothing to observe")
        return Sight(is_met=True, text=", ".join(seen))

    def _share(self, view: ClusterView, shares: ObservedShares, step: ObjectEdit, expected: ExpectedShare) -> Sight:
        branches = [
            branch
            for branch in rule_branches(view, step.key, expected.rule_index)
            if is_backend(view, branch[0], expected.backend)
        ]
        if not branches:
            return Sight(is_met=None, text=f"{expected.backend} is not in the topology")
        why = ""
        for hop, share in branches:
            found = shares.of_rule(hop, share)
            if not isinstance(found, Known):
                why = found.reason
                continue
            text = f"{expected.backend} {found.value:.1%} of {expected.share:.1%} intended"
            if abs(found.value - expected.share) > self._tolerance(view, hop.source, expected.share):
                return Sight(is_met=False, text=text)
            return Sight(is_met=True, text=text)
        return Sight(is_met=None, text=f"{expected.backend}: {why}")

    def _tolerance(self, view: ClusterView, source: GatewayKey, share: float) -> float:
        node = view.gateway(source)
        traffic = together(self._look(), node) if node else None
        rps = traffic.rps.value if traffic and isinstance(traffic.rps, Known) else 0.0
        requests = rps * RATE_WINDOW_S
        chance = SIGMAS * math.sqrt(share * (1 - share) / requests) if requests else WITHIN
        return max(WITHIN, chance)

    def _proxies(self, plan: Plan, step: ObjectEdit) -> dict[ProxyKey, GatewayKey]:
        """Proxies of the gateways that the step affects, as far as they are Envoys we know how to read."""
        view = self._view(plan.cluster)
        nodes = [view.gateway(key) for key in step.gateways or plan.blast.gateways] if view else []
        return {key: node.key for node in nodes if node and node.is_managed for key in node.proxies}

    async def _held(self, proxy: ProxyKey, step: ObjectEdit) -> loaded.Held | str:
        """What a proxy holds of the route, or why that is not known."""
        try:
            inspector, address = self._find(proxy)
            resources = await inspector.config(address, loaded.where(step.object_kind), deadline_s=PAGE_S)
        except GwtuiError as error:
            return error.message
        return loaded.held(resources, kind=step.object_kind, namespace=step.key.namespace, name=step.key.name)


def _leaves(step: ObjectEdit, gateway: GatewayKey) -> bool:
    """Whether the step takes the route away from a gateway altogether."""
    named, left = _parents(step.before), _parents(step.after)
    own = ("Gateway", gateway.namespace, gateway.name)
    return own in named and own not in left and all(kind == "Gateway" for kind, _, _ in left)


def _parents(document: Document) -> set[tuple[str, str, str]]:
    """Kind, namespace and name of what a route names as its parents."""
    namespace = namespace_of(document)
    return {
        (str(each.get("kind") or "Gateway"), str(each.get("namespace") or namespace), str(each.get("name") or ""))
        for each in parents_of(document)
    }
