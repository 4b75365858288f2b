"""So few endpoints of a backend are healthy that Envoy sends to the others as well."""

from __future__ import annotations

from collections.abc import Iterator

from gwtui.triage.finding import Evidence, Finding, Severity, Truth
from gwtui.triage.hops import found
from gwtui.triage.look import Look
from gwtui.views import text

ID = "panic-mode"

THRESHOLD = 0.5
"""Share of healthy endpoints below which Envoy panics, unless it is configured otherwise."""

DERIVED = Evidence(
    Truth.LOADED,
    "derived: below 50 % healthy endpoints Envoy sends to all of them, sick ones too; whether another threshold is set "
    "was not read",
    is_unknown=True,
)


def find(look: Look) -> Iterator[Finding | None]:
    """Yield the upstreams with less than half of their endpoints healthy that get requests."""
    for entry in look.entries:
        for count in look.counts(entry):
            healthy, total = count.healthy, count.total
            if not total or healthy is None or total < 2 or not count.requests:
                continue
            is_panicking = healthy / total < THRESHOLD and (healthy > 0 or count.ejected > 0)
            if is_panicking:
                what = (
                    f"has {healthy} of {total} endpoints healthy: Envoy panics and sends {text.rps(count.rps)} to all"
                )
                yield found(
                    look,
                    entry,
                    count,
                    rule=ID,
                    severity=Severity.WARNING,
                    what=what,
                    evidence=(DERIVED,),
                    confidence=0.7,
                    grace_s=3.0,
                )
        yield None
