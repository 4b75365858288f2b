"""Whether a request fits a match, and the first reason why it does not.

*Source:* `HTTPRouteMatch` of Gateway API 1.3 to 1.6, as kgateway 2.0 to 2.4 puts it into Envoy: prefixes end at a `/`,
expressions take the whole text, an empty value asks for the presence of a header or query parameter alone, and
the first of several query parameters of one name counts.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from gwtui.explain.expressions import full_match, is_readable
from gwtui.explain.matching import EXACT, REGEX, literal_head
from gwtui.explain.request import Request
from gwtui.model.gateway_api import HttpMatch, PathMatch, ValueMatch

SET_ON_THE_WAY = frozenset(
    {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-port", "x-request-id", "via"}
)
"""Headers that proxies write themselves; so are those that begin with `x-envoy-`."""

_SHOWN = 60
"""Letters of a text that a reason repeats."""


class Part(IntEnum):
    """What a match looks at, in the order in which it is told."""

    PATH = 0
    METHOD = 1
    HEADER = 2
    QUERY = 3


class Unfit(NamedTuple):
    """Where a match and a request part."""

    part: Part
    position: int
    """Among the headers or query parameters of the match."""
    is_certain: bool
    """False where it cannot be told whether they part: everything before fits, everything after is not looked at."""


_BY_PATH = Unfit(Part.PATH, 0, is_certain=True)
_BY_METHOD = Unfit(Part.METHOD, 0, is_certain=True)


def unfit(match: HttpMatch, request: Request) -> Unfit | None:
    """Return where a request does not fit a match; None where it fits.

    What is certain counts before what cannot be told: a request whose method is another does not fit, whatever an
    expression would say of its path.
    """
    path = _takes_path(match.path, request.path)
    if path is False:
        return _BY_PATH
    if match.method and match.method != request.method:
        return _BY_METHOD
    doubt = None if path else Unfit(Part.PATH, 0, is_certain=False)
    for position, header in enumerate(match.headers):
        found = _takes_header(match.headers, position, header, request)
        if found is False:
            return Unfit(Part.HEADER, position, is_certain=True)
        if found is None and doubt is None:
            doubt = Unfit(Part.HEADER, position, is_certain=False)
    for position, parameter in enumerate(match.query_params):
        found = _takes_value(parameter, request.parameter(parameter.name))
        if found is False:
            return Unfit(Part.QUERY, position, is_certain=True)
        if found is None and doubt is None:
            doubt = Unfit(Part.QUERY, position, is_certain=False)
    return doubt


def why_not(match: HttpMatch, request: Request, found: Unfit) -> str:
    """Return in words why a request does not fit a match, or why that cannot be told."""
    match found.part:
        case Part.PATH:
            if not found.is_certain:
                return f"whether {_cut(request.path)} fits the expression {_cut(match.path.value)} cannot be told"
            return f"path {_cut(request.path)} {_path_words(match.path)}"
        case Part.METHOD:
            return f"method {request.method} is not {match.method}"
        case Part.HEADER:
            wanted = match.headers[found.position]
            return _value_words("header", wanted, request.header(wanted.name), is_certain=found.is_certain)
        case Part.QUERY:
            wanted = match.query_params[found.position]
            return _value_words("query parameter", wanted, request.parameter(wanted.name), is_certain=found.is_certain)


def is_below(prefix: str, path: str) -> bool:
    """Return whether a path is a prefix itself or lies below it; `/foobar` does not lie below `/foo`."""
    plain = prefix.rstrip("/")
    return not plain or path == plain or path.startswith(f"{plain}/")


def is_set_on_the_way(name: str) -> bool:
    """Return whether proxies write a header themselves, so that what a client sends does not tell its value."""
    plain = name.lower()
    return plain in SET_ON_THE_WAY or plain.startswith("x-envoy-")


def _takes_path(wanted: PathMatch, path: str) -> bool | None:
    if wanted.type == EXACT:
        return path == wanted.value
    if wanted.type == REGEX:
        if not path.startswith(literal_head(wanted.value)):
            return False if is_readable(wanted.value) else None
        return full_match(wanted.value, path)
    return is_below(wanted.value, path)


def _takes_header(headers: tuple[ValueMatch, ...], position: int, wanted: ValueMatch, request: Request) -> bool | None:
    name = wanted.name.lower()
    values = request.values(name)
    if not values:
        return None if is_set_on_the_way(name) else False
    found = _takes_value(wanted, ",".join(values))
    if len(values) > 1 and found is not any(_takes_value(wanted, each) for each in values):
        # Envoy compares the joined values up to 1.38, one by one after that.
        return None
    if found is False and any(each.name.lower() == name for each in headers[:position]):
        # By the specification the first match of a name counts alone; a proxy may ask for all of them.
        return None
    return found


def _takes_value(wanted: ValueMatch, value: str | None) -> bool | None:
    if value is None:
        return False
    if not wanted.value:
        return True
    return full_match(wanted.value, value) if wanted.type == REGEX else value == wanted.value


def _path_words(wanted: PathMatch) -> str:
    if wanted.type == EXACT:
        return f"is not exactly {wanted.value}"
    return f"does not fit ~ {wanted.value}" if wanted.type == REGEX else f"is not below {wanted.value}"


def _value_words(what: str, wanted: ValueMatch, value: str | None, *, is_certain: bool) -> str:
    if not is_certain:
        if value is None:
            return f"{what} {wanted.name} is written by proxies on the way: its value cannot be told"
        return f"whether {what} {wanted.name} fits {_cut(wanted.value)} cannot be told"
    if value is None:
        return f"{what} {wanted.name} is missing"
    sign = "does not fit ~" if wanted.type == REGEX else "is not"
    return f"{what} {wanted.name} {sign} {_cut(wanted.value)}"


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
