"""Numbers of one proxy, told apart by what they belong to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from gwtui.adapters.envoy.paths import COPY, is_local_cluster
from gwtui.adapters.envoy.stat_names import Owner, Place
from gwtui.model.ids import ProxyKey
from gwtui.model.samples import ClusterSample

Values = dict[str, int]
"""Numbers by the field of the sample."""


class Numbers(NamedTuple):
    """Counters and gauges of one answer. What is absent was never written."""

    places: Sequence[Place]
    """Where each number of an upstream goes."""
    values: Sequence[int]
    """Those numbers, in the same order: pairs would be thousands of objects for the garbage collector to look at."""
    others: Sequence[tuple[Place, int]]
    """All other numbers."""


class Figures:
    """Numbers of one answer by what they belong to. Figures that several statistics make up are added.

    Args:
        numbers: as decoded.
        before: those of the answer before to the same question: upstreams of which nothing changed are taken over.
    """

    __slots__ = ("_numbers", "clusters", "listeners", "proxy", "routes", "services")

    def __init__(self, numbers: Numbers, before: Figures | None = None) -> None:
        self._numbers = numbers
        self.proxy: Values = {}
        self.routes: dict[tuple[str, str], Values] = {}
        self.listeners: dict[str, Values] = {}
        self.services: dict[str, Values] = {}
        for where, value in numbers.others:
            values = self._others(where)
            values[where.figure] = values.get(where.figure, 0) + value
        is_same = before is not None and before.tells_upstreams_of(numbers)
        self.clusters: dict[str, Values] = before.clusters if before is not None and is_same else _by_cluster(numbers)

    def tells_upstreams_of(self, numbers: Numbers) -> bool:
        """Whether this was made from equal numbers of upstreams."""
        return self._numbers.values == numbers.values and self._numbers.places == numbers.places

    def _others(self, where: Place) -> Values:
        """Where a figure of anything but a cluster goes."""
        if where.owner is Owner.ROUTE:
            return self.routes.setdefault((where.name, where.route), {})
        if where.owner is Owner.LISTENER:
            return self.listeners.setdefault(where.name, {})
        if where.owner is Owner.SERVICE:
            return self.services.setdefault(where.name, {})
        return self.proxy


def _by_cluster(numbers: Numbers) -> dict[str, Values]:
    found: dict[str, Values] = {}
    for (_, name, figure, _), value in zip(numbers.places, numbers.values, strict=True):
        try:
            values = found[name]
        except KeyError:
            found[name] = {figure: value}
        else:
            values[figure] = values[figure] + value if figure in values else value
    return found


NO_FIGURES = Figures(Numbers((), (), ()))


class Clusters:
    """The figures of every upstream of one proxy in one sample.

    What did not change since the sample before is shared with it: most upstreams of a large proxy rest, and a fleet
    keeps several samples of each.

    Args:
        counters: what it counted.
        gauges: its levels; the same object as long as they were not read again.
        proxy: whose they are; tells its own local cluster from an upstream.
        before: those of the sample before.
    """

    __slots__ = ("counters", "gauges", "samples")

    def __init__(self, counters: Figures, gauges: Figures, proxy: ProxyKey, before: Clusters | None = None) -> None:
        self.counters = counters
        self.gauges = gauges
        self.samples: Mapping[str, ClusterSample]
        """By cluster; what is no upstream is left out."""
        if (
            before is not None
            and before.counters.clusters is counters.clusters
            and before.gauges.clusters is gauges.clusters
        ):
            self.samples = before.samples
        else:
            self.samples = dict(self._made(proxy, before))

    def _made(self, proxy: ProxyKey, before: Clusters | None) -> Iterator[tuple[str, ClusterSample]]:
        counts, levels = self.counters.clusters, self.gauges.clusters
        known: Mapping[str, ClusterSample] = {}
        counted, levelled = counts, levels
        if before is not None:
            known, counted, levelled = before.samples, before.counters.clusters, before.gauges.clusters
        is_level = levelled is levels
        for name in (*counts, *(levels.keys() - counts.keys())):
            own, more = counts.get(name, _NOTHING), levels.get(name, _NOTHING)
            sample = known.get(name)
            is_same = counted.get(name, _NOTHING) == own and (is_level or levelled.get(name, _NOTHING) == more)
            if sample is not None and is_same:
                yield name, sample
                continue
            every = {**own, **more}
            if _is_backend(name, every, proxy):
                yield name, ClusterSample(**every)


_NOTHING: Values = {}


def _is_backend(cluster: str, values: Values, proxy: ProxyKey) -> bool:
    if "." not in cluster:  # neither of the two below has none
        return True
    if is_local_cluster(cluster, namespace=proxy.namespace, pod=proxy.pod):
        return False
    # A cluster may really be called `x.internal`: then it has more than a status class to its name.
    return len(values) > 1 or "errors_5xx" not in values or not COPY.search(cluster)
