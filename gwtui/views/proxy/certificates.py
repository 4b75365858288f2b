"""The certificates a proxy holds in memory, the first to end on top."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from gwtui.model.ids import ProxyKey
from gwtui.model.inspection import Certificate
from gwtui.model.known import Known
from gwtui.views import text
from gwtui.views.expiry import expiry
from gwtui.views.matching import matches
from gwtui.views.proxy.page import Page, note, table_page
from gwtui.views.proxy.reading import Reading, told
from gwtui.views.proxy.subject import subject
from gwtui.views.scene import Scene
from gwtui.views.spans import BLANK, Line, Role, Span, joined, line
from gwtui.views.tables import Column, Row

_COLUMNS = (
    Column(id="names", title="NAMES", cells=40, least=20),
    Column(id="left", title="ENDS", cells=31),
    Column(id="from", title="VALID FROM", cells=10, rank=2),
    Column(id="to", title="TO", cells=10),
    Column(id="serial", title="SERIAL", cells=20, least=12, middle=True),
    Column(id="path", title="FROM", cells=22, least=10, middle=True, rank=1),
)


def certificates(
    scene: Scene, key: ProxyKey, reading: Reading[tuple[Certificate, ...]], cells: int, *, pattern: str = ""
) -> Page:
    """One row per certificate."""
    inspection = subject(scene, key).view.inspection
    reading = reading.or_earlier(inspection.certificates if inspection else None)
    held = reading.last.value if isinstance(reading.last, Known) else ()
    order = sorted(
        enumerate(held), key=lambda pair: (pair[1].expires_at is None, pair[1].expires_at or scene.now, pair[0])
    )
    shown = [(at, one) for at, one in order if not pattern or matches(pattern, _haystack(one))]
    head = [*told(reading, "the certificates", scene.now)]
    if isinstance(reading.last, Known) and not held:
        head.append(note("the proxy holds no certificate: no listener ends TLS here"))

    def make(one: Certificate) -> Callable[[], Row]:
        return lambda: _row(one, scene.now)

    return table_page(
        _COLUMNS,
        [(at, make(one)) for at, one in shown],
        cells,
        head=head,
        story_of=lambda at: _story(held[at]) if isinstance(at, int) and at < len(held) else BLANK,
    )


def _row(one: Certificate, now: datetime) -> Row:
    authority = Span(" CA", Role.DIM) if one.is_authority else ""
    return Row(
        (
            line(Span(_names(one), Role.STRONG), authority),
            _left(one, now),
            line(_date(one.valid_from)),
            line(_date(one.expires_at)),
            line(Span(one.serial or text.UNKNOWN, Role.DIM)),
            line(Span(one.path, Role.DIM)),
        )
    )


def _left(one: Certificate, now: datetime) -> Line:
    if one.valid_from is not None and one.valid_from > now:
        return line(Span(f"{text.FAILING_GLYPH} not valid before {_date(one.valid_from)}", Role.BAD))
    if one.expires_at is None:
        return line(Span(text.UNKNOWN, Role.UNKNOWN))
    found = expiry(one.expires_at, now)
    if found.is_expired:
        return line(Span(f"{text.FAILING_GLYPH} expired {text.age_of(one.expires_at, now)} ago", Role.BAD))
    mark = f" {text.RAISED}" if found.cell.text.endswith(text.RAISED) else ""
    return line(Span(f"{found.words}{mark}", found.cell.role))


def _story(one: Certificate) -> Line:
    parts = [
        line(Span(_names(one), Role.STRONG)),
        note(f"serial {one.serial}"),
        note(f"{_moment(one.valid_from)} to {_moment(one.expires_at)}"),
        note("came with the configuration" if one.path == "<inline>" else f"from {one.path}"),
    ]
    return joined(parts, " · ")


def _names(one: Certificate) -> str:
    return ", ".join(one.names) or ("an authority" if one.is_authority else "no names")


def _date(moment: datetime | None) -> str:
    return text.UNKNOWN if moment is None else f"{moment:%Y-%m-%d}"


def _moment(moment: datetime | None) -> str:
    return "?" if moment is None else f"{moment:%Y-%m-%d %H:%M} UTC"


def _haystack(one: Certificate) -> str:
    return " ".join((*one.names, one.serial, one.path))
