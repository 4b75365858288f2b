"""Envoy's Prometheus text into numbers under Envoy's own names, for proxies that offer nothing else.

*Source:* Envoy 1.40 `/stats/prometheus?usedonly&filter=…`. Envoy takes the parts of a name it knows into labels, up to
the first dot of each. A cluster or stat prefix that holds a dot is torn apart, and what was lost is not guessed: such
names are left out, so that their figures are unknown rather than wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from gwtui.adapters.envoy.decode import Stats, bad, cumulative, printable
from gwtui.adapters.envoy.figures import Numbers
from gwtui.adapters.envoy.paths import HCM
from gwtui.adapters.envoy.stat_names import (
    CLUSTER_FIGURES,
    LISTENER_FIGURES,
    PROXY_FIGURES,
    ROUTE_FIGURES,
    Owner,
    Place,
    place,
)

REMEMBERED = 200_000
"""So many series are remembered, and as many whole lines; then all are forgotten at once."""

OFTEN = 10
"""Numbers of upstreams below this are remembered with their line: most levels are so small and stay what they are."""

_SERIES = re.compile(rb"envoy_([a-zA-Z0-9_]+)\{(.*)\}", re.DOTALL)
_LABEL = re.compile(rb'([a-z_]+)="((?:[^"\\]|\\.)*)"', re.DOTALL)
_SERVICE = re.compile(
    "(?:(?P<one>listener_manager_lds|cluster_manager_cds)|http_rds(?P<rds>_.+)?|cluster(?P<eds>_.+)?|(?P<sds>sds))"
    "_(?P<ending>update_rejected|update_success|version)"
)
_REJECTED = "_update_rejected"
_BUCKET = "_bucket"
_LATENCY = f"{HCM}downstream_rq_time"

_Series = tuple[Place | None, str, float]
"""Where the number of a series goes; or of a histogram, its name and the upper bound of the bucket."""


def _written(names: Iterable[str]) -> dict[str, str]:
    """Names by the way Prometheus writes them."""
    return {name.replace(".", "_"): name for name in names}


_CLUSTER = _written(CLUSTER_FIGURES)
_ROUTE = _written(ROUTE_FIGURES)
_LISTENER = _written(LISTENER_FIGURES)
_MANAGER = _written(name.removeprefix(HCM) for name in PROXY_FIGURES if name.startswith(HCM)) | {
    "downstream_rq_time": "downstream_rq_time"
}
_SERVER = _written(name for name in PROXY_FIGURES if not name.startswith(HCM))

_read_series: dict[bytes, _Series | None] = {}
_read_lines: dict[bytes, tuple[Place, int]] = {}


def decode_text(body: bytes) -> Stats:
    """Return the numbers and histograms of one answer, as of the names `/stats` gives them.

    Raises:
        BadPayload: truncated, or a figure of a sample is no whole number.
    """
    if body and not body.endswith(b"\n"):
        raise bad(f"the text ends in the middle of a line (in {len(body)} bytes)")
    if body and not body.startswith(b"envoy_") and b"\nenvoy_" not in body:
        raise bad("no line of this text is one of Envoy's")
    lines = body.split(b"\n")
    remembered = list(map(_read_lines.get, lines))
    fresh = [line for line, told in zip(lines, remembered, strict=True) if told is None]
    told_again = list(filter(None, remembered))
    places = [where for where, _ in told_again]
    values = [number for _, number in told_again]
    others: list[tuple[Place, int]] = []
    buckets: dict[str, list[tuple[float, int]]] = {}
    for line in fresh:
        series, _, value = line.rpartition(b" ")
        found = _series(series)
        if found is None:
            continue
        number = _number(value, series)
        own, histogram, bound = found
        if own is None:
            buckets.setdefault(histogram, []).append((bound, number))
        elif own.owner is not Owner.CLUSTER:
            others.append((own, number))
        else:
            places.append(own)
            values.append(number)
            _remember(line, own, number)
    counted = ((name, cumulative(name, told)) for name, told in buckets.items())
    histograms = {name: histogram for name, histogram in counted if histogram}
    return Stats(Numbers(places, values, others), histograms)


def _remember(line: bytes, place: Place, number: int) -> None:
    if number < OFTEN:
        if len(_read_lines) >= REMEMBERED:
            _read_lines.clear()
        _read_lines[line] = place, number


def _number(value: bytes, series: bytes) -> int:
    if not value.isdigit():
        raise bad(f"{printable(series)} is {printable(value)}, no count")
    return int(value)


def _series(series: bytes) -> _Series | None:
    try:
        return _read_series[series]
    except KeyError:
        if len(_read_series) >= REMEMBERED:
            _read_series.clear()
        found = _read_series[series] = _read(series)
        return found


def _read(series: bytes) -> _Series | None:
    parts = _SERIES.fullmatch(series)
    if parts is None:
        return None
    metric = parts[1].decode("ascii")
    labels = {key.decode("ascii"): _unescaped(value) for key, value in _LABEL.findall(parts[2])}
    bound = None
    if metric.endswith(_BUCKET):
        metric, bound = metric.removesuffix(_BUCKET), _bound(labels.pop("le", ""))
    if answer_class := labels.pop("envoy_response_code_class", ""):
        metric = f"{metric.removesuffix('xx')}{answer_class}xx"
    name = _raw(metric, labels)
    where = place(name) if name is not None else None
    if name is None or (where is None and name != _LATENCY):
        return None
    return (where, "", 0.0) if bound is None else (None, name, bound)


def _raw(metric: str, labels: dict[str, str]) -> str | None:
    """Envoy's own name, or None where it is none of a sample's or cannot be told."""
    if service := _SERVICE.fullmatch(metric):
        return _of_service(service, labels)
    if metric.endswith(_REJECTED):
        return ".".join((metric.removesuffix(_REJECTED), *labels.values(), "update_rejected"))
    cluster, manager = labels.get("envoy_cluster_name"), labels.get("envoy_http_conn_manager_prefix")
    if cluster is not None:
        ending = _CLUSTER.get(metric.removeprefix("cluster_"))
        return f"cluster.{cluster}.{ending}" if ending else None
    if (host := labels.get("envoy_virtual_host")) is not None:
        ending = _ROUTE.get(metric.removeprefix("vhost_route_"))
        return f"vhost.{host}.route.{labels.get('envoy_route', '')}.{ending}" if ending else None
    if manager is None:
        return _SERVER.get(metric)
    return _of_manager(metric, labels) if f"http.{manager}." == HCM else None


def _of_service(found: re.Match[str], labels: dict[str, str]) -> str | None:
    """Subscriptions keep what tells them apart: `listener~8080` arrives as `listener_8080`, which nobody adds up."""
    ending = found["ending"]
    if one := found["one"]:
        return f"{one.replace('manager_', 'manager.')}.{ending}"
    if found["sds"]:
        return f"sds.{labels.get('envoy_xds_resource_name', '')}.{ending}"
    if (cluster := labels.get("envoy_cluster_name")) is not None:
        rest = f".{found['eds'].removeprefix('_')}" if found["eds"] else ""
        return f"cluster.{cluster}{rest}.{ending}"
    manager = labels.get("envoy_http_conn_manager_prefix")
    if manager is None:
        return None
    routes = labels.get("envoy_rds_route_config") or (found["rds"] or "").removeprefix("_")
    return f"http.{manager}.rds.{routes}.{ending}"


def _of_manager(metric: str, labels: dict[str, str]) -> str | None:
    if (address := labels.get("envoy_listener_address")) is not None:
        ending = _LISTENER.get(metric.removeprefix("listener_http_"))
        return f"listener.{address}.{HCM}{ending}" if ending else None
    ending = _MANAGER.get(metric.removeprefix("http_"))
    return f"{HCM}{ending}" if ending else None


def _bound(told: str) -> float:
    try:
        return float(told)
    except ValueError:
        raise bad(f"a bucket ends at {printable(told.encode())}") from None


def _unescaped(value: bytes) -> str:
    text = value.decode(errors="replace")
    return text.replace('\\"', '"').replace("\\n", "\n").replace("\\\\", "\\") if "\\" in text else text
