"""A rule sends requests to a backend that does not exist."""

from __future__ import annotations

from collections.abc import Iterator

from gwtui.triage.broken_references import findings
from gwtui.triage.finding import Finding
from gwtui.triage.look import Look

ID = "missing-backend"


def find(look: Look) -> Iterator[Finding | None]:
    """Yield the references to a Service, a port of one, or a Backend that does not exist."""
    for view in look.clusters:
        yield from findings(look, view, rule=ID, why=lambda each: each.missing)
