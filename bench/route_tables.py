"""Random route configurations with every matcher of Envoy that is read, and requests that nearly fit them."""

from __future__ import annotations

import random
from typing import Any

from gwtui.explain.request import Request

Json = dict[str, Any]

_DOMAINS = (
    "a.test", "b.a.test", "A.test:8080", "*.a.test", "*.test", "*-x.a.test", "a.*", "b.a.*", "a-*", "*", "x.org",
)  # fmt: skip
_HOSTS = ("a.test", "b.a.test", "c.b.a.test", "q-x.a.test", "a.org", "b.a.org", "a-b", "x.org", "zz", "a.test.")
_PATHS = ("/", "/a", "/a/", "/a/b", "/ab", "/A/b", "/b", "/a/b/c", "/b;p/c", "/v1.0")
_EXPRESSIONS = ("/a(/.*)?", "/[a-b]+", "/(?i)a/b", ".*b.*", "/\\w/\\w", "/v\\d\\.\\d", "/a|/b")
_HEADERS = ("x-a", "x-b", "x-n", "content-type", ":method", ":authority", ":path", ":scheme", "host")
_TEXTS = ("a", "ab", "abc", "Ab", "b", "5", "-3", "12", "", "a,b", "GET", "a.test", "/a", "http", "application/grpc")
_PARAMETERS = ("p", "q")
_TEXT_KINDS = ("exact", "prefix", "suffix", "contains")
_METHODS = ("GET", "POST", "PUT", "HEAD")
PORT = 8080


def manager(seed: int) -> Json:
    """How a connection manager prepares requests."""
    dice = random.Random(seed)
    found = {
        name: True for name in ("normalize_path", "merge_slashes", "strip_trailing_host_dot") if dice.random() < 0.5
    }
    if port := dice.choice(("", "", "strip_any_host_port", "strip_matching_host_port")):
        found[port] = True
    return found | dice.choice(({}, {}, {"path_with_escaped_slashes_action": "UNESCAPE_AND_FORWARD"}))


def table(seed: int) -> Json:
    """One route configuration of 1 to 5 virtual hosts."""
    dice = random.Random(seed)
    domains = dice.sample(_DOMAINS, dice.randint(1, 7))
    hosts: list[list[str]] = [[] for _ in range(dice.randint(1, min(5, len(domains))))]
    for number, domain in enumerate(domains):
        hosts[number % len(hosts)].append(domain)
    members = ("ignore_port_in_host_matching", "ignore_path_parameters_in_path_matching")
    return {
        "name": f"t{seed}",
        "virtual_hosts": [
            {"name": f"v{number}", "domains": each, "routes": [_route(dice, at) for at in range(dice.randint(1, 8))]}
            for number, each in enumerate(hosts)
        ],
        **{each: True for each in members if dice.random() < 0.4},
    }


def requests(routes: Json, count: int, seed: int) -> list[Request]:
    """Requests of which each part may fit something of the table."""
    dice = random.Random(seed)
    matches = [route["match"] for host in routes["virtual_hosts"] for route in host["routes"]]
    return [_request(dice, dice.choice(matches)) for _ in range(count)]


def _route(dice: random.Random, number: int) -> Json:
    return {"name": f"r{number}", "match": _match(dice), "route": {"cluster": "nobody"}}


def _match(dice: random.Random) -> Json:
    kind = dice.choice(("prefix", "prefix", "path", "path_separated_prefix", "safe_regex", "connect_matcher"))
    found: Json
    if kind == "safe_regex":
        found = {kind: {"regex": dice.choice(_EXPRESSIONS)}}
    elif kind == "connect_matcher":
        found = {kind: {}}
    elif kind == "path_separated_prefix":
        found = {kind: dice.choice(_PATHS[1:]).rstrip("/")}
    else:
        found = {kind: dice.choice(_PATHS)}
    if dice.random() < 0.3:
        found["case_sensitive"] = False
    if headers := [_header(dice) for _ in range(dice.choice((0, 0, 1, 1, 2)))]:
        found["headers"] = headers
    if parameters := [_parameter(dice) for _ in range(dice.choice((0, 0, 0, 1)))]:
        found["query_parameters"] = parameters
    if dice.random() < 0.05:
        found["grpc"] = {}
    if dice.random() < 0.1:
        share = dice.choice((0, 100))
        found["runtime_fraction"] = {"default_value": {"numerator": share} if share else {}}
    return found


def _text(dice: random.Random) -> Json:
    if dice.random() < 0.25:
        return {"safe_regex": {"regex": dice.choice(("a.*", "[0-9]+", "(a|b)+", "a?", "\\d{1,2}", "A?b?c?"))}}
    kind = dice.choice(_TEXT_KINDS)
    wanted = dice.choice(_TEXTS)
    found: Json = {kind: wanted if kind == "exact" else wanted or "a"}
    return {**found, "ignore_case": True} if dice.random() < 0.3 else found


def _header(dice: random.Random) -> Json:
    found: Json = {"name": dice.choice(_HEADERS)}
    match dice.randrange(6):
        case 0:
            found["present_match"] = dice.random() < 0.7
        case 1:
            bounds = {"start": str(dice.choice((-5, 1))), "end": str(dice.choice((5, 12)))}
            found |= {"name": "x-n", "range_match": bounds}
        case 2 if dice.random() < 0.5:
            pass  # that it is there is enough
        case 3:
            found[dice.choice(("exact_match", "prefix_match", "suffix_match", "contains_match"))] = dice.choice(
                _TEXTS[:8]
            )
        case _:
            found["string_match"] = _text(dice)
    for member in ("invert_match", "treat_missing_header_as_empty"):
        if dice.random() < 0.2:
            found[member] = True
    return found


def _parameter(dice: random.Random) -> Json:
    found: Json = {"name": dice.choice(_PARAMETERS)}
    if dice.random() < 0.7:
        found["string_match"] = _text(dice)
    elif dice.random() < 0.7:
        found["present_match"] = dice.random() < 0.6
    return found


def _request(dice: random.Random, match: Json) -> Request:
    path = match.get("path") or match.get("prefix") or match.get("path_separated_prefix") or dice.choice(_PATHS)
    if dice.random() < 0.5:
        changed = (
            f"{path}/b",
            f"{path}b",
            path.swapcase(),
            f"/.{path}",
            f"/{path}",
            f"{path};x=1",
            f"{path}%2fb",
            "/a",
        )
        path = dice.choice(changed)
    headers = [
        (each["name"], _near(dice, each))
        for each in match.get("headers", ())
        if not each["name"].startswith(":") and each["name"] != "host" and dice.random() < 0.8
    ]
    if dice.random() < 0.2:
        headers.append((dice.choice(("x-a", "x-b", "x-n")), dice.choice(_TEXTS)))
    query = [(each["name"], _near(dice, each)) for each in match.get("query_parameters", ()) if dice.random() < 0.8]
    if dice.random() < 0.1:
        query.append((dice.choice(_PARAMETERS), dice.choice(_TEXTS[:9])))
    return Request(
        method=dice.choice(_METHODS[:2] if dice.random() < 0.8 else _METHODS),
        scheme="http",
        host=dice.choice(_HOSTS),
        port=dice.choice((None, None, 8080, 9090)),
        path=path,
        query=tuple((name, value.replace(" ", "+")) for name, value in query),
        headers=tuple(headers),
    )


def _near(dice: random.Random, wanted: Json) -> str:
    """A value that fits, or nearly."""
    if bounds := wanted.get("range_match"):
        return dice.choice((bounds["start"], bounds["end"], "3", "4", "+2", "x", str(int(bounds["end"]) - 1)))
    texts = [value for value in (wanted.get("string_match") or wanted).values() if isinstance(value, str)]
    value: str = texts[-1] if texts and dice.random() < 0.7 else dice.choice(_TEXTS)
    return dice.choice((value, value, f"{value}b", f"a{value}", value.swapcase(), value[1:]))
