"""The listeners of a proxy: where they listen, whose they are, and what came in."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from gwtui.model import names
from gwtui.model.ids import ProxyKey
from gwtui.model.inspection import BoundListener
from gwtui.model.known import Known
from gwtui.model.shape import GatewayNode
from gwtui.model.traffic import ListenerTraffic, Rate
from gwtui.views import judge, text
from gwtui.views.matching import matches
from gwtui.views.proxy.page import Page, note, table_page
from gwtui.views.proxy.reading import Reading, told
from gwtui.views.proxy.subject import subject
from gwtui.views.scene import Scene
from gwtui.views.spans import Line, Role, Span, joined, line
from gwtui.views.tables import Column, Row

_COLUMNS = (
    Column(id="name", title="LISTENER", cells=24, least=14, middle=True),
    Column(id="address", title="BINDS", cells=16, least=10, middle=True),
    Column(id="gateway", title="OF THE GATEWAY", cells=36, least=16),
    Column(id="rps", title="RPS", cells=7, right=True),
    Column(id="client", title="4XX", cells=7, right=True),
    Column(id="err", title="5XX", cells=8, right=True),
)


class ListenerRow(NamedTuple):
    """One listener as far as it is known."""

    name: str
    """Empty for one that only its statistics tell of."""
    address: str
    """Empty for one that the proxy does not have."""
    declared: tuple[tuple[str, int, str], ...]
    """The listeners of the Gateway it serves: (name, port, protocol)."""
    traffic: ListenerTraffic | None
    """None where the proxy counts nothing for it."""


def stat_address(address: str) -> str:
    """How statistics write the address of a listener: `0.0.0.0_8080`, `[__]_8080` for `[::]:8080`.

    *Source:* Envoy replaces every `:` in the names of statistics.
    """
    return address.replace(":", "_")


def joined_listeners(
    bound: tuple[BoundListener, ...] | None, node: GatewayNode | None, counted: dict[str, ListenerTraffic]
) -> tuple[ListenerRow, ...]:
    """Join what listens, what the Gateway wants, and what is counted.

    Args:
        bound: The listeners of the proxy; None while they are not known.
        node: The Gateway; None when the proxy belongs to none.
        counted: Traffic by address as statistics write it.

    Returns:
        The listeners in the order of the proxy; then those counted but not listed; then, when it is known what
        listens, the ports that the Gateway wants and the proxy does not have.
    """
    wanted: dict[str, list[tuple[str, int, str]]] = {}
    for declared in node.listeners if node is not None else ():
        wanted.setdefault(names.listener(declared[1]), []).append(declared)
    rows = [
        ListenerRow(each.name, each.address, tuple(wanted.get(each.name, ())), counted.get(stat_address(each.address)))
        for each in bound or ()
    ]
    listed = {stat_address(each.address) for each in bound or ()}
    rows += [ListenerRow("", address, (), each) for address, each in sorted(counted.items()) if address not in listed]
    if bound is not None:
        there = {each.name for each in bound}
        rows += [ListenerRow(name, "", tuple(each), None) for name, each in wanted.items() if name not in there]
    return tuple(rows)


def listeners(
    scene: Scene, key: ProxyKey, reading: Reading[tuple[BoundListener, ...]], cells: int, *, pattern: str = ""
) -> Page:
    """One row per listener; what is missing is a row as well."""
    found = subject(scene, key)
    inspection = found.view.inspection
    reading = reading.or_earlier(inspection.listeners if inspection else None)
    bound = reading.last.value if isinstance(reading.last, Known) else None
    rows = joined_listeners(bound, found.node, dict(found.view.current.listeners))
    shown = [row for row in rows if not pattern or matches(pattern, _haystack(row))]
    head = [*told(reading, "the listeners", scene.now)]
    if not rows and bound is not None:
        head.append(note("the proxy has no listener"))

    def make(row: ListenerRow) -> Callable[[], Row]:
        return lambda: _row(row)

    stories = {_identity(row): _story(row) for row in shown}
    entries = [(_identity(row), make(row)) for row in shown]
    return table_page(_COLUMNS, entries, cells, head=head, story_of=lambda name: stories.get(str(name), ()))


def _row(row: ListenerRow) -> Row:
    declared = ", ".join(f"{name} {port}/{protocol}" for name, port, protocol in row.declared)
    name = line(Span(row.name, Role.STRONG)) if row.name else line(Span("not listed", Role.DIM))
    if not row.address:
        missing = line(Span(f"{text.FAILING_GLYPH} not in the proxy: {declared}", Role.BAD))
        return Row((name, (), (), (), (), ()), missing, "address")
    traffic = row.traffic
    return Row(
        (
            name,
            line(row.address),
            line(declared) if declared else line(Span("no", Role.DIM)),
            _rate(traffic.rps if traffic else None),
            line(text.figure(traffic.client_error_ratio, text.ratio) if traffic else text.UNKNOWN),
            line(judge.error_span(traffic.error_ratio)) if traffic else line(Span(text.UNKNOWN, Role.UNKNOWN)),
        )
    )


def _rate(rate: Rate | None) -> Line:
    if not isinstance(rate, Known):
        return line(Span(text.UNKNOWN, Role.UNKNOWN))
    return line(text.rate(rate.value))


def _story(row: ListenerRow) -> Line:
    parts = [line(Span(row.name or row.address, Role.STRONG))]
    if row.address:
        parts.append(note(f"statistics: listener.{stat_address(row.address)}.http.http.*"))
    if row.address and row.traffic is None:
        parts.append(note("no HTTP answer is counted for it: it carries none, or only TCP"))
    return joined(parts, " · ")


def _identity(row: ListenerRow) -> str:
    return row.name or row.address


def _haystack(row: ListenerRow) -> str:
    return " ".join((row.name, row.address, *(f"{name} {port} {protocol}" for name, port, protocol in row.declared)))
