"""The dialogs there are, by what they show. Loaded when the first of them is opened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from gwtui.model.ids import ExternalKey
from gwtui.tui.screens.reading import LiveReadingScreen
from gwtui.views import pattern_detail as patterns
from gwtui.views import sources as known
from gwtui.views import workload_detail as workloads
from gwtui.views.map_ends import host_words
from gwtui.views.scene import Scene
from gwtui.views.spans import Line

if TYPE_CHECKING:
    from gwtui.changes.journal import Change


def sources() -> LiveReadingScreen:
    """How do we know."""
    return LiveReadingScreen(" Sources: how do we know ", lambda scene, _: known.sources(scene))


def workload(cluster: str, namespace: str) -> LiveReadingScreen:
    """The Services of one namespace."""
    return LiveReadingScreen(
        f" namespace {namespace} · {cluster} ",
        lambda scene, cells: workloads.workload_detail(scene, cluster, namespace, cells=cells),
    )


def outside(key: ExternalKey) -> LiveReadingScreen:
    """Who sends to a host outside the cluster."""
    return LiveReadingScreen(
        f" {host_words(key.host)} · outside {key.cluster} ",
        lambda scene, cells: workloads.outside_detail(scene, key, cells=cells),
    )


def change(id_: str, look: Callable[[], Sequence[Change]]) -> LiveReadingScreen:
    """One change: what became of it, and the plan it was."""
    from gwtui.views import changes as changed  # noqa: PLC0415 - plans need decoders, which come later

    def lines(_: Scene, cells: int) -> Sequence[Line]:
        found = next((each for each in look() if each.id == id_), None)
        return () if found is None else changed.detail(found, cells)

    return LiveReadingScreen(f" Change {id_} ", lines)


def pattern() -> LiveReadingScreen:
    """What proves the pattern, and what is missing."""
    return LiveReadingScreen(" Pattern: why the map says so ", lambda scene, _: patterns.pattern_detail(scene))
