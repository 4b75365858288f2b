"""The outlier detection keeps endpoints of a backend out."""

from __future__ import annotations

from collections.abc import Iterator

from gwtui.triage.finding import Finding, Severity
from gwtui.triage.hops import found
from gwtui.triage.look import Look
from gwtui.views import text

ID = "ejection"

LINGERS_S = 10.0
"""Seconds an ejection is still told after it ended: they are short at first and come again."""


def find(look: Look) -> Iterator[Finding | None]:
    """Yield the upstreams some of whose endpoints are ejected, or were within the window."""
    for entry in look.entries:
        for count in look.counts(entry):
            out = max(count.ejected, 1 if count.ejections else 0)
            if out:
                whole = f" of {count.total}" if count.total else ""
                noun = "endpoint" if out == 1 and not whole else "endpoints"
                what = f"has {out}{whole} {noun} ejected by outlier detection"
                rest = f"; {text.rps(count.rps)} go to the others" if count.total and out < count.total else ""
                severity = Severity.WARNING
                yield found(look, entry, count, rule=ID, severity=severity, what=f"{what}{rest}")
        yield None
