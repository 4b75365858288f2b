"""How tests share out among processes: living fleets are few at a time, and begin first since they take longest."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from xdist.scheduler import LoadScopeScheduling

FLEETS = (
    ("e2e", ("tests/e2e/",)),
    ("playground", ("tests/playground/", "tests/adapters/prometheus/", "tests/adapters/envoy/")),
)
"""What runs in one process each. An Envoy takes seven to nine inotify instances, and a user has 128 of them by default:
three fleets at once are too many."""


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


def pytest_collection_modifyitems(config, items: list[pytest.Item]) -> None:
    if not hasattr(config, "workerinput"):
        return
    names: Sequence[str] = [name for name, _ in FLEETS]
    items.sort(key=lambda item: names.index(scope) if (scope := scope_of(item.nodeid)) in names else len(names))
