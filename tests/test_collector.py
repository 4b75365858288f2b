"""When garbage is collected while the console runs."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from gwtui.collector import AT_REST_S, EVERY_S, LATEST_S, RestingCollector


class Cycle:
    """Something only the collector finds."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def old_garbage() -> Iterator[list[int]]:
    """Counts collections of everything."""
    found: list[int] = []

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "stop" and info["generation"] == 2:
            found.append(info["collected"])

    gc.callbacks.append(note)
    yield found
    gc.callbacks.remove(note)


def test_everything_is_looked_at_while_the_operator_rests(old_garbage: list[int]) -> None:
    now = [0.0]
    collector = RestingCollector(clock=lambda: now[0])
    collector.begin()
    try:
        Cycle()
        gc.collect(1)
        Cycle()
        now[0] = EVERY_S
        collector.typed()
        collector.tick()
        assert not old_garbage
        now[0] += AT_REST_S
        collector.tick()
        assert len(old_garbage) == 1
        assert old_garbage[0] >= 1
        collector.tick()
        assert len(old_garbage) == 1
    finally:
        collector.end()


def test_who_never_rests_is_interrupted_at_last(old_garbage: list[int]) -> None:
    now = [0.0]
    collector = RestingCollector(clock=lambda: now[0])
    while now[0] < LATEST_S:
        collector.typed()
        collector.tick()
        assert not old_garbage
        now[0] += 1
    collector.tick()
    assert len(old_garbage) == 1


def test_the_interpreters_own_rule_comes_back() -> None:
    before = gc.get_threshold()
    collector = RestingCollector()
    collector.begin()
    assert gc.get_threshold() != before
    collector.end()
    collector.end()
    assert gc.get_threshold() == before
