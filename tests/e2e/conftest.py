"""One playground for all end-to-end tests of the default scenario."""

from __future__ import annotations

import pytest

from running import start_demo, stop_demo


@pytest.fixture(scope="session")
def demo():
    """The default scenario, shared: a test that changes something puts it back."""
    running = start_demo("--duration", "1200")
    yield running
    stop_demo(running)
    assert running.process.returncode == 0
