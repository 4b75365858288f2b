"""Whether a header, a query parameter or a text is what a matcher asks for.

*Source:* `envoy.type.matcher.v3.StringMatcher`, `envoy.config.route.v3.HeaderMatcher`, `QueryParameterMatcher`. Envoy
from 1.39 on compares each value of a header that comes several times, and one that fits is enough; before that, all of
them joined by commas.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from gwtui.explain.expressions import full_match
from gwtui.explain.loaded.answers import Body, CannotTell, every
from gwtui.explain.loaded.seen import TOUCHED_PREFIX, Seen

REDACTED = "[redacted]"
"""Stands in place of credentials in bodies of configuration."""

_ELLIPSIS = "…"
"""In values that a request does not spell out."""

_HEADER_MEMBERS = frozenset({"name", "invert_match", "treat_missing_header_as_empty"})
_TEXT_KINDS = ("exact", "prefix", "suffix", "contains", "safe_regex")
_INTEGER = re.compile(r"\s*[+-]?\d+\s*", re.ASCII)
_LONGEST_INTEGER = 40
_INT64 = 1 << 63

_Verdict = bool | CannotTell


def takes_text(matcher: Body, text: str) -> _Verdict:
    """Whether a StringMatcher takes a text."""
    kind = next((each for each in _TEXT_KINDS if each in matcher), "")
    if not kind or not matcher.keys() <= {kind, "ignore_case"}:
        return CannotTell(f"of comparing texts by {_names(matcher)} nothing is known here")
    wanted = matcher[kind]
    if kind == "safe_regex":
        return takes_expression(wanted, text)
    if REDACTED in wanted:
        return CannotTell("what it is compared with is a credential, which is not shown")
    if _ELLIPSIS in text:
        return CannotTell("it is compared with a value that the request does not spell out")
    if matcher.get("ignore_case"):
        wanted, text = wanted.lower(), text.lower()
    compare: Mapping[str, Callable[[], bool]] = {
        "exact": lambda: text == wanted,
        "prefix": lambda: text.startswith(wanted),
        "suffix": lambda: text.endswith(wanted),
        "contains": lambda: wanted in text,
    }
    return compare[kind]()


def takes_expression(matcher: Body, text: str) -> _Verdict:
    """Whether a RegexMatcher takes a text as a whole."""
    expression = matcher.get("regex", "")
    if REDACTED in expression:
        return CannotTell("what it is compared with is a credential, which is not shown")
    found = full_match(expression, text)
    return CannotTell(f"the expression {expression} is not one that is read here") if found is None else found


def takes_header(matcher: Body, seen: Seen, *, is_joined: bool | None) -> _Verdict:
    """Whether a HeaderMatcher takes a request.

    Args:
        matcher: One of `match.headers`.
        seen: The request.
        is_joined: Whether several values are compared as one text; None when it is not known.
    """
    name = matcher.get("name", "").lower()
    values = _values(name, seen)
    if isinstance(values, CannotTell):
        return values
    if not values and matcher.get("treat_missing_header_as_empty"):
        values = ("",)
    if len(values) < 2 or is_joined is False:
        return _takes_values(matcher, values)
    joined = _takes_values(matcher, (",".join(values),))
    if is_joined is True:
        return joined
    single = _takes_values(matcher, values)
    if single == joined:
        return joined
    return CannotTell(f"it depends on the version of the proxy how it compares several values of {name}")


def takes_parameter(matcher: Body, seen: Seen) -> _Verdict:
    """Whether a QueryParameterMatcher takes a request: the first value counts, as it was sent."""
    name = matcher.get("name", "")
    value = next((value for each, value in seen.query if each == name), None)
    if "present_match" in matcher:
        return (value is not None) == bool(matcher["present_match"])
    if value is None:
        return False
    if "string_match" in matcher:
        return takes_text(matcher["string_match"], value)
    return matcher.keys() <= {"name"} or CannotTell(f"of query parameters by {_names(matcher)} nothing is known here")


def _values(name: str, seen: Seen) -> tuple[str, ...] | CannotTell:
    pseudo = {
        ":method": seen.method, ":authority": seen.authority, "host": seen.authority, ":path": seen.target,
        ":scheme": seen.scheme,
    }  # fmt: skip
    if name.startswith(":") or name in pseudo:
        value = pseudo.get(name)
        return (value,) if value else CannotTell(f"which {name} the proxy sees is not known")
    if name in seen.touched or name.startswith(TOUCHED_PREFIX):
        return CannotTell(f"the proxy itself sets or removes {name}")
    return seen.headers.get(name, ())


def _takes_values(matcher: Body, values: tuple[str, ...]) -> _Verdict:
    is_inverted = bool(matcher.get("invert_match"))
    kinds = matcher.keys() - _HEADER_MEMBERS
    if not kinds or kinds == {"present_match"}:
        return (bool(values) == bool(matcher.get("present_match", True))) != is_inverted
    if not values:
        return False
    kind = next(iter(kinds))
    if len(kinds) > 1:
        return CannotTell(f"of comparing headers by {_names(matcher)} nothing is known here")
    # One value that fits is enough: none fits means that each of them does not.
    misses = every(*(_negated(_takes_value(kind, matcher[kind], value)) for value in values))
    return misses if is_inverted else _negated(misses)


def _takes_value(kind: str, wanted: Any, value: str) -> _Verdict:
    match kind:
        case "string_match":
            return takes_text(wanted, value)
        case "exact_match" | "prefix_match" | "suffix_match" | "contains_match":
            return takes_text({kind.removesuffix("_match"): wanted}, value)
        case "safe_regex_match":
            return takes_expression(wanted, value)
        case "range_match":
            return _is_between(wanted, value)
        case _:
            return CannotTell(f"of comparing headers by {kind} nothing is known here")


def _is_between(wanted: Body, value: str) -> _Verdict:
    """Whether a number is at least the start and below the end. 64-bit numbers are texts, 0 is left out."""
    try:
        start, end = int(wanted.get("start", 0)), int(wanted.get("end", 0))
    except ValueError:
        return CannotTell("what it is compared with is a credential, which is not shown")
    if len(value) > _LONGEST_INTEGER or not _INTEGER.fullmatch(value):
        return False
    number = int(value)
    return -_INT64 <= number < _INT64 and start <= number < end


def _negated(verdict: _Verdict) -> _Verdict:
    return verdict if isinstance(verdict, CannotTell) else not verdict


def _names(matcher: Body) -> str:
    return ", ".join(sorted(map(str, matcher))) or "nothing"
