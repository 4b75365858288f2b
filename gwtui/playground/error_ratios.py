"""Error ratios of workloads as they are changed while the fleet runs, by an annotation of their Deployment."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from gwtui.playground.api.store import Lagged, Store
from gwtui.playground.children import Child
from gwtui.playground.scenario import Workload
from gwtui.playground.world import DEPLOYMENTS, Json

ANNOTATION = "playground.gwtui.dev/error-ratio"
"""On the Deployment of a workload: share of its answers that are errors, 0 to 1. Without it the scenario's counts."""


class ErrorRatios:
    """Tells the backends what the annotations say.

    Args:
        store: the objects.
        workloads: what runs.
        backends: the process that plays all pods.
        report: takes a line about an annotation that is no ratio.
    """

    def __init__(
        self, store: Store, workloads: Iterable[Workload], backends: Child, report: Callable[[str], None]
    ) -> None:
        self._store = store
        self._workloads = tuple(workloads)
        self._backends = backends
        self._report = report
        self._told = {(each.namespace, each.service): each.error_ratio for each in self._workloads}
        self._refused: set[str] = set()

    async def run(self) -> None:
        """Follow the Deployments until cancelled, or until the backends are gone."""
        while True:
            subscription = self._store.subscribe()
            try:
                await self._tell()
                async for change in subscription:
                    if change.resource == DEPLOYMENTS:
                        await self._tell()
            except Lagged:
                continue
            except OSError as error:
                self._report(f"error ratios: the backends are gone: {error}")
                return
            finally:
                subscription.close()

    async def _tell(self) -> None:
        for each in self._workloads:
            key = each.namespace, each.service
            wanted = self._wanted(self._store.find(DEPLOYMENTS, *key), each.error_ratio)
            if wanted != self._told[key]:
                await self._backends.ask({"namespace": key[0], "service": key[1], "error_ratio": wanted})
                self._told[key] = wanted

    def _wanted(self, deployment: Json | None, usual: float) -> float:
        written = ((deployment or {"metadata": {}})["metadata"].get("annotations") or {}).get(ANNOTATION)
        if written is None:
            return usual
        try:
            ratio = float(written)
        except ValueError:
            ratio = -1.0
        if 0 <= ratio <= 1:
            return ratio
        if written not in self._refused:
            self._refused.add(written)
            self._report(f"{ANNOTATION}: {written!r} is no number from 0 to 1, the scenario's counts")
        return usual
