from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gwtui.backoff import Backoff


def test_delays_double_up_to_the_longest_and_begin_again():
    backoff = Backoff(1.0, 10.0, lambda: 1.0)
    assert [backoff.next() for _ in range(6)] == [1, 2, 4, 8, 10, 10]
    backoff.reset()
    assert backoff.next() == 1


def test_jitter_takes_at_most_half():
    backoff = Backoff(4.0, 4.0, lambda: 0.0)
    assert backoff.next() == 2.0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=200))
def test_no_delay_leaves_its_bounds(numbers: list[float]):
    draws = iter(numbers)
    backoff = Backoff(0.5, 30.0, lambda: next(draws))
    for _ in numbers:
        assert 0.25 <= backoff.next() <= 30.0
