"""A backend gets requests and has nobody to answer them."""

from __future__ import annotations

from collections.abc import Iterator

from gwtui.triage.finding import Finding, Severity
from gwtui.triage.hops import found, is_empty
from gwtui.triage.look import Look
from gwtui.views import text

ID = "no-ready-endpoints"

GRACE_S = 2.0
"""Seconds in which a backend that is replaced at once may have nobody."""


def find(look: Look) -> Iterator[Finding | None]:
    """Yield the upstreams without ready endpoints; those nobody asks for are worth knowing, no more."""
    for entry in look.entries:
        for count in look.counts(entry):
            if is_empty(look, count):
                is_asked = count.errors > 0
                lost = f": {text.rps(count.rps)} get 503" if is_asked else ", and nobody asks for it"
                whole = f" (0 of {count.total})" if count.total else ""
                yield found(
                    look,
                    entry,
                    count,
                    rule=ID,
                    severity=Severity.CRITICAL if is_asked else Severity.INFO,
                    what=f"has no ready endpoint{whole}{lost}",
                    grace_s=GRACE_S,
                )
        yield None
