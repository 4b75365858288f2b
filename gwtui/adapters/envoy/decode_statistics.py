"""Bytes of Envoy's `/stats?format=json` into raw statistics by name: every one, not the few of a sample.

*Source:* Envoy 1.40: `stats[]` holds `{name, value}` elements and one element without a name, `{histograms:
{supported_quantiles[], computed_quantiles[]{name, values[]{cumulative, interval}}}}`; `values` stand in the order of
`supported_quantiles`, and both are null where nothing was recorded.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from gwtui.adapters.envoy.admin_json import one_line, reading, whole
from gwtui.model.inspection import Statistic

SHOWN = {50.0: "p50", 90.0: "p90", 99.0: "p99", 100.0: "max"}
"""Quantiles that are told, of those Envoy computes."""

_UNITS = {"_time": " ms", "_ms": " ms", "_us": " µs", "_size": " B"}
"""Units by the end of the name; Envoy's answer does not tell them."""


class _Quantile(msgspec.Struct, gc=False):
    cumulative: float | None = None


class _Computed(msgspec.Struct, gc=False):
    name: str
    values: list[_Quantile] = []


class _Histograms(msgspec.Struct, gc=False):
    supported_quantiles: list[float] = []
    computed_quantiles: list[_Computed] = []


class _Stat(msgspec.Struct, gc=False):
    name: str = ""
    value: int | str = 0
    histograms: _Histograms | None = None


class _Answer(msgspec.Struct, gc=False):
    stats: list[_Stat]


_DECODER = msgspec.json.Decoder(_Answer)


def decode_statistics(body: bytes) -> tuple[Statistic, ...]:
    """Return the statistics of an answer by name. Quantiles of histograms are those since the proxy started.

    Raises:
        BadPayload: not this page.
    """
    with reading("/stats", body):
        found: list[Statistic] = []
        for stat in _DECODER.decode(body).stats:
            if stat.histograms:
                quantiles = stat.histograms.supported_quantiles
                found += (_histogram(quantiles, each) for each in stat.histograms.computed_quantiles)
            elif stat.name:
                found.append(Statistic(name=stat.name, value=_value(stat.value)))
    return tuple(sorted(found, key=lambda each: each.name))


def _value(value: int | str) -> int | str:
    return one_line(value) if isinstance(value, str) else whole(value)


def _histogram(quantiles: Sequence[float], computed: _Computed) -> Statistic:
    unit = next((unit for end, unit in _UNITS.items() if computed.name.endswith(end)), "")
    told = [
        f"{SHOWN[quantile]} {_short(value.cumulative)}{unit}"
        for quantile, value in zip(quantiles, computed.values, strict=False)
        if quantile in SHOWN and value.cumulative is not None
    ]
    return Statistic(name=computed.name, value=None, detail=" · ".join(told) or "nothing recorded")


def _short(value: float) -> str:
    """Three digits, more for whole numbers."""
    return f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"
