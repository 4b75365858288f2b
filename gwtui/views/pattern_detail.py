"""Why the map says what it says: the patterns with what proves them, and what is missing where none was recognised."""

from __future__ import annotations

from gwtui.model.shape import Topology
from gwtui.views import text
from gwtui.views.header import NOT_RECOGNISED
from gwtui.views.scene import Scene
from gwtui.views.spans import BLANK, Line, Role, Span, line


def pattern_detail(scene: Scene) -> tuple[Line, ...]:
    """For every cluster: patterns, front doors, and what belongs to no gateway."""
    lines: list[Line] = []
    for name in scene.clusters:
        view = scene.snapshot.clusters.get(name)
        lines.append(line(Span(name, Role.ACCENT)))
        lines += _cluster(view.topology) if view is not None else [line(Span("  nothing is known yet", Role.DIM))]
        lines.append(BLANK)
    return tuple(lines)


def _cluster(shape: Topology) -> list[Line]:
    lines: list[Line] = []
    for found in shape.patterns:
        lines.append(line(Span(f"  {text.PATTERNS.get(found.id, found.id)}", Role.STRONG)))
        lines += [line(f"    {proof}") for proof in found.evidence]
    if shape.gateways and not shape.patterns:
        lines.append(line(Span(f"  {text.UNKNOWN_GLYPH} {NOT_RECOGNISED}", Role.UNKNOWN)))
        lines += [line(f"    {missing}") for missing in shape.missing]
    if not shape.gateways:
        lines.append(line(Span("  no Gateway is known", Role.DIM)))
    if shape.front_doors:
        lines.append(line(Span("  before the first tier", Role.STRONG)))
        lines += [
            line(f"    {door.kind} {door.name} in front of {door.gateway}", Span(_proof(door.evidence), Role.DIM))
            for door in shape.front_doors
        ]
    if shape.problems:
        lines.append(line(Span("  belongs to no gateway", Role.STRONG)))
        lines += [line(Span(f"    {text.DEGRADED_GLYPH} {problem}", Role.WARN)) for problem in shape.problems]
    return lines


def _proof(evidence: str) -> str:
    return f"  says {evidence}" if evidence else ""
