"""Where a proxy sends requests, how that goes, and the endpoints behind each name with why some get nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping
from typing import NamedTuple

from gwtui.model import names
from gwtui.model.ids import ExternalKey, GatewayKey, ProxyKey, ServiceKey
from gwtui.model.inspection import Endpoint, Upstream
from gwtui.model.known import Known, Unknown
from gwtui.model.resources import SERVICES
from gwtui.model.traffic import ClusterTraffic, Rate
from gwtui.views import judge, text
from gwtui.views.judge import Verdict
from gwtui.views.matching import matches
from gwtui.views.proxy.page import Entry, Page, note, table_page
from gwtui.views.proxy.reading import Reading, told
from gwtui.views.proxy.subject import Subject, subject
from gwtui.views.remembered import ByIdentity
from gwtui.views.scene import Scene
from gwtui.views.spans import BLANK, Line, Role, Span, joined, line
from gwtui.views.tables import Column, Row

NO_LIMIT = 4_294_967_295
"""What Envoy writes for a circuit breaker that never trips."""

_COLUMNS = (
    Column(id="name", title="UPSTREAM", cells=40, least=20, middle=True),
    Column(id="state", title="STATE", cells=14, least=12),
    Column(id="rps", title="RPS", cells=6, right=True),
    Column(id="err", title="5XX", cells=7, right=True),
    Column(id="p99", title="P99", cells=7, right=True, rank=1),
    Column(id="ready", title="READY", cells=6, right=True),
    Column(id="trips", title="TRIPS/S", cells=12, right=True, rank=2),
    Column(id="connect", title="NOCONN/S", cells=8, right=True, rank=3),
    Column(id="timeouts", title="TIMEOUT/S", cells=9, right=True, rank=4),
    Column(id="retries", title="RETRY/S", cells=7, right=True, rank=5),
    Column(id="ejected", title="EJECTED", cells=7, right=True, rank=6),
)

TROUBLES = {
    "failed_active_health_check": "fails its health checks",
    "failed_outlier_check": "ejected: it answered with too many errors",
    "failed_active_degraded_check": "reports itself as degraded",
    "pending_dynamic_removal": "removed, and still healthy for its last requests",
    "pending_active_hc": "waits for its first health check",
    "excluded_via_immediate_hc_fail": "said itself that it must get no more traffic",
    "active_hc_timeout": "does not answer its health checks",
    "eds_unhealthy": "not ready, says Kubernetes",
    "eds_draining": "drains, says the control plane",
    "eds_timeout": "not answering, says the control plane",
    "eds_degraded": "degraded, says the control plane",
}
"""Why an endpoint gets no traffic, in words, by the proxy's own key."""


_KINDS = {GatewayKey: "gateway", ServiceKey: "Service", ExternalKey: "outside"}


class EndpointKey(NamedTuple):
    """One endpoint of one upstream on the screen."""

    upstream: str
    address: str
    position: int
    """An address may be listed more than once."""


class Target(NamedTuple):
    """What an upstream stands for."""

    kind: str
    """`Service`, `gateway`, `outside`."""
    name: str


_TARGETS: ByIdentity[ProxyKey, Mapping[str, Target]] = ByIdentity(most=50)


def upstreams(
    scene: Scene,
    key: ProxyKey,
    reading: Reading[tuple[Upstream, ...]],
    cells: int,
    *,
    pattern: str = "",
    unfolded: Collection[str] = (),
) -> Page:
    """One row per upstream, the worst first; those in `unfolded` with a row per endpoint below."""
    found = subject(scene, key)
    counted = found.view.current.clusters
    listed = {each.name: each for each in reading.last.value} if isinstance(reading.last, Known) else {}
    targets = upstream_targets(scene, found)
    order = sorted(
        {*counted, *listed},
        key=lambda name: (name not in counted, _verdict(counted.get(name)).rank, _label(name, targets), name),
    )
    entries: list[Entry] = []
    for name in order:
        held = listed.get(name)
        if pattern and not matches(pattern, f"{name} {_label(name, targets)} {_verdict(counted.get(name)).word}"):
            continue
        entries.append((name, _maker(name, counted.get(name), targets.get(name), is_open=name in unfolded)))
        if name in unfolded:
            entries += _endpoints(name, held, reading)
    head = [*told(reading, "the endpoints", scene.now)]
    if not order:
        head.append(note("no upstream is known yet"))
    return table_page(
        _COLUMNS, entries, cells, head=head, story_of=lambda chosen: _story(chosen, counted, listed, targets)
    )


def upstream_targets(scene: Scene, found: Subject) -> Mapping[str, Target]:
    """What upstreams stand for, by their names in the proxy: from the Gateway's hops, else a Service of that name.

    Names are generated from the objects and compared, never taken apart.
    """
    services = found.cluster.objects.get(SERVICES, {}) if found.cluster is not None else {}
    flows = scene.fleet.flows if found.gateway is not None else ()
    topology = found.cluster.topology if found.cluster is not None else None

    def make() -> Mapping[str, Target]:
        named = {
            names.service_cluster(*name, port.port): Target("Service", f"{name[0]}/{name[1]}:{port.port}")
            for name, service in services.items()
            for port in service.spec.ports
        }
        for hop in (flow.hop for flow in flows if flow.hop.source == found.gateway):
            kind = _KINDS[type(hop.target)]
            for name in hop.envoy_clusters:
                if kind != "Service" or name not in named:  # the Service tells its port as well
                    named[name] = Target(kind, str(hop.target))
        return named

    return _TARGETS.get(found.view.key, (services, topology, found.gateway), make)


def _label(name: str, targets: Mapping[str, Target]) -> str:
    """What an upstream is called on the screen."""
    return targets[name].name if name in targets else name


def trouble_words(endpoint: Endpoint) -> str:
    """Why an endpoint gets no traffic; empty when it is healthy."""
    return ", ".join(TROUBLES.get(trouble, trouble.replace("_", " ")) for trouble in endpoint.troubles)


def _maker(name: str, traffic: ClusterTraffic | None, target: Target | None, *, is_open: bool) -> Callable[[], Row]:
    return lambda: _row(name, traffic, target, is_open=is_open)


def _row(name: str, traffic: ClusterTraffic | None, target: Target | None, *, is_open: bool) -> Row:
    fold = Span("▾ " if is_open else "▸ ", Role.DIM)
    cell = (fold, Span(target.name if target else name, Role.STRONG if target else Role.TEXT))
    if traffic is None:
        return Row((cell, *[BLANK] * (len(_COLUMNS) - 1)), note("no request was sent to it yet"), "state")
    healthy, members = traffic.members_healthy, traffic.members_total
    ready = text.part_of(healthy, members) if healthy is not None and members is not None else text.UNKNOWN
    return Row(
        (
            cell,
            _verdict(traffic).line,
            _figure(traffic.rps, text.rate),
            line(judge.error_span(traffic.error_ratio)),
            _figure(traffic.p99_ms, text.ms),
            line(ready),
            _trips(traffic),
            _raised(traffic.connect_failures_rps),
            _raised(traffic.timeouts_rps),
            _figure(traffic.retries_rps, text.rate),
            _ejected(traffic.ejected),
        )
    )


def _endpoints(name: str, held: Upstream | None, reading: Reading[tuple[Upstream, ...]]) -> list[Entry]:
    if held is None or not held.endpoints:
        why = "the proxy holds no endpoint for it" if held is not None else "its endpoints are not read yet"
        if held is None and isinstance(reading.last, Unknown) and reading.failure:
            why = f"its endpoints are not known: {reading.failure}"
        return [(None, lambda: line(Span(f"    {why}", Role.DIM)))]

    def make(endpoint: Endpoint) -> Callable[[], Line]:
        return lambda: _endpoint(endpoint)

    worst_first = sorted(enumerate(held.endpoints), key=lambda pair: (not pair[1].troubles, pair[1].address, pair[0]))
    return [(EndpointKey(name, each.address, at), make(each)) for at, each in worst_first]


def _endpoint(endpoint: Endpoint) -> Line:
    why = trouble_words(endpoint)
    mark = Span(f"    {text.FAILING_GLYPH} ", Role.BAD) if why else Span(f"    {text.OK_GLYPH} ", Role.OK)
    share = f"{text.ratio(endpoint.errors / endpoint.requests)} failed" if endpoint.requests else ""
    parts = [
        line(Span(f"{endpoint.address:<22}", Role.STRONG)),
        line(Span(why, Role.BAD)) if why else BLANK,
        line(f"{text.count(endpoint.active)} active"),
        line(f"{text.count(endpoint.requests)} requests", Span(f" {share}", Role.DIM) if share else ""),
        note(endpoint.zone) if endpoint.zone else BLANK,
        note(f"weight {endpoint.weight}") if endpoint.weight != 1 else BLANK,
        note(f"priority {endpoint.priority}") if endpoint.priority else BLANK,
    ]
    return (mark, *joined(parts, "  "))


def _story(
    chosen: Hashable,
    counted: Mapping[str, ClusterTraffic],
    listed: Mapping[str, Upstream],
    targets: Mapping[str, Target],
) -> Line:
    if isinstance(chosen, EndpointKey):
        return _endpoint_story(chosen, listed.get(chosen.upstream))
    name = str(chosen)
    parts = [line(Span(name, Role.STRONG))]
    if name in targets:
        parts.append(note(f"is {targets[name].kind} {targets[name].name}"))
    traffic = counted.get(name)
    if traffic is not None:
        reason = _verdict(traffic).reason
        parts.append(note(reason) if reason else BLANK)
        parts += [
            note(f"{text.rate(rate.value)}/s {words}")
            for rate, words in (
                (traffic.connect_failures_rps, "cannot connect"),
                (traffic.overflows_rps, "refused by a breaker"),
                (traffic.timeouts_rps, "time out"),
                (traffic.retries_rps, "are retries"),
            )
            if isinstance(rate, Known) and rate.value > 0
        ]
        parts.append(note(f"{text.count(traffic.active)} in flight") if traffic.active is not None else BLANK)
    held = listed.get(name)
    limits = [f"{kind} {limit}" for kind, limit in held.limits.items() if limit < NO_LIMIT] if held else []
    if limits:
        parts.append(note(f"breakers at {', '.join(limits)}"))
    return joined(parts, " · ")


def _endpoint_story(chosen: EndpointKey, held: Upstream | None) -> Line:
    if held is None or chosen.position >= len(held.endpoints):
        return BLANK
    one = held.endpoints[chosen.position]
    parts = [
        line(Span(one.address, Role.STRONG), Span(f" {one.hostname}" if one.hostname else "", Role.DIM)),
        note(f"{text.count(one.errors)} errors, {text.count(one.timeouts)} timeouts"),
        note(f"{text.count(one.connect_failures)} connect failures since the proxy knows it"),
        note(f"{text.plural(one.connections, 'connection')} open"),
        note("keys " + " ".join(one.troubles)) if one.troubles else BLANK,
    ]
    return joined(parts, " · ")


def _verdict(traffic: ClusterTraffic | None) -> Verdict:
    if traffic is None:
        return judge.unknown("unknown")
    return judge.upstream(traffic.error_ratio, traffic.members_healthy, traffic.members_total)


def _trips(traffic: ClusterTraffic) -> Line:
    """Requests/s a circuit breaker refused, and whether one is open at this moment."""
    is_open = f" {text.FAILING_GLYPH} open" if traffic.open_breakers else ""
    return (*_raised(traffic.overflows_rps), *line(Span(is_open, Role.BAD)))


def _raised(rate: Rate) -> Line:
    """A rate of something that should not happen: marked when it does."""
    if isinstance(rate, Unknown):
        return line(Span(text.UNKNOWN, Role.UNKNOWN))
    if rate.value <= 0:
        return line(Span("0", Role.DIM))
    return line(Span(f"{text.rate(rate.value)}{text.RAISED}", Role.WARN))


def _ejected(number: int | None) -> Line:
    if number is None:
        return line(Span(text.UNKNOWN, Role.UNKNOWN))
    return line(Span(f"{number}{text.RAISED}", Role.WARN)) if number else line(Span("0", Role.DIM))


def _figure(rate: Rate, words: Callable[[float], str]) -> Line:
    return line(words(rate.value)) if isinstance(rate, Known) else line(Span(text.UNKNOWN, Role.UNKNOWN))
