"""Whether there is something to show, and if not, exactly why: loading, empty, forbidden, failed and stale differ."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gwtui.model.health import SourceHealth, SourceState
from gwtui.model.snapshot import ClusterView, Snapshot
from gwtui.views import text
from gwtui.views.spans import Line, Role, Span, line

GATEWAYS = "gateways.gateway.networking.k8s.io"
"""The kind without which there is nothing to show; also its source id."""


class Stage(StrEnum):
    """What one cluster has to show."""

    CONNECTING = "connecting"
    EMPTY = "empty"
    NO_GATEWAY_API = "no Gateway API"
    FORBIDDEN = "forbidden"
    FAILED = "failed"
    STALE = "stale"
    PARTIAL = "partial"
    READY = "ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What to say about one cluster instead of, or above, its figures."""

    cluster: str
    stage: Stage
    title: str
    """One line, in the operator's words."""
    detail: str = ""
    """What was answered."""
    hint: str = ""
    """What to try or to grant."""

    @property
    def role(self) -> Role:
        """How the title is shown."""
        return _ROLES[self.stage]

    @property
    def glyph(self) -> str:
        """The state as one character."""
        return _GLYPHS[self.stage]

    def banner(self) -> Line:
        """The notice as one line, for a place above figures that are still worth showing."""
        rest = "; ".join(part for part in (self.detail, self.hint) if part)
        return line(Span(f" {self.glyph} {self.title}", self.role), Span(f"  {rest}" if rest else "", Role.DIM))

    def lines(self) -> tuple[Line, ...]:
        """The notice as a block, for a place that has nothing else to show."""
        parts = [line(Span(f"{self.glyph} {self.title}", self.role))]
        parts.extend(
            line(Span("  " + part, role)) for part, role in ((self.detail, Role.DIM), (self.hint, Role.TEXT)) if part
        )
        return tuple(parts)


_ROLES = {
    Stage.CONNECTING: Role.ACCENT,
    Stage.EMPTY: Role.STRONG,
    Stage.NO_GATEWAY_API: Role.WARN,
    Stage.FORBIDDEN: Role.WARN,
    Stage.FAILED: Role.BAD,
    Stage.STALE: Role.STALE,
    Stage.PARTIAL: Role.DIM,
    Stage.READY: Role.OK,
}
_GLYPHS = {
    Stage.CONNECTING: "…",
    Stage.EMPTY: text.UNKNOWN_GLYPH,
    Stage.NO_GATEWAY_API: text.UNKNOWN_GLYPH,
    Stage.FORBIDDEN: text.DEGRADED_GLYPH,
    Stage.FAILED: text.FAILING_GLYPH,
    Stage.STALE: text.DEGRADED_GLYPH,
    Stage.PARTIAL: text.DEGRADED_GLYPH,
    Stage.READY: text.OK_GLYPH,
}


def has_gateways(snapshot: Snapshot) -> bool:
    """Whether any cluster has a gateway to show."""
    return any(cluster.topology.gateways for cluster in snapshot.clusters.values())


def notices(snapshot: Snapshot, clusters: Iterable[str], now: datetime) -> tuple[Notice, ...]:
    """One notice for every cluster that is not simply ready, in the order of `clusters`."""
    found = (_notice(name, snapshot.clusters.get(name), now) for name in clusters)
    return tuple(notice for notice in found if notice is not None)


def silent_api(cluster: ClusterView) -> SourceHealth | None:
    """Health of an API server that never answered: then no kind has more to say. None when anything was read."""
    api = cluster.sources.get("api")
    if any(health.state is SourceState.READY for health in cluster.sources.values()):
        return None
    return api if api is not None and api.state in (SourceState.LOADING, SourceState.FAILED) else None


def _notice(name: str, cluster: ClusterView | None, now: datetime) -> Notice | None:
    if cluster is None:
        return Notice(cluster=name, stage=Stage.CONNECTING, title=f"connecting to {name} …")
    asked = _about_gateways(cluster)
    silent = silent_api(cluster)
    if silent is not None or not asked:
        return _api_notice(name, silent or cluster.sources.get("api"))
    state = _most_telling(asked)
    partial = next((health for health in asked if health.state is SourceState.PARTIAL), None)
    if cluster.topology.gateways and state.state in (SourceState.READY, SourceState.LOADING):
        return _partial(name, cluster, partial) if partial else None
    if state.state is SourceState.READY:
        return Notice(
            cluster=name,
            stage=Stage.EMPTY,
            title=f"no Gateways in {name}{_scope(cluster)}",
            detail=f"the list was read completely {text.age_of(state.since, now)} ago and is empty",
            hint=partial.hint if partial else "Gateways in other namespaces: start with -n NAMESPACE or without -n",
        )
    return _state_notice(name, state, now)


def _partial(name: str, cluster: ClusterView, partial: SourceHealth) -> Notice:
    title = f"only a part of {name} is read{_scope(cluster)}: listing all is refused"
    return Notice(cluster=name, stage=Stage.PARTIAL, title=title, detail=partial.detail, hint=partial.hint)


def _about_gateways(cluster: ClusterView) -> tuple[SourceHealth, ...]:
    return tuple(health for source, health in sorted(cluster.sources.items()) if source.partition("@")[0] == GATEWAYS)


def _scope(cluster: ClusterView) -> str:
    spaces = sorted(source.partition("@")[2] for source in cluster.sources if source.startswith(GATEWAYS + "@"))
    return f", namespaces {', '.join(spaces)}" if spaces else ""


def _most_telling(asked: Sequence[SourceHealth]) -> SourceHealth:
    """With several namespaces the one that fails is told, since the rest is on the screen."""
    order = list(_TELLING)
    return min(asked, key=lambda health: order.index(health.state))


_TELLING = (
    SourceState.STALE,
    SourceState.FAILED,
    SourceState.FORBIDDEN,
    SourceState.NOT_SERVED,
    SourceState.LOADING,
    SourceState.READY,
    SourceState.PARTIAL,
)


def _api_notice(name: str, api: SourceHealth | None) -> Notice:
    if api is None or api.state in (SourceState.LOADING, SourceState.READY):
        return Notice(
            cluster=name, stage=Stage.CONNECTING, title=f"connecting to {name} …", detail=api.detail if api else ""
        )
    if api.state is SourceState.FORBIDDEN:
        return Notice(
            cluster=name, stage=Stage.FORBIDDEN, title=f"{name} does not let us in", detail=api.detail, hint=api.hint
        )
    return Notice(cluster=name, stage=Stage.FAILED, title=f"cannot reach {name}", detail=api.detail, hint=api.hint)


def _state_notice(name: str, health: SourceHealth, now: datetime) -> Notice:
    stage, title, hint = {
        SourceState.LOADING: (Stage.CONNECTING, f"reading the Gateways of {name} …", ""),
        SourceState.NOT_SERVED: (
            Stage.NO_GATEWAY_API,
            f"{name} has no Gateway API",
            "install the Gateway API CRDs, or choose another --context",
        ),
        SourceState.FORBIDDEN: (
            Stage.FORBIDDEN,
            f"not allowed to read Gateways in {name}",
            f"grant get, list, watch on {GATEWAYS}, or name a namespace you may read with -n",
        ),
        SourceState.FAILED: (Stage.FAILED, f"cannot read the Gateways of {name}", "tried again automatically"),
        SourceState.STALE: (
            Stage.STALE,
            f"{name} is stale: what you see is from {text.age_of(health.since, now)} ago",
            "tried again automatically",
        ),
        SourceState.PARTIAL: (Stage.CONNECTING, f"reading some namespaces of {name} …", ""),
        SourceState.READY: (Stage.READY, f"{name} is ready", ""),
    }[health.state]
    return Notice(cluster=name, stage=stage, title=title, detail=health.detail, hint=health.hint or hint)
