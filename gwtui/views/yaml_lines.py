"""A YAML document as lines: keys stand out from values."""

from __future__ import annotations

import re

from gwtui.views.spans import BLANK, Line, Role, Span, line

_ENTRY = re.compile(r"^(\s*(?:- )*)([^\s:#'\"][^:]*:)(\s.*)?$")


def yaml_lines(document: str) -> tuple[Line, ...]:
    """The lines of a document in block style, as written."""
    return tuple(_line(text) for text in document.rstrip("\n").split("\n"))


def _line(text: str) -> Line:
    found = _ENTRY.match(text)
    if found is None:
        return line(Span(text, Role.DIM if text.lstrip().startswith("#") else Role.TEXT)) if text else BLANK
    indent, key, value = found.groups()
    return line(Span(indent, Role.DIM), Span(key, Role.ACCENT), value or "")
