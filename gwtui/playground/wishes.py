"""What workloads and clients do, as it is changed while the fleet runs: annotations of ordinary objects.

A Deployment says how its pods answer, an HTTPRoute how often clients ask its hostnames. Without an annotation it is as
the scenario says.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from gwtui.playground.api.store import Lagged, Store
from gwtui.playground.children import Child
from gwtui.playground.scenario import Traffic, Workload
from gwtui.playground.world import ASKED_FOR, DEPLOYMENTS, HTTP_ROUTES, Json

ERROR_RATIO = f"{ASKED_FOR}error-ratio"
"""On the Deployment of a workload: share of its answers that are errors, 0 to 1."""
LATENCY_MS = f"{ASKED_FOR}latency-ms"
"""On the same: time to answer, in ms."""
REFUSES = f"{ASKED_FOR}refuse-connections"
"""On the same: `true` lets nobody connect, and ends the connections there are."""
ONLY_POD = f"{ASKED_FOR}only-pod"
"""On the same: the number of the one pod that the others are about, by the order of names, from 0."""
RPS = f"{ASKED_FOR}rps"
"""On an HTTPRoute: requests/s that clients send to each of its hostnames."""


class Wishes:
    """Tells the processes that play pods and clients what the annotations say.

    Args:
        store: the objects.
        report: takes a line about an annotation that says nothing that can be done.
    """

    def __init__(self, store: Store, report: Callable[[str], None]) -> None:
        self._store = store
        self._report = report
        self._told: dict[tuple[str, ...], Json] = {}
        self._refused: set[tuple[str, str]] = set()

    async def follow_workloads(self, workloads: Sequence[Workload], backends: Child) -> None:
        """Follow the Deployments until cancelled, or until the backends are gone."""
        await self._follow(DEPLOYMENTS, lambda: (self._of_workload(each) for each in workloads), backends)

    async def follow_routes(self, traffic: Sequence[Traffic], clients: Child) -> None:
        """Follow the HTTPRoutes until cancelled, or until the clients are gone."""
        await self._follow(HTTP_ROUTES, lambda: (self._of_host(each) for each in traffic), clients)

    async def _follow(self, resource: str, wanted: Callable[[], Iterable[tuple[Json, Json]]], child: Child) -> None:
        while True:
            subscription = self._store.subscribe()
            try:
                await self._tell(wanted(), child)
                async for change in subscription:
                    if change.resource == resource:
                        await self._tell(wanted(), child)
            except Lagged:
                continue
            except OSError as error:
                self._report(f"{child.module} is gone: {error}")
                return
            finally:
                subscription.close()

    async def _tell(self, wanted: Iterable[tuple[Json, Json]], child: Child) -> None:
        for name, wish in wanted:
            key = child.module, *name.values()
            if self._told.get(key, {}) != wish:
                await child.ask({**name, **wish})
                self._told[key] = wish

    def _of_workload(self, workload: Workload) -> tuple[Json, Json]:
        deployment = self._store.find(DEPLOYMENTS, workload.namespace, workload.service)
        wish: Json = {}
        for name, field, most in ((ERROR_RATIO, "error_ratio", 1.0), (LATENCY_MS, "latency_ms", 60_000.0)):
            if (number := self._number(deployment, name, most)) is not None:
                wish[field] = number
        if _annotation(deployment, REFUSES) == "true":
            wish["refuses"] = True
        if wish and (only := self._number(deployment, ONLY_POD, workload.replicas - 1)) is not None:
            wish["only"] = int(only)
        return {"namespace": workload.namespace, "service": workload.service}, wish

    def _of_host(self, traffic: Traffic) -> tuple[Json, Json]:
        routes = [each for each in self._store.scan(HTTP_ROUTES) if traffic.host in each["spec"].get("hostnames", ())]
        rates = [number for each in routes if (number := self._number(each, RPS, 5000.0)) is not None]
        return {"host": traffic.host}, {"rps": max(rates)} if rates else {}

    def _number(self, item: Json | None, name: str, most: float) -> float | None:
        written = _annotation(item, name)
        if written is None:
            return None
        try:
            number = float(written)
        except ValueError:
            number = math.nan
        if 0 <= number <= most:
            return number
        if (name, written) not in self._refused:
            self._refused.add((name, written))
            self._report(f"{name}: {written!r} is no number from 0 to {most:g}, the scenario's counts")
        return None


def _annotation(item: Json | None, name: str) -> str | None:
    found: str | None = ((item or {"metadata": {}})["metadata"].get("annotations") or {}).get(name)
    return found
