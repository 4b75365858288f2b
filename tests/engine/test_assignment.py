"""Who is asked about a proxy: itself, or Prometheus."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gwtui.engine.assignment import RETRY_S, Assignment, Policy
from gwtui.model.health import ProxyState
from gwtui.model.ids import ProxyKey
from gwtui.model.snapshot import ProxyView
from gwtui.ports import ProxyAddress

PROXIES = frozenset(ProxyAddress(ProxyKey("c", "infra", f"p{number}"), 9091) for number in range(3))
KEYS = sorted(address.key for address in PROXIES)


class Clock:
    seconds = 0.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def mono(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds


def views(state: ProxyState, way: str = "") -> dict[ProxyKey, ProxyView]:
    return {KEYS[0]: ProxyView(key=KEYS[0], state=state, way=way)}


@pytest.mark.parametrize(
    ("policy", "direct"),
    [(None, 3), (Policy(), 3), (Policy(above=3), 3), (Policy(above=2), 0), (Policy(always=True), 0)],
)
def test_the_policy_decides_for_the_fleet(policy: Policy | None, direct: int):
    asked, elsewhere = Assignment(policy, Clock()).divide(PROXIES, {})
    assert (len(asked), len(elsewhere)) == (direct, 3 - direct)


def test_a_proxy_that_refuses_us_is_asked_about_and_tried_again_later():
    clock = Clock()
    assignment = Assignment(Policy(), clock)
    assert assignment.divide(PROXIES, views(ProxyState.FORBIDDEN))[1] == {next(a for a in PROXIES if a.key == KEYS[0])}
    clock.seconds = RETRY_S - 1
    assert len(assignment.divide(PROXIES, views(ProxyState.LIVE, "prometheus"))[1]) == 1
    clock.seconds = RETRY_S + 1
    assert not assignment.divide(PROXIES, views(ProxyState.LIVE, "prometheus"))[1]
    assert len(assignment.divide(PROXIES, views(ProxyState.FORBIDDEN, "prometheus"))[1]) == 1


def test_a_proxy_that_fails_is_still_asked_itself_since_prometheus_remembers_the_dead():
    assert not Assignment(Policy(), Clock()).divide(PROXIES, views(ProxyState.FAILING))[1]
    assert not Assignment(None, Clock()).divide(PROXIES, views(ProxyState.FORBIDDEN))[1]
