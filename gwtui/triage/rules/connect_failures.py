"""Proxies cannot open connections to endpoints of a backend."""

from __future__ import annotations

from collections.abc import Iterator

from gwtui.triage.finding import Finding, Severity
from gwtui.triage.hops import Failure, endpoint_words, failing, failure_of, found, part_words, severity_of
from gwtui.triage.look import Look
from gwtui.views import text

ID = "connect-failures"


def find(look: Look) -> Iterator[Finding | None]:
    """Yield the upstreams whose connections fail: requests with them, or (a warning) only what was tried again."""
    for entry, count, severity in failing(look, Failure.CONNECT):
        what = f"answers 503 to {part_words(count)} (connect failures{endpoint_words(count)})"
        yield found(look, entry, count, rule=ID, severity=severity, what=what)
        yield None
    for entry in look.entries:
        for count in look.counts(entry):
            is_retried = severity_of(count, count.connect_failures) and not severity_of(count, count.errors)
            if is_retried and failure_of(look, count) is not Failure.NO_ENDPOINTS:
                tried = text.rate(count.per_second(count.connect_failures))
                what = f"refuses {tried} connections/s, tried again so far{endpoint_words(count)}"
                # A restart of a backend does the same for a moment.
                yield found(look, entry, count, rule=ID, severity=Severity.WARNING, what=what, grace_s=12.0)
        yield None
