"""How tests share out among processes: two have living fleets, one at a time each, and the others share the rest."""

from __future__ import annotations

import hypothesis
import pytest
from xdist.scheduler import LoadScopeScheduling

hypothesis.settings.register_profile(
    "shared machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("shared machine")

FLEETS = (
    (
        "changes",
        (
            "tests/e2e/test_route_changes.py",
            "tests/e2e/test_console.py",
            "tests/e2e/test_living_fleet.py",
            "tests/e2e/test_log_levels.py",
            "tests/e2e/test_routes_shown.py",
            "tests/e2e/test_drains.py",
        ),
    ),
    ("fleets", ("tests/e2e/", "tests/playground/", "tests/adapters/prometheus/", "tests/adapters/envoy/")),
)
"""What runs in one process each, about as long as each other, in this order. An Envoy takes seven to nine inotify
instances, and a user has 128 of them by default: three fleets at once are too many."""


def scope_of(nodeid: str) -> str:
    """The tests that stay together: those of living fleets, else those of a file."""
    return next((name for name, places in FLEETS if nodeid.startswith(places)), nodeid.partition("::")[0])


class FleetsTogether(LoadScopeScheduling):
    """Gives whole scopes to processes, in the order of the tests."""

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log) -> FleetsTogether:
    return FleetsTogether(config, log)


def _turn(item: pytest.Item) -> tuple[int, int]:
    """Where a test stands: living fleets first, those on the same playground after each other."""
    for turn, (_, places) in enumerate(FLEETS):
        for at, place in enumerate(places):
            if item.nodeid.startswith(place):
                return turn, at
    return len(FLEETS), 0


def pytest_collection_modifyitems(config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        items.sort(key=_turn)
