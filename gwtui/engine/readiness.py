"""Whether gateways are ready to take requests: every proxy says so itself, and no condition is against it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from gwtui.model.health import ProxyState
from gwtui.model.ids import GatewayKey
from gwtui.model.snapshot import Snapshot


def unready(snapshot: Snapshot, gateways: Sequence[GatewayKey], since: datetime) -> Iterator[str]:
    """Yield everything that is not as it should be; nothing when all are ready.

    Args:
        snapshot: everything known.
        gateways: who must be ready.
        since: what a proxy said before this moment does not count.
    """
    for key in gateways:
        view = snapshot.clusters.get(key.cluster)
        node = view.gateway(key) if view else None
        if node is None:
            yield f"{key} is not in the topology"
            continue
        yield from (f"{key}: {problem}" for problem in node.problems)
        if not node.proxies:
            yield f"{key} has no proxy"
        for proxy in node.proxies:
            seen = snapshot.proxies.get(proxy)
            if seen is None or seen.answered_at is None or seen.answered_at <= since:
                yield f"{proxy.pod} has not answered since"
            elif seen.state is not ProxyState.LIVE:
                yield f"{proxy.pod} is {seen.state}"
