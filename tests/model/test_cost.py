"""What our own questions cost, over the last minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gwtui.model.cost import Cost, cost_of, total_cost
from gwtui.model.ids import ProxyKey
from gwtui.model.snapshot import Point, ProxyView, Spent

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY = ProxyKey("c", "infra", "edge-1")


def view(*ages_s: float, each_ms: float = 6.0) -> ProxyView:
    """A proxy that was asked so many seconds ago, oldest first; every time took the same."""
    spent = [Spent(3 * n, 1000 * n, each_ms * n, 2 * each_ms * n) for n in range(1, len(ages_s) + 1)]
    series = tuple(
        Point(NOW - timedelta(seconds=age), spent=by_then) for age, by_then in zip(ages_s, spent, strict=True)
    )
    return ProxyView(key=KEY, series=series, spent=spent[-1] if spent else Spent())


def test_a_steady_pace_is_averaged_over_the_minute():
    found = cost_of(view(*range(120, 0, -2)), NOW)
    assert (found.questions, found.admin_ms, found.answer_ms, found.span_s) == (87, 174.0, 348.0, 60.0)
    assert found.share == pytest.approx(0.0029)


def test_a_new_proxy_is_averaged_over_half_a_minute_at_the_least():
    found = cost_of(view(2, 1), NOW)
    assert (found.questions, found.span_s) == (6, 30.0)
    assert found.share == pytest.approx(0.0004)


def test_what_was_never_asked_or_not_lately_has_no_share():
    assert cost_of(view(), NOW) == Cost()
    assert cost_of(view(90, 80), NOW).share is None


def test_the_share_of_several_is_their_mean():
    costs = [cost_of(view(2, 1, each_ms=each), NOW) for each in (3.0, 9.0)]
    assert total_cost(costs).share == pytest.approx((costs[0].share + costs[1].share) / 2)
    assert total_cost([]).share is None
