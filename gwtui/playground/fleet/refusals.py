"""Which kinds of configuration an Envoy refuses at present, read from what it says of its subscriptions.

*Source:* `/stats?format=json`, Envoy 1.38 to 1.40: counter `update_rejected` and text `version_text` below
`listener_manager.lds`, `cluster_manager.cds`, `http.<stat prefix>.rds.<route configuration>` and `cluster.<name>`.
`version_text` stays what it was when an update is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

QUERY = "/stats?format=json&filter=[.](update_rejected|version_text)$"
"""What to ask of the admin interface."""

_TYPE_URLS = {
    "lds": "type.googleapis.com/envoy.config.listener.v3.Listener",
    "cds": "type.googleapis.com/envoy.config.cluster.v3.Cluster",
    "rds": "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
    "eds": "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
}
_STAT = re.compile(
    r"(?:listener_manager\.(?P<lds>lds)|cluster_manager\.(?P<cds>cds)|http\..+?\.rds\.(?P<rds>.+)|cluster\.(?P<eds>.+))"
    r"\.(?P<what>update_rejected|version_text)"
)


class Subscription(NamedTuple):
    """What an Envoy follows."""

    kind: str
    """`lds`, `cds`, `rds` or `eds`."""
    name: str
    """The route configuration or the cluster; for the other two the kind again, there is but one."""


def refused_types(stats: Iterable[dict[str, Any]], sent: Callable[[Subscription], str]) -> frozenset[str]:
    """Return the type URLs of what is refused: it refused something, and does not have what it was sent last.

    Args:
        stats: the answer to `QUERY`, its `stats`.
        sent: returns the version a subscription was sent last.
    """
    held: dict[Subscription, str] = {}
    refusing: set[Subscription] = set()
    for stat in stats:
        found = _STAT.fullmatch(stat["name"])
        if found is None:
            continue
        (subscription,) = (Subscription(kind, name) for kind in _TYPE_URLS if (name := found[kind]))
        if found["what"] == "version_text":
            held[subscription] = stat["value"]
        elif stat["value"]:
            refusing.add(subscription)
    return frozenset(_TYPE_URLS[each.kind] for each in refusing if held.get(each) != sent(each))
