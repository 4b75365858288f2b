"""The playgrounds of the end-to-end tests: one at a time, each kept for as many modules as follow on the same one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from running import Demo, start_demo, stop_demo


class Fleets:
    """The one playground that runs. Several at once are more than a machine's inotify instances allow."""

    def __init__(self) -> None:
        self._running: Demo | None = None
        self._scenario = ""

    def on(self, scenario: str) -> Demo:
        """A running playground of this scenario."""
        if self._running is None or self._scenario != scenario:
            self.end()
            self._running, self._scenario = start_demo("--scenario", scenario, "--duration", "1500"), scenario
        return self._running

    def end(self) -> None:
        """End what runs, and expect it to end well."""
        if self._running is not None:
            running, self._running = self._running, None
            stop_demo(running)
            assert running.process.returncode == 0


@pytest.fixture(scope="session")
def fleets() -> Iterator[Fleets]:
    found = Fleets()
    yield found
    found.end()


@pytest.fixture(scope="module")
def demo(fleets: Fleets) -> Demo:
    """The default scenario, shared: a test that changes something puts it back."""
    return fleets.on("central-ingress")


@pytest.fixture(scope="module")
def drill(fleets: Fleets) -> Demo:
    """The fleet with clients of every protocol, shared: a test that drains something undrains it."""
    return fleets.on("drain-drill")


@pytest.fixture(scope="module")
def alone(fleets: Fleets) -> None:
    """No shared playground beside those that a module starts itself."""
    fleets.end()
