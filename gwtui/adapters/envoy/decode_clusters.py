"""Bytes of Envoy's `/clusters?format=json` into the model."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from gwtui.adapters.envoy.admin_json import Address, reading, whole
from gwtui.model.inspection import Endpoint, Upstream

_EDS = "eds_health_status"
_EDS_FINE = {"HEALTHY", "UNKNOWN"}
_LIMITS = ("max_connections", "max_pending_requests", "max_requests", "max_retries")


class _Stat(msgspec.Struct, gc=False):
    name: str = ""
    value: str | int = 0


class _Locality(msgspec.Struct, gc=False):
    zone: str = ""


class _Host(msgspec.Struct):
    address: Address = msgspec.field(default_factory=Address)
    stats: list[_Stat] = []
    health_status: dict[str, bool | str] = {}
    weight: int = 1
    """Never 0 in Envoy; absent only in builds that do not tell it."""
    priority: int = 0
    hostname: str = ""
    locality: _Locality = msgspec.field(default_factory=_Locality)


class _Thresholds(msgspec.Struct, gc=False):
    priority: str = "DEFAULT"
    max_connections: int | None = None
    max_pending_requests: int | None = None
    max_requests: int | None = None
    max_retries: int | None = None


class _CircuitBreakers(msgspec.Struct):
    thresholds: list[_Thresholds] = []


class _Cluster(msgspec.Struct):
    name: str
    added_via_api: bool = False
    host_statuses: list[_Host] = []
    circuit_breakers: _CircuitBreakers = msgspec.field(default_factory=_CircuitBreakers)


class _Clusters(msgspec.Struct):
    cluster_statuses: list[msgspec.Raw] = []
    """Decoded one by one, so that a long page lets other threads run in between."""


_PAGE = msgspec.json.Decoder(_Clusters)
_CLUSTER = msgspec.json.Decoder(_Cluster)


def decode_upstreams(body: bytes) -> tuple[Upstream, ...]:
    """Return the upstreams of the page with their endpoints, by name.

    *Source:* `cluster_statuses[]{name, added_via_api, host_statuses[], circuit_breakers.thresholds[]}`. A statistic
    without a value is 0; thresholds without a priority are those of the default one.

    Raises:
        BadPayload: not this page.
    """
    with reading("/clusters", body):
        clusters = [_CLUSTER.decode(raw) for raw in _PAGE.decode(body).cluster_statuses]
        return tuple(_upstream(each) for each in sorted(clusters, key=lambda each: each.name))


def _upstream(cluster: _Cluster) -> Upstream:
    return Upstream(
        name=cluster.name,
        endpoints=tuple(_endpoint(host) for host in cluster.host_statuses),
        is_from_control_plane=cluster.added_via_api,
        limits={
            name: limit
            for thresholds in cluster.circuit_breakers.thresholds
            if thresholds.priority == "DEFAULT"
            for name in _LIMITS
            if (limit := getattr(thresholds, name)) is not None
        },
    )


def _endpoint(host: _Host) -> Endpoint:
    figures = {stat.name: whole(stat.value) for stat in host.stats}
    return Endpoint(
        address=host.address.text(),
        hostname=host.hostname,
        zone=host.locality.zone,
        weight=host.weight,
        priority=host.priority,
        troubles=_troubles(host.health_status),
        requests=figures.get("rq_total", 0),
        errors=figures.get("rq_error", 0),
        timeouts=figures.get("rq_timeout", 0),
        active=figures.get("rq_active", 0),
        connections=figures.get("cx_active", 0),
        connect_failures=figures.get("cx_connect_fail", 0),
    )


def _troubles(health: Mapping[str, bool | str]) -> tuple[str, ...]:
    """Every key that is set is a trouble. What EDS says stays `HEALTHY` while the proxy's own checks fail."""
    own = sorted(key for key, value in health.items() if value is True)
    said = health.get(_EDS)
    return (*own, f"eds_{said.lower()}") if isinstance(said, str) and said and said not in _EDS_FINE else tuple(own)
