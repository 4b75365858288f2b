"""Raw statistics by a pattern that the proxy itself applies: what nobody asks for is never sent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from gwtui.model.inspection import Statistic
from gwtui.model.known import Known
from gwtui.views import text
from gwtui.views.proxy.page import Page, note, table_page, text_page
from gwtui.views.proxy.reading import Reading, told
from gwtui.views.spans import BLANK, Line, Role, Span, joined, line
from gwtui.views.tables import Column, Row

_COLUMNS = (
    Column(id="value", title="VALUE", cells=20, least=12, right=True),
    Column(id="name", title="NAME", cells=200, least=40, middle=True),
)

EXAMPLES = (
    ("downstream_cx", "connections of clients"),
    (r"^cluster\..*upstream_cx_connect_fail", "connect failures of every upstream"),
    (r"circuit_breakers\.default\..*_open", "which circuit breakers are open"),
    (r"update_(rejected|failure)", "refused and failed configuration updates"),
    (r"^server\.", "the process itself"),
)


def statistics(reading: Reading[tuple[Statistic, ...]], pattern: str, asked: str, cells: int, now: datetime) -> Page:
    """One row per statistic whose name matches.

    Args:
        reading: What the proxy answered to `asked`.
        pattern: What is typed; it is asked for once typing pauses.
        asked: The pattern the answer belongs to; empty when nothing was asked for.
        cells: Width.
        now: The moment ages are counted from.
    """
    if not pattern:
        return text_page(_invitation())
    is_behind = pattern != asked
    if not asked:
        return text_page((note(f"asked once typing pauses: {pattern}"),))
    head = [*told(reading, "the statistics", now)]
    if isinstance(reading.last, Known):
        found = reading.last.value
        words = f"{text.plural(len(found), 'statistic')} {'matches' if len(found) == 1 else 'match'} {asked}"
        behind = Span("  typing …", Role.ACCENT) if is_behind else ""
        head.append(line(Span(words, Role.STRONG), Span("  used ones alone, read every 2 s", Role.DIM), behind))
    held = reading.last.value if isinstance(reading.last, Known) else ()

    def make(one: Statistic) -> Callable[[], Row | Line]:
        return lambda: _row(one)

    by_name = {one.name: one for one in held}
    entries = [(one.name, make(one)) for one in held]
    return table_page(
        _COLUMNS,
        entries,
        cells,
        head=head,
        story_of=lambda name: _story(by_name[str(name)]) if str(name) in by_name else BLANK,
    )


def _row(one: Statistic) -> Row | Line:
    if one.value is None:
        quantiles = Span(f"  {one.detail or 'nothing recorded'}")
        return (Span("histogram".rjust(20), Role.DIM), Span(" "), Span(one.name, Role.STRONG), quantiles)
    value = f"{one.value:,}" if isinstance(one.value, int) else one.value
    return Row((line(Span(value, Role.STRONG)), line(one.name)))


def _story(one: Statistic) -> Line:
    value = one.detail if one.value is None else str(one.value)
    return joined([line(Span(one.name, Role.STRONG)), note(value)], " · ")


def _invitation() -> tuple[Line, ...]:
    return (
        line(Span("/", Role.KEY), " and a pattern: the proxy sends what matches it, and nothing else"),
        note("RE2, anywhere in the name; nothing is asked for without a pattern"),
        BLANK,
        *(line(Span(f"  {pattern:<42}", Role.ACCENT), Span(meaning, Role.DIM)) for pattern, meaning in EXAMPLES),
    )
