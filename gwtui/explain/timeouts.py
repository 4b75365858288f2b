"""How long a gateway waits for the answer of a backend."""

from __future__ import annotations

import re
from collections.abc import Iterable

from gwtui.explain.course import ENVOY_TIMEOUT, Timeout
from gwtui.explain.policies import timeout_of
from gwtui.model.gateway_api import HttpRule, Rule
from gwtui.model.kgateway import TrafficPolicy

_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


def of(rule: Rule, policies: Iterable[TrafficPolicy]) -> Timeout:
    """Return the timeout of a rule: its own before that of a policy, else the default of Envoy."""
    written, source = "", ""
    if isinstance(rule, HttpRule):
        if rule.timeouts.request:
            written, source = rule.timeouts.request, "timeouts.request"
        elif rule.timeouts.backend_request:
            written, source = rule.timeouts.backend_request, "timeouts.backendRequest"
    if not written and (by_policy := timeout_of(policies)) is not None:
        written, source = by_policy
    seconds = seconds_of(written)
    if seconds is None:
        return ENVOY_TIMEOUT
    return Timeout(seconds=seconds or None, source=source)


def seconds_of(written: str) -> float | None:
    """Return a duration in seconds, `0s` included; None where nothing is written that can be read."""
    parts = _PART.findall(written)
    if not parts or "".join(number + unit for number, unit in parts) != written:
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in parts)
