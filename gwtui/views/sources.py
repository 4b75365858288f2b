"""How do we know: every source with its state, what it answered, and what to grant or try."""

from __future__ import annotations

from datetime import datetime

from gwtui.model.health import SourceHealth, SourceState
from gwtui.views import text
from gwtui.views.scene import Scene
from gwtui.views.spans import BLANK, Line, Role, Span, line

_LOOK: dict[SourceState, tuple[str, Role]] = {
    SourceState.LOADING: ("…", Role.ACCENT),
    SourceState.READY: (text.OK_GLYPH, Role.OK),
    SourceState.PARTIAL: (text.DEGRADED_GLYPH, Role.DIM),
    SourceState.NOT_SERVED: (text.UNKNOWN_GLYPH, Role.DIM),
    SourceState.FORBIDDEN: (text.DEGRADED_GLYPH, Role.WARN),
    SourceState.FAILED: (text.FAILING_GLYPH, Role.BAD),
    SourceState.STALE: (text.DEGRADED_GLYPH, Role.STALE),
}
_UNDECODABLE_SHOWN = 5


def sources(scene: Scene) -> tuple[Line, ...]:
    """One block per cluster: its sources with state, since when, detail and hint; then the ways into the proxies."""
    lines: list[Line] = []
    for name in scene.clusters:
        cluster = scene.snapshot.clusters.get(name)
        lines.append(line(Span(name, Role.ACCENT)))
        if cluster is None or not cluster.sources:
            lines.append(line(Span("  … nothing asked yet", Role.DIM)))
        else:
            for source, health in sorted(cluster.sources.items(), key=_attention):
                objects = cluster.objects.get(source)
                lines.extend(_source(source, health, None if objects is None else len(objects), scene.now))
        lines.extend(_ways(scene, name))
        lines.append(BLANK)
    return tuple(lines[:-1])


def _source(name: str, health: SourceHealth, held: int | None, now: datetime) -> list[Line]:
    glyph, role = _LOOK[health.state]
    amount = "" if held is None else text.plural(held, "object")
    detail = ", ".join(part for part in (amount, health.detail) if part)
    lines = [
        line(
            Span(f"  {glyph} {health.state.value:<11}", role),
            Span(f"{name:<44} ", Role.TEXT),
            Span(f"{text.age_of(health.since, now):>6}  ", Role.DIM),
            Span(detail, Role.DIM),
        )
    ]
    if health.hint:
        lines.append(line(Span("      → ", Role.DIM), health.hint))
    shown = health.undecodable[:_UNDECODABLE_SHOWN]
    lines.extend(line(Span("      ✖ cannot be read: ", Role.WARN), entry) for entry in shown)
    if len(health.undecodable) > len(shown):
        lines.append(line(Span(f"      … and {len(health.undecodable) - len(shown)} more", Role.DIM)))
    return lines


def _attention(entry: tuple[str, SourceHealth]) -> tuple[int, str]:
    order = (
        SourceState.FAILED,
        SourceState.STALE,
        SourceState.FORBIDDEN,
        SourceState.LOADING,
        SourceState.PARTIAL,
        SourceState.READY,
        SourceState.NOT_SERVED,
    )
    return order.index(entry[1].state), entry[0]


def _ways(scene: Scene, cluster: str) -> list[Line]:
    """How many proxies answer through which way in, and why the others do not."""
    answering: dict[str, int] = {}
    silent: dict[tuple[str, str, str], int] = {}
    for view in scene.fleet.proxies:
        if view.key.cluster != cluster:
            continue
        if view.reason:
            entry = (view.state.value, view.reason, view.hint)
            silent[entry] = silent.get(entry, 0) + 1
        elif view.way:
            answering[view.way] = answering.get(view.way, 0) + 1
    lines = [
        line(
            Span(f"  {text.OK_GLYPH} {'answering':<11}", Role.OK), f"{text.plural(number, 'proxy', 'proxies')} by {way}"
        )
        for way, number in sorted(answering.items())
    ]
    for (state, reason, hint), number in sorted(silent.items()):
        lines.append(
            line(
                Span(f"  {text.FAILING_GLYPH} {state:<11}", Role.BAD if state == "failing" else Role.WARN),
                f"{text.plural(number, 'proxy', 'proxies')}: {reason}",
            )
        )
        if hint:
            lines.append(line(Span("      → ", Role.DIM), hint))
    return lines
