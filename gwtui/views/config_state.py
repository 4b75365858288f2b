"""What a proxy holds, in a few cells: its configuration as one short digest, and its version."""

from __future__ import annotations

from datetime import datetime

from gwtui.model.ids import ProxyKey
from gwtui.model.inspection import Inspection, config_digest
from gwtui.model.known import Known, Unknown
from gwtui.model.snapshot import ProxyView
from gwtui.views import text
from gwtui.views.refusals import refused_kinds, refused_since
from gwtui.views.remembered import ByIdentity
from gwtui.views.spans import Line, Role, Span, line

SHORT = 4
"""Hexadecimal digits of a digest that are shown where it only has to be told from its siblings'."""

NOT_INSPECTED = "not inspected yet"

_DIGESTS: ByIdentity[ProxyKey, str] = ByIdentity()


def digest(view: ProxyView) -> Known[str] | Unknown:
    """One short digest (hexadecimal) of all of a proxy's configuration: equal where everything is equal."""
    inspection = view.inspection
    if inspection is None:
        return Unknown(NOT_INSPECTED)
    config = inspection.config
    if isinstance(config, Unknown):
        return config
    return Known(_DIGESTS.get(view.key, (inspection,), lambda: config_digest(config.value)), inspection.taken_at)


def cell(view: ProxyView, now: datetime) -> Line:
    """`● a41f 2 s`, `✖ rds 9m` (it refuses routes, for so long), or `○` and why it is not known."""
    if kinds := refused_kinds(view):
        since = refused_since(view)
        age = f" {text.age_of(since, now).replace(' min', 'm').replace(' ', '')}" if since else ""
        return line(Span(f"{text.FAILING_GLYPH} {kinds}{age}", Role.BAD))
    found = digest(view)
    if isinstance(found, Unknown):
        return line(Span(f"{text.UNKNOWN_GLYPH} {found.reason}", Role.UNKNOWN))
    return line(
        Span(text.OK_GLYPH, Role.OK),
        f" {found.value[:SHORT]}",
        Span(f" {text.age_of(found.observed_at, now)}", Role.DIM),
    )


def version_cell(view: ProxyView) -> Line:
    """The version of the proxy's build, or `–`."""
    found = version(view.inspection)
    return line(found.value) if isinstance(found, Known) else line(Span(text.UNKNOWN, Role.UNKNOWN))


def version(inspection: Inspection | None) -> Known[str] | Unknown:
    """The version of the proxy's build."""
    if inspection is None:
        return Unknown(NOT_INSPECTED)
    build = inspection.build
    return build if isinstance(build, Unknown) else Known(build.value.version, build.observed_at)
