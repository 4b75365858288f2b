"""What several gateways see of one Service."""

from __future__ import annotations

from datetime import UTC, datetime

from gwtui.model.known import Known
from gwtui.views.flows import Flow, combined
from tests.tui import fleet

SEEN = Known(1.0, datetime(2026, 1, 1, tzinfo=UTC))


def test_endpoints_are_those_of_the_gateway_that_sees_the_smallest_healthy_share():
    hop = fleet.central_ingress().clusters[fleet.CLUSTER].topology.hops[0]
    one = Flow(hop=hop, rps=SEEN, error_ratio=SEEN, share=SEEN, members_healthy=1, members_total=1)
    other = one._replace(members_healthy=2, members_total=2)
    seen = combined((one, other))
    assert seen.members_healthy == seen.members_total
    worse = combined((one, other, one._replace(members_healthy=1, members_total=3)))
    assert (worse.members_healthy, worse.members_total) == (1, 3)
