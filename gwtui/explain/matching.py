"""Which requests two matches have in common. Regular expressions are compared as texts, never run."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from functools import lru_cache

from gwtui.model.gateway_api import GrpcMatch, HttpMatch, PathMatch, ValueMatch

EXACT, PREFIX, REGEX = "Exact", "PathPrefix", "RegularExpression"

_EVERY_PATH = frozenset({".*", "/.*", "^.*$", "^/.*$"})
_SPECIAL = frozenset("\\.[](){}*+?^$|")


class Overlap(IntEnum):
    """Whether some request fits both of two matches."""

    NONE = 0
    POSSIBLE = 1
    """A regular expression decides."""
    CERTAIN = 2


def as_http(match: GrpcMatch) -> HttpMatch:
    """Return the HTTP match a gRPC match comes to: the path of a call is `/<service>/<method>`."""
    wanted = match.method
    if wanted is None or not (wanted.service or wanted.method):
        return HttpMatch(headers=match.headers)
    if wanted.type == REGEX:
        path = PathMatch(type=REGEX, value=f"/{wanted.service or '[^/]+'}/{wanted.method or '[^/]+'}")
    elif not wanted.service:
        path = PathMatch(type=REGEX, value=f"/[^/]+/{wanted.method}")
    elif not wanted.method:
        path = PathMatch(value=f"/{wanted.service}/")
    else:
        path = PathMatch(type=EXACT, value=f"/{wanted.service}/{wanted.method}")
    return HttpMatch(path=path, headers=match.headers)


def covers(wide: HttpMatch, narrow: HttpMatch) -> bool:
    """Whether every request that fits `narrow` fits `wide` too. False where only running an expression could tell."""
    return (
        _covers_path(wide.path, narrow.path)
        and wide.method in {"", narrow.method}
        and _headers(wide) <= _headers(narrow)
        and set(wide.query_params) <= set(narrow.query_params)
    )


def overlap(one: HttpMatch, other: HttpMatch) -> Overlap:
    """Return whether some request fits both matches."""
    if one.method and other.method and one.method != other.method:
        return Overlap.NONE
    return min(
        _overlap_of_paths(one.path, other.path),
        _overlap_of_values(_headers(one), _headers(other)),
        _overlap_of_values(one.query_params, other.query_params),
    )


def words_of(match: HttpMatch) -> str:
    """Return a match in few words: `GET /cart + header x-canary`."""
    marks = {EXACT: "= ", PREFIX: "", REGEX: "~ "}
    parts = [f"{match.method} " if match.method else "", marks.get(match.path.type, ""), match.path.value]
    parts += [f" + header {each.name}" for each in match.headers]
    parts += [f" + query {each.name}" for each in match.query_params]
    return "".join(parts)


def _headers(match: HttpMatch) -> frozenset[ValueMatch]:
    """Header matches with their names in lower case: they are compared so."""
    return frozenset(ValueMatch(name=each.name.lower(), value=each.value, type=each.type) for each in match.headers)


def _covers_path(wide: PathMatch, narrow: PathMatch) -> bool:
    if wide.type == PREFIX:
        prefix = wide.value.rstrip("/")
        if not prefix:
            return True
        if narrow.type == REGEX:
            return literal_head(narrow.value).startswith(f"{prefix}/")
        return _is_below(prefix, narrow.value.rstrip("/") if narrow.type == PREFIX else narrow.value)
    if wide.type == REGEX:
        return wide.value in _EVERY_PATH or (narrow.type == REGEX and wide.value == narrow.value)
    return narrow.type == wide.type and narrow.value == wide.value


def _is_below(prefix: str, path: str) -> bool:
    """Whether a path is a prefix itself or lies below it; `/foobar` does not lie below `/foo`."""
    return path == prefix or path.startswith(f"{prefix}/")


def _overlap_of_paths(one: PathMatch, other: PathMatch) -> Overlap:
    if _covers_path(one, other) or _covers_path(other, one):
        return Overlap.CERTAIN
    if REGEX not in {one.type, other.type}:
        return Overlap.NONE
    first, second = _start(one), _start(other)
    if EXACT in {one.type, other.type}:
        path, head = (first, second) if one.type == EXACT else (second, first)
        return Overlap.POSSIBLE if path.startswith(head) else Overlap.NONE
    return Overlap.POSSIBLE if first.startswith(second) or second.startswith(first) else Overlap.NONE


def _start(path: PathMatch) -> str:
    """What every path starts with that fits; an exact one whole."""
    if path.type == REGEX:
        return literal_head(path.value)
    return path.value.rstrip("/") if path.type == PREFIX else path.value


def _overlap_of_values(these: Iterable[ValueMatch], those: Iterable[ValueMatch]) -> Overlap:
    """Of headers or query parameters: other names do not exclude each other, other values of one name do."""
    wanted: dict[str, list[ValueMatch]] = {}
    for each in these:
        wanted.setdefault(each.name, []).append(each)
    found = Overlap.CERTAIN
    for each in those:
        for other in wanted.get(each.name, ()):
            if each == other:
                continue
            if REGEX in {each.type, other.type}:
                found = Overlap.POSSIBLE
            else:
                return Overlap.NONE
    return found


@lru_cache(maxsize=16_384)
def literal_head(expression: str) -> str:
    """Return what every text starts with that fits an expression, as far as it is plain to see."""
    plain = expression.removeprefix("^")
    if "|" in plain:
        return ""
    end = next((index for index, letter in enumerate(plain) if letter in _SPECIAL), len(plain))
    if end < len(plain) and plain[end] in "*?{":
        end -= 1  # the letter before it may be absent
    return plain[: max(0, end)]
