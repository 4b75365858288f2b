"""The rules of the living fleet on the Routes screen: figures, observed shares, and one that is broken."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from gwtui.model.ids import ObjectKey
from gwtui.model.known import Known
from gwtui.model.resources import HTTP_ROUTES
from gwtui.model.snapshot import Snapshot
from gwtui.views.route_backends import backends_of
from gwtui.views.route_facts import RuleKey
from gwtui.views.route_survey import RuleRow, Survey
from gwtui.views.routes import rows
from gwtui.views.scene import Scene
from running import Demo
from terminal import Terminal
from watching import until, watching

pytestmark = pytest.mark.e2e

ESCAPE = "\x1b"
SHARE_WITHIN = 0.06
"""A window of ten seconds holds some 350 requests of the route: twice the deviation chance gives such a share."""

SETTLES_S = 40.0
ZERO = {
    "apiVersion": "gateway.networking.k8s.io/v1",
    "kind": "HTTPRoute",
    "metadata": {"name": "nowhere-to-go", "namespace": "foo"},
    "spec": {
        "parentRefs": [{"name": "shard-a", "namespace": "infra"}],
        "hostnames": ["nowhere-to-go.example.com"],
        "rules": [{"backendRefs": [{"name": name, "port": 80, "weight": 0} for name in ("web", "shop")]}],
    },
}


def surveyed(snapshot: Snapshot) -> Survey:
    return Survey(Scene(snapshot, tuple(snapshot.clusters), datetime.now(UTC)))


def rule(survey: Survey, namespace: str, name: str, number: int = 0) -> RuleRow | None:
    return survey.find(RuleKey(ObjectKey("playground", HTTP_ROUTES, namespace, name), number))


def seen_shares(snapshot: Snapshot) -> list[float | None]:
    """The observed shares of the route that is split between the shards."""
    survey = surveyed(snapshot)
    shop = rule(survey, "infra", "shop")
    if shop is None:
        return []
    backends = backends_of(shop.facts, shop.place, survey.figures_in("playground"))
    return [each.observed.value if isinstance(each.observed, Known) else None for each in backends]


@pytest.fixture
def broken(demo: Demo) -> Iterator[None]:
    """A route all of whose weights are 0, which kgateway accepts and replaces."""
    demo.kubectl("apply", "-f", "-", stdin=json.dumps(ZERO))
    yield
    demo.kubectl("delete", "httproute", "nowhere-to-go", "-n", "foo")


async def test_rules_rates_and_shares(demo: Demo) -> None:
    def is_as_intended(now: Snapshot) -> bool:
        shares = seen_shares(now)
        return len(shares) == 2 and all(
            share is not None and abs(share - intended) < SHARE_WITHIN
            for share, intended in zip(shares, (0.9, 0.1), strict=True)
        )

    async with watching(demo) as session:
        snapshot = await until(session, is_as_intended, within_s=SETTLES_S)
    survey = surveyed(snapshot)
    shop, api = rule(survey, "infra", "shop"), rule(survey, "foo", "web", 1)
    assert shop is not None
    assert api is not None
    assert shop.verdict.word == "ok"
    assert isinstance(survey.figures(shop).traffic.rps, Known)
    assert survey.figures(api).is_derived, "its rules are counted together, and its upstream is its own"
    figures = survey.figures_in("playground")
    assert [each.members for each in backends_of(shop.facts, shop.place, figures)] == [(2, 2), (1, 1)]


@pytest.mark.usefixtures("broken")
async def test_accepted_and_not_programmed_comes_first(demo: Demo) -> None:
    def is_first(now: Snapshot) -> bool:
        found = rows(surveyed(now))
        return bool(found) and found[0].verdict.word == "broken"

    async with watching(demo) as session:
        snapshot = await until(session, is_first, within_s=SETTLES_S)
    worst = rows(surveyed(snapshot))[0]
    assert worst.key.route.name == "nowhere-to-go"
    assert "kgateway.dev/Programmed is False (RouteRuleReplaced)" in worst.verdict.reason


def test_a_tour_of_the_screen(demo: Demo) -> None:
    with Terminal("--kubeconfig", demo.kubeconfig) as terminal:
        terminal.until("central ingress", "5/5 proxies")
        terminal.press("3")
        terminal.until("HOSTNAMES", "BACKENDS", "infra/shop", "shard-a 9")
        terminal.press(":", "routes host:shop gw:infra/edge\r")
        terminal.until("filter host:shop", "infra/shop", absent=("foo/web",))  # the prompt is gone once this shows
        terminal.press("\r")
        terminal.until("infra/shop rule 0", "SEEN", "shop.example.com", "as kgateway.dev/kgateway says")
        terminal.press("y")
        terminal.until("kind: HTTPRoute", "weight: 90")
        terminal.press(ESCAPE, ESCAPE, ESCAPE)
        terminal.until("foo/web #3", absent=("SEEN",))
        terminal.press(">")
        terminal.until("RPS▾")
        terminal.press(":", "routes ns:extra\r")
        terminal.until("extra/shop", absent=("foo/web",))
        terminal.press("Q")
        assert terminal.ended() == 0
