"""Circuit breakers refuse requests to a backend."""

from __future__ import annotations

from collections.abc import Iterator

from gwtui.triage.finding import Finding, Severity
from gwtui.triage.hops import Failure, failure_of, found, severity_of
from gwtui.triage.look import Look
from gwtui.views import text

ID = "breaker-trip"


def find(look: Look) -> Iterator[Finding | None]:
    """Yield the upstreams some of whose requests a circuit breaker refused."""
    for entry in look.entries:
        for count in look.counts(entry):
            severity = severity_of(count, count.overflows)
            if severity is not None and failure_of(look, count) in (Failure.BREAKER, Failure.ANSWERS):
                refused = text.rps(count.per_second(count.overflows))
                part = text.ratio(count.overflows / max(count.requests + count.overflows, 1.0))
                what = f"is more asked than its circuit breaker allows: {refused} ({part}) get 503 from the proxies"
                is_most = failure_of(look, count) is Failure.BREAKER
                yield found(look, entry, count, rule=ID, severity=severity if is_most else Severity.WARNING, what=what)
        yield None
