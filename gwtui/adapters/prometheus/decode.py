"""Bytes of the query API into series.

*Source:* Prometheus HTTP API v1 `/api/v1/query`: `{status, data: {resultType, result}, warnings}`. A `matrix` holds
`{metric: {label: value}, values: [[seconds, "number"], …]}`, a `vector` one `value` instead, a `scalar` is that pair
itself. Numbers are texts: `NaN` and `+Inf` among them. Prometheus, Thanos, Mimir and VictoriaMetrics agree on this, but
for `time()`, which VictoriaMetrics answers with a vector.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import msgspec

from gwtui.errors import BadPayload

Pair = tuple[float, str]
"""(seconds since 1970 in the server's clock, number)."""

T = TypeVar("T")


class TooMuch(BadPayload):
    """The question is refused, or its answer was larger than we take: asking less may help."""


class Labels(msgspec.Struct, frozen=True, gc=False):
    """The labels we look at; all others are skipped unread. Absent and empty are the same in Prometheus."""

    metric: str = msgspec.field(default="", name="__name__")
    le: str = ""
    of: str = ""
    answer_class: str = msgspec.field(default="", name="envoy_response_code_class")
    cluster: str = msgspec.field(default="", name="envoy_cluster_name")
    virtual_host: str = msgspec.field(default="", name="envoy_virtual_host")
    route: str = msgspec.field(default="", name="envoy_route")
    listener: str = msgspec.field(default="", name="envoy_listener_address")
    manager: str = msgspec.field(default="", name="envoy_http_conn_manager_prefix")
    route_config: str = msgspec.field(default="", name="envoy_rds_route_config")
    xds_resource: str = msgspec.field(default="", name="envoy_xds_resource_name")
    pod: str = ""
    kubernetes_pod_name: str = ""
    pod_name: str = ""
    kube_pod: str = ""
    kube_pod_name: str = ""
    k8s_pod_name: str = ""
    exported_pod: str = ""
    kube_namespace: str = ""
    namespace: str = ""
    kubernetes_namespace: str = ""
    k8s_namespace_name: str = ""
    exported_namespace: str = ""
    gateway: str = msgspec.field(default="", name="gateway_networking_k8s_io_gateway_name")


class Series(msgspec.Struct, frozen=True, gc=False):
    """Raw samples of one series, oldest first."""

    metric: Labels
    values: list[Pair] = []


class Single(msgspec.Struct, frozen=True, gc=False):
    """One series of an instant answer."""

    metric: Labels
    value: Pair


class _Data(msgspec.Struct, gc=False):
    result_type: str = msgspec.field(name="resultType")
    result: msgspec.Raw


class _Answer(msgspec.Struct, gc=False):
    status: str
    data: _Data | None = None
    error: str = ""
    warnings: list[str] = []


_ANSWER = msgspec.json.Decoder(_Answer)
_MATRIX = msgspec.json.Decoder(list[Series])
_VECTOR = msgspec.json.Decoder(list[Single])
_SCALAR = msgspec.json.Decoder(Pair)


@dataclass(frozen=True, slots=True)
class Matrix:
    """One answer of raw samples."""

    series: list[Series]
    warnings: tuple[str, ...]
    """What the server says is missing, for example a store that did not answer (Thanos)."""


def decode_matrix(body: bytes) -> Matrix:
    """Return the raw samples of an answer.

    Raises:
        BadPayload: truncated, not JSON, or another type of result.
    """
    answer, data = _data(body)
    if data.result_type != "matrix":
        raise _bad(f"it answers a {data.result_type!r} where raw samples were asked for")
    return Matrix(_decoded(_MATRIX, data.result), tuple(answer.warnings))


def decode_vector(body: bytes) -> list[Single]:
    """Return the series of an instant answer.

    Raises:
        BadPayload: truncated, not JSON, or another type of result.
    """
    _, data = _data(body)
    if data.result_type != "vector":
        raise _bad(f"it answers a {data.result_type!r} where a vector was asked for")
    return _decoded(_VECTOR, data.result)


def decode_counts(body: bytes) -> dict[str, int]:
    """Return the numbers of an instant answer by their label `of`.

    Raises:
        BadPayload: truncated, not JSON, another type of result, or no count.
    """
    try:
        return {each.metric.of: int(float(each.value[1])) for each in decode_vector(body)}
    except (ValueError, OverflowError):
        raise _bad("it counts what cannot be counted") from None


def decode_time(body: bytes) -> float:
    """Return the answer to `time()`: seconds since 1970 in the server's clock.

    Raises:
        BadPayload: truncated, not JSON, or no time.
    """
    _, data = _data(body)
    if data.result_type == "vector":
        found = _decoded(_VECTOR, data.result)
        text = found[0].value[1] if len(found) == 1 else ""
    else:
        text = _decoded(_SCALAR, data.result)[1]
    try:
        seconds = float(text)
    except ValueError:
        raise _bad("it does not tell the time") from None
    if not 0 < seconds < 253_402_300_800:
        raise _bad("it does not tell the time")
    return seconds


def printable(text: str) -> str:
    """Return the start of a foreign text as one line that cannot steer a terminal."""
    shown = "".join(char if char.isprintable() else " " for char in text[:200])
    return " ".join(shown.split())


def _data(body: bytes) -> tuple[_Answer, _Data]:
    answer = _decoded(_ANSWER, body)
    if answer.status != "success" or answer.data is None:
        raise _bad(printable(answer.error) or "it answers without data")
    return answer, answer.data


def _decoded(decoder: msgspec.json.Decoder[T], body: bytes | msgspec.Raw) -> T:
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _bad(f"{error} (in {len(bytes(body))} bytes)") from error


def _bad(reason: str) -> BadPayload:
    return BadPayload(f"not the answer of a Prometheus API: {reason}", "check url: it must be the base of the API")
