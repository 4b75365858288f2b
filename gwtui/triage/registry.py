"""What is looked for, in the order in which it is looked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from gwtui.triage.finding import Finding
from gwtui.triage.look import Look
from gwtui.triage.rules import (
    backend_errors,
    blind_spot,
    breaker_trip,
    certificate_expiry,
    certificate_mismatch,
    claimed_not_loaded,
    connect_failures,
    ejection,
    flow_lost,
    forgotten_drain,
    forgotten_lease,
    limit_near,
    listener_conflict,
    missing_backend,
    missing_gateway,
    missing_grant,
    no_healthy_front,
    no_ready_endpoints,
    no_route,
    noisy_neighbour,
    not_programmed,
    odd_replica,
    panic_mode,
    proxy_silent,
    refused_config,
    shadowed_rule,
    status_lag,
    timeouts,
    weight_trap,
)


class Rule(NamedTuple):
    """One thing that may be wrong."""

    id: str
    """Stable, kebab case: part of what the command prints."""
    find: Callable[[Look], Iterator[Finding | None]]
    """Yields what is wrong; None in between is a place to give way to others."""


RULES = tuple(
    Rule(module.ID, module.find)
    for module in (
        no_healthy_front,
        no_ready_endpoints,
        connect_failures,
        timeouts,
        breaker_trip,
        backend_errors,
        ejection,
        panic_mode,
        flow_lost,
        no_route,
        refused_config,
        claimed_not_loaded,
        odd_replica,
        not_programmed,
        status_lag,
        missing_backend,
        missing_grant,
        missing_gateway,
        listener_conflict,
        weight_trap,
        certificate_expiry,
        certificate_mismatch,
        proxy_silent,
        noisy_neighbour,
        shadowed_rule,
        forgotten_drain,
        forgotten_lease,
        limit_near,
        blind_spot,
    )
)
"""Every rule. What is asked first is no more important: findings are ranked afterwards."""
