"""Requests reach a backend, and it answers 5xx."""

from __future__ import annotations

from collections.abc import Iterator

from gwtui.triage.finding import Finding
from gwtui.triage.hops import Failure, endpoint_words, failing, found, part_words
from gwtui.triage.look import Look

ID = "backend-errors"


def find(look: Look) -> Iterator[Finding | None]:
    """Yield the upstreams that answer 5xx themselves, from 0.1 % of their requests on."""
    for entry, count, severity in failing(look, Failure.ANSWERS):
        what = f"answers 5xx to {part_words(count)}{endpoint_words(count)}"
        yield found(look, entry, count, rule=ID, severity=severity, what=what)
        yield None
