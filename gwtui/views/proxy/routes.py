"""The routes of a proxy that have counters of their own, and those that do not, with what would give them some."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import NamedTuple

from gwtui.model import names
from gwtui.model.ids import GatewayKey, ObjectKey, ProxyKey
from gwtui.model.known import Known, Unknown
from gwtui.model.resources import TRAFFIC_POLICIES
from gwtui.model.shape import GatewayNode
from gwtui.model.snapshot import ClusterView
from gwtui.model.traffic import Rate, RouteTraffic
from gwtui.views import judge, text
from gwtui.views.matching import matches
from gwtui.views.proxy.page import Entry, Page, note, table_page
from gwtui.views.proxy.subject import subject
from gwtui.views.remembered import ByIdentity
from gwtui.views.scene import Scene
from gwtui.views.spans import BLANK, Line, Role, Span, joined, line
from gwtui.views.tables import Column, Row

_COLUMNS = (
    Column(id="route", title="ROUTE", cells=34, least=16, middle=True),
    Column(id="host", title="HOST", cells=32, least=12, middle=True),
    Column(id="rps", title="RPS", cells=7, right=True),
    Column(id="client", title="4XX", cells=7, right=True),
    Column(id="err", title="5XX", cells=8, right=True),
    Column(id="p50", title="P50", cells=7, right=True, rank=1),
    Column(id="p99", title="P99", cells=7, right=True),
)


class RouteNames(NamedTuple):
    """The names a Gateway's routes have in its proxies. They are generated and compared, never taken apart."""

    by_prefix: Mapping[str, tuple[ObjectKey, ...]]
    """Routes by stat prefix; several when a template does not tell them apart."""
    hosts: Mapping[str, str]
    """Hostname and listeners by name of the virtual host: `shop.test on https`."""
    hidden: tuple[tuple[ObjectKey, str], ...]
    """Routes without counters of their own, and why, with what would give them some."""


_NAMES: ByIdentity[GatewayKey, RouteNames] = ByIdentity(most=50)


def route_names(view: ClusterView, node: GatewayNode) -> RouteNames:
    """Generate the names of a Gateway's routes; made anew only when the cluster's objects changed."""
    return _NAMES.get(node.key, (view.objects, node), lambda: _generated(view, node))


def routes(scene: Scene, key: ProxyKey, cells: int, *, pattern: str = "") -> Page:
    """One row per exposed route of a virtual host, those that err first; then what is not exposed."""
    found = subject(scene, key)
    if found.node is None or found.cluster is None:
        return table_page(
            _COLUMNS, (), cells, head=(note("no gateway we know claims this proxy: its routes have no names"),)
        )
    known = route_names(found.cluster, found.node)
    traffic = found.view.current.routes
    # By name within that: rows must not move under the cursor with every answer.
    order = sorted(traffic, key=lambda name: (_attention(traffic[name]), _owners(known, name[1]), name))
    shown = [name for name in order if not pattern or matches(pattern, " ".join((*name, _owners(known, name[1]))))]

    def exposed(name: tuple[str, str]) -> Callable[[], Row]:
        return lambda: _row(name, traffic[name], known)

    entries: list[Entry] = [(name, exposed(name)) for name in shown]
    hidden = [each for each in known.hidden if not pattern or matches(pattern, f"{each[0]} {each[1]}")]
    if hidden and entries:
        entries.append((None, lambda: BLANK))
    entries += [(route, _constant(_hidden_line(route, why))) for route, why in hidden]
    stories: dict[Hashable, Line] = {name: _story(name, traffic[name], known) for name in shown}
    stories.update({route: _hidden_line(route, why) for route, why in hidden})
    head = [] if traffic or not found.view.is_answering else [note("the proxy counts no route apart")]
    return table_page(_COLUMNS, entries, cells, head=head, story_of=lambda name: stories.get(name, BLANK))


def _constant(made: Line) -> Callable[[], Line]:
    return lambda: made


def _generated(view: ClusterView, node: GatewayNode) -> RouteNames:
    # Typed objects need the decoders' library, which is not there before the first frame.
    from gwtui.model.exposure import Exposure  # noqa: PLC0415
    from gwtui.model.gateway_api import GrpcRoute, HttpRoute  # noqa: PLC0415
    from gwtui.model.relations.inventory import Inventory  # noqa: PLC0415

    inventory = Inventory(view.name, view.objects, view.scopes)
    exposure = Exposure(inventory)
    by_prefix: dict[str, list[ObjectKey]] = {}
    hidden: list[tuple[ObjectKey, str]] = []
    hosts: set[str] = {"", *node.hostnames}
    for route in node.routes:
        found = inventory.of(route.resource).get((route.namespace, route.name))
        prefixes = exposure.prefixes(route)
        for prefix in prefixes or ():
            by_prefix.setdefault(prefix, []).append(route)
        if isinstance(found, HttpRoute | GrpcRoute):
            hosts.update(found.spec.hostnames)
            if prefixes is None:
                is_read = inventory.was_read_in(TRAFFIC_POLICIES, route.namespace)
                hidden.append((route, _remedy(route) if is_read else exposure.why_not(route).reason))
        elif found is not None:
            hidden.append((route, "not exposed: Envoy counts requests per route for HTTPRoute and GRPCRoute alone"))
        else:
            hidden.append((route, "may be exposed: the route itself could not be read"))
    configs: dict[str, list[str]] = {}
    for name, port, _ in node.listeners:
        configs.setdefault(names.listener(port), []).append(name)
        configs.setdefault(name, []).append(name)
    return RouteNames(
        by_prefix={prefix: tuple(found) for prefix, found in by_prefix.items()},
        hosts={
            names.virtual_host(config, host): f"{host or names.ANY_HOST} on {', '.join(served)}"
            for config, served in configs.items()
            for host in hosts
        },
        hidden=tuple(hidden),
    )


def _remedy(route: ObjectKey) -> str:
    return f"not exposed: set statPrefix by a TrafficPolicy on {route.namespace}/{route.name}"


def _row(name: tuple[str, str], traffic: RouteTraffic, known: RouteNames) -> Row:
    virtual_host, prefix = name
    owners = _owners(known, prefix)
    return Row(
        (
            line(Span(owners, Role.STRONG)) if owners else line(prefix, Span(" ?", Role.UNKNOWN)),
            line(known.hosts.get(virtual_host, virtual_host)),
            _figure(traffic.rps, text.rate),
            _figure(traffic.client_error_ratio, text.ratio),
            line(judge.error_span(traffic.error_ratio)),
            _figure(traffic.p50_ms, text.ms),
            _figure(traffic.p99_ms, text.ms),
        )
    )


def _story(name: tuple[str, str], traffic: RouteTraffic, known: RouteNames) -> Line:
    virtual_host, prefix = name
    owners = _owners(known, prefix)
    parts = [
        line(Span(owners or "a route we do not know", Role.STRONG)),
        note(f"vhost.{virtual_host}.route.{prefix}.*"),
        note(f"latency: {traffic.p99_ms.reason}") if isinstance(traffic.p99_ms, Unknown) else BLANK,
    ]
    return joined(parts, " · ")


def _owners(known: RouteNames, prefix: str) -> str:
    return ", ".join(f"{route.namespace}/{route.name}" for route in known.by_prefix.get(prefix, ()))


def _hidden_line(route: ObjectKey, why: str) -> Line:
    name = f"{text.UNKNOWN_GLYPH} {route.namespace}/{route.name}"
    return line(Span(name, Role.UNKNOWN), Span(f" {why}", Role.DIM))


def _figure(rate: Rate, words: Callable[[float], str]) -> Line:
    return line(words(rate.value)) if isinstance(rate, Known) else line(Span(text.UNKNOWN, Role.UNKNOWN))


def _attention(traffic: RouteTraffic) -> int:
    return {Role.BAD: 0, Role.WARN: 1}.get(judge.error_role(traffic.error_ratio), 2)
