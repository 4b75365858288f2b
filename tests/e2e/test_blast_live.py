"""What plans foretell of the load of shards, against what the Envoys count once they are carried out."""

from __future__ import annotations

import aiohttp
import pytest

from api_server import ApiServer, content
from bench.edits import RATES, ROUTE, SCENARIO, Counters, Edits, Shift, Span, judged, pooled, settled, watching
from gwtui.adapters.journal import journal_path
from gwtui.playground.launch import launch

EDITS = ((10, 90), (95, 5), (20, 80), (85, 15))
"""Each moves most of the traffic, so that little is left to chance."""

SIGMAS = 4.0


@pytest.fixture(autouse=True)
def own_journal(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert journal_path().is_relative_to(tmp_path)


@pytest.mark.e2e
async def test_shards_get_as_much_more_or_less_as_foretold():
    playground = await launch(SCENARIO, state_dir=None, rates=RATES, progress=lambda _: None)
    server = ApiServer(str(playground.kubeconfig))
    try:
        before = content(server.route(*ROUTE))
        async with aiohttp.ClientSession() as http, watching(playground.kubeconfig) as session:
            await settled(session, within_s=40)
            edits = Edits(session, Counters(http, playground.ready["admin"]), requests=700, within_s=15)
            for weights in EDITS:
                await edits.make(weights)
            shifts = await edits.shifts()
            await edits.put_back()
        assert content(server.route(*ROUTE)) == before
    finally:
        server.close()
        await playground.close()
    # Nearly everything comes by the route that is edited, and each edit moves at least six tenths of it.
    assert all(each > 0.5 * RATES["shop.example.com"] for each in edits.moved)
    found = pooled(shifts)
    assert found.sigma < 0.05, "too few requests to tell anything"
    assert abs(found.ratio - 1) <= SIGMAS * found.sigma, judged(shifts, edits.moved, seed=0)


def test_shifts_are_pooled_by_the_direction_foretold():
    low, high = Span(10.0, 4.0), Span(30.0, 9.0)
    assert pooled({"a": [Shift(20.0, low, high)]}) == (1.0, 1.0, pytest.approx(13**0.5 / 20))
    # What lies between two opposite edits counts for both.
    there_and_back = [Shift(20.0, low, high), Shift(-20.0, high, low)]
    assert pooled({"a": there_and_back}) == (1.0, 1.0, pytest.approx((4 + 4 * 9 + 4) ** 0.5 / 40))
    assert pooled({"a": [Shift(40.0, low, high)], "b": [Shift(-20.0, high, low)]}).ratio == pytest.approx(40 / 60)
    assert pooled({"a": [Shift(-20.0, low, high)]}).ratio == -1.0
