"""A rule sends requests to a backend of another namespace that does not let it."""

from __future__ import annotations

from collections.abc import Iterator

from gwtui.triage.broken_references import findings
from gwtui.triage.finding import Finding
from gwtui.triage.look import Look

ID = "missing-grant"


def find(look: Look) -> Iterator[Finding | None]:
    """Yield the references across namespaces without a ReferenceGrant."""
    for view in look.clusters:
        yield from findings(look, view, rule=ID, why=lambda each: "" if each.missing else each.ungranted)
