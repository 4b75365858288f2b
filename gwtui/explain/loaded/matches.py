"""Whether a RouteMatch takes a request. *Source:* `envoy.config.route.v3.RouteMatch`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gwtui.explain.loaded.answers import Body, CannotTell, every
from gwtui.explain.loaded.seen import TOUCHED_PREFIX, Seen
from gwtui.explain.loaded.values import REDACTED, takes_expression, takes_header, takes_parameter

_KNOWN = frozenset(
    {
        "case_sensitive", "connect_matcher", "dynamic_metadata", "filter_state", "grpc", "headers", "path",
        "path_match_policy", "path_separated_prefix", "prefix", "query_parameters", "runtime_fraction", "safe_regex",
        "tls_context",
    }
)  # fmt: skip
_BEYOND_THE_REQUEST = {
    "dynamic_metadata": "it depends on what filters write down about the request",
    "filter_state": "it depends on what filters write down about the request",
    "tls_context": "it depends on the certificate of the client",
}
_DENOMINATORS = {"HUNDRED": 100, "TEN_THOUSAND": 10_000, "MILLION": 1_000_000}


def takes(match: Body, seen: Seen, *, path: str, is_joined: bool | None) -> bool | CannotTell:
    """Whether a match takes a request.

    Args:
        match: `match` of a route.
        seen: The request.
        path: Its path as paths are compared in this route configuration.
        is_joined: See `values.takes_header`.
    """
    by_path = _takes_path(match, path)
    if by_path is False:
        return False
    # What is certain decides alone, whatever else is asked.
    return every(
        by_path,
        *(takes_header(each, seen, is_joined=is_joined) for each in match.get("headers", ())),
        *(takes_parameter(each, seen) for each in match.get("query_parameters", ())),
        _takes_grpc(match, seen),
        _takes_chance(match),
        *(CannotTell(why) for member, why in _BEYOND_THE_REQUEST.items() if match.get(member)),
        *(CannotTell(f"of matching by {each} nothing is known here") for each in sorted(match.keys() - _KNOWN)),
    )


def overridable(match: Body) -> str:
    """Return the runtime key by which somebody may change how often a route takes requests; empty without one."""
    key = (match.get("runtime_fraction") or {}).get("runtime_key", "")
    return str(key)


def strangers(match: Body, touched: frozenset[str]) -> Iterator[str]:
    """Yield what another proxy with the same route could not decide in the same way, as sentences.

    Args:
        match: `match` of a route.
        touched: Headers that the proxy adds, changes or removes.
    """
    for member, why in _BEYOND_THE_REQUEST.items():
        if match.get(member):
            yield why
    if isinstance(_takes_chance(match), CannotTell):
        yield "it takes a part of the requests by chance"
    for each in match.get("headers", ()):
        name = each.get("name", "").lower()
        if name in touched or name.startswith(TOUCHED_PREFIX):
            yield f"it looks at {name}, which each proxy sets by itself"
    if _is_redacted([match.get("headers"), match.get("query_parameters")]):
        yield "it compares with a credential, which is not shown"


def _takes_path(match: Body, path: str) -> bool | CannotTell:
    if "safe_regex" in match:
        return takes_expression(match["safe_regex"], path)
    if "connect_matcher" in match:
        return False
    kind = next((each for each in ("prefix", "path", "path_separated_prefix") if each in match), "")
    if not kind:
        return CannotTell("it compares paths by a template")
    wanted: str = match[kind]
    if match.get("case_sensitive") is False:
        wanted, path = wanted.lower(), path.lower()
    if kind == "prefix":
        return path.startswith(wanted)
    return path == wanted or (kind == "path_separated_prefix" and path.startswith(f"{wanted}/"))


def _takes_grpc(match: Body, seen: Seen) -> bool:
    if "grpc" not in match:
        return True
    content_type = next(iter(seen.headers.get("content-type", ())), "")
    return content_type == "application/grpc" or content_type.startswith("application/grpc+")


def _takes_chance(match: Body) -> bool | CannotTell:
    if "runtime_fraction" not in match:
        return True
    fraction: Mapping[str, Any] = match["runtime_fraction"].get("default_value") or {}
    share = fraction.get("numerator", 0) / _DENOMINATORS.get(fraction.get("denominator", "HUNDRED"), 100)
    if share >= 1:
        return True
    return CannotTell(f"it takes {share:.4%} of the requests by chance") if share > 0 else False


def _is_redacted(body: Any) -> bool:
    if isinstance(body, str):
        return REDACTED in body
    if isinstance(body, Mapping):
        return any(map(_is_redacted, body.values()))
    return isinstance(body, list | tuple) and any(map(_is_redacted, body))
