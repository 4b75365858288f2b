"""The metrics page of kgateway's control plane into what it says of refused configuration.

*Source:* kgateway 2.1 to 2.4, port 9092. `kgateway_envoy_xds_rejects_active` and `…_rejects_total`
`{gateway_namespace,gateway_name,type_url}` since 2.2, both only after the first refusal;
`kgateway_routing_replacements_total{gateway_namespace,gateway,error_type}` since 2.4;
`kgateway_xds_auth_rq_failure_total` since 2.1. Releases spell the labels of a gateway `namespace` and `gateway` or
`gateway_name` as well.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from gwtui.errors import BadPayload
from gwtui.model.ids import GatewayKey
from gwtui.model.rejections import Rejections

_ACTIVE = "kgateway_envoy_xds_rejects_active"
_REFUSED = "kgateway_envoy_xds_rejects_total"
_REPLACED = "kgateway_routing_replacements_total"
_UNKNOWN_PROXIES = "kgateway_xds_auth_rq_failure_total"
_METRICS = (_ACTIVE, _REFUSED, _REPLACED, _UNKNOWN_PROXIES)
_STARTS = tuple(metric.encode() for metric in _METRICS)
_LINE = re.compile(r"(?P<metric>[a-z_]+)(?:\{(?P<labels>.*)\})? (?P<count>\S+)(?: \S+)?")
_LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What one replica of the control plane counts."""

    refusing: Mapping[GatewayKey, tuple[str, ...]] = field(default_factory=dict)
    """Kinds of configuration that proxies of each gateway refuse at present, by their short names."""
    rejections: Mapping[GatewayKey, Rejections] = field(default_factory=dict)
    unknown_proxies: int = 0
    """Proxies' questions for configuration that it did not let in."""


def decode_page(body: bytes, cluster: str) -> Page:
    """Return what a page says of refused configuration.

    Raises:
        BadPayload: the text is none of Prometheus's, or a value is no number.
    """
    if not body.startswith((b"#", b"\n")) and b"\n# " not in body and body:
        raise BadPayload("the controller answered no Prometheus text", "check prometheus.io/port of its pod")
    sums = _Sums()
    for metric, labels, count in _series(body):
        if metric == _UNKNOWN_PROXIES:
            sums.unknown_proxies += count
        elif count and (key := _gateway(labels, cluster)):
            kind = labels.get("type_url", "").rpartition(".")[2]
            if metric == _ACTIVE:
                sums.refusing[key].add(kind)
            elif metric == _REFUSED:
                sums.refused[key][kind] += count
            else:
                sums.replaced[key][labels.get("error_type", "")] += count
    return sums.page()


def together(pages: Iterable[Page]) -> Page:
    """Add up what several replicas count: each serves some of the proxies."""
    sums = _Sums()
    for page in pages:
        sums.unknown_proxies += page.unknown_proxies
        for key, kinds in page.refusing.items():
            sums.refusing[key].update(kinds)
        for key, counts in page.rejections.items():
            sums.refused[key].update(counts.refused)
            sums.replaced[key].update(counts.replaced)
    return sums.page()


class _Sums:
    """Counts by gateway while they are added up."""

    def __init__(self) -> None:
        self.refusing: defaultdict[GatewayKey, set[str]] = defaultdict(set)
        self.refused: defaultdict[GatewayKey, Counter[str]] = defaultdict(Counter)
        self.replaced: defaultdict[GatewayKey, Counter[str]] = defaultdict(Counter)
        self.unknown_proxies = 0

    def page(self) -> Page:
        """What was added up."""
        return Page(
            refusing={key: tuple(sorted(kinds)) for key, kinds in self.refusing.items()},
            rejections={
                key: Rejections(refused=dict(self.refused[key]), replaced=dict(self.replaced[key]))
                for key in sorted(self.refused.keys() | self.replaced.keys())
            },
            unknown_proxies=self.unknown_proxies,
        )


class _Series(NamedTuple):
    metric: str
    labels: Mapping[str, str]
    number: int


def _series(body: bytes) -> Iterator[_Series]:
    for line in body.split(b"\n"):
        if not line.startswith(_STARTS):
            continue
        found = _LINE.fullmatch(line.decode(errors="replace").rstrip())
        if found is None or found["metric"] not in _METRICS:
            continue
        try:
            count = int(float(found["count"]))
        except (ValueError, OverflowError):
            raise BadPayload(f"the controller counts {found['count'][:40]!r} refusals", "is this kgateway?") from None
        yield _Series(found["metric"], dict(_LABEL.findall(found["labels"] or "")), max(count, 0))


def _gateway(labels: Mapping[str, str], cluster: str) -> GatewayKey | None:
    namespace = labels.get("gateway_namespace", labels.get("namespace", ""))
    name = labels.get("gateway_name", labels.get("gateway", ""))
    return GatewayKey(cluster, namespace, name) if name else None
