"""Random Gateways with routes in each other's way, and requests that nearly fit them. Equal seeds make equal sets."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from gwtui.explain.request import Request

Json = dict[str, Any]

GA = "gateway.networking.k8s.io"
NAMESPACE, GATEWAY = "infra", "edge"
_PORTS = {8080: "HTTP", 9090: "HTTP", 8443: "HTTPS"}
CERTIFICATE = "edge-cert"
"""Secret of the HTTPS listeners."""
_HOSTS = ("a.test", "b.a.test", "c.b.a.test", "x.org", "ba.test")
_WILDCARDS = ("*.test", "*.a.test", "*.b.a.test", "*.org")
_DELEGATION, _DELEGATES = "delegation.kgateway.dev", 0.3
_AGES = ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z")
_PLAIN = ("/", "/a", "/a/", "/a/b", "/ab", "/a/b/c", "/A", "/b", "/a.b", "/a-b", "/v1/a", "/v1", "/a/b/", "/%61")
_EXPRESSIONS = (
    ("/a/[0-9]+", ("/a/1", "/a/42", "/a/x")),
    ("/(a|b)(/.*)?", ("/a", "/b/c", "/ab")),
    ("/a.*", ("/a", "/a/b", "/abc")),
    (".*", ("/", "/a", "/zzz")),
    ("/[^/]+/b", ("/a/b", "/x/b", "/a/c/b")),
    ("/(?i:v1)/\\w{1,3}", ("/V1/abc", "/v1/a", "/v1/abcd")),
    ("/v\\d+(/a)*?", ("/v1", "/v1/a/a", "/v")),
    ("^/a$", ("/a", "/a/")),
    ("/a/b", ("/a/b", "/a/b/c")),
)
_HEADERS = ("x-a", "X-B", "x-c", "version")
_VALUES = ("1", "2", "12", "one two")
_VALUE_EXPRESSIONS = (("[0-9]+", "7"), ("1|2", "2"), (".*", ""), ("o.*o", "one two"), ("(?i)ONE.*", "one two"))
_PARAMETERS = ("q", "r", "Q")
_METHODS = ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH")
_SERVICES, _CALLS = ("shop.Cart", "shop.Pay", "Cart"), ("Get", "Put", "GetAll")


@dataclass(frozen=True)
class RouteSet:
    """One Gateway with its routes, as manifests without status."""

    gateway: Json
    http: tuple[Json, ...]
    grpc: tuple[Json, ...]

    @property
    def ports(self) -> tuple[int, ...]:
        """Where it listens."""
        return tuple(sorted({each["port"] for each in self.gateway["spec"]["listeners"]}))


def route_set(seed: int) -> RouteSet:
    """One Gateway of 1 to 4 listeners with 1 to 7 routes."""
    dice = random.Random(seed)
    gateway = {
        "apiVersion": f"{GA}/v1",
        "kind": "Gateway",
        "metadata": {"name": GATEWAY, "namespace": NAMESPACE, "uid": "g", "generation": 1},
        "spec": {"gatewayClassName": "kgateway", "listeners": _listeners(dice)},
    }
    routes = [_route(dice, number, gateway) for number in range(dice.randint(1, 7))]
    if dice.random() < _DELEGATES:
        routes += _children(dice, [each for each in routes if each["kind"] == "HTTPRoute"])
    kinds = {kind: tuple(each for each in routes if each["kind"] == kind) for kind in ("HTTPRoute", "GRPCRoute")}
    return RouteSet(gateway, kinds["HTTPRoute"], kinds["GRPCRoute"])


def requests(routes: RouteSet, count: int, seed: int) -> list[Request]:
    """Requests, most of which fit a rule of the set but for a trifle."""
    dice = random.Random(seed)
    every = [(each, rule) for each in (*routes.http, *routes.grpc) for rule in each["spec"]["rules"]]
    return [_request(dice, routes, *dice.choice(every)) for _ in range(count)]


def _listeners(dice: random.Random) -> list[Json]:
    found: dict[tuple[int, str], Json] = {}
    for number in range(dice.randint(1, 4)):
        port = dice.choice(tuple(_PORTS))
        hostname = dice.choice(("", "", *_HOSTS[:3], *_WILDCARDS))
        listener = {
            "name": f"l{number}",
            "port": port,
            "protocol": _PORTS[port],
            "allowedRoutes": {"namespaces": {"from": dice.choice(("All", "All", "Same"))}},
        }
        if _PORTS[port] == "HTTPS":
            listener["tls"] = {"certificateRefs": [{"name": CERTIFICATE}]}
        found.setdefault((port, hostname), {**listener, **({"hostname": hostname} if hostname else {})})
    return list(found.values())


def _route(dice: random.Random, number: int, gateway: Json) -> Json:
    kind = dice.choice(("HTTPRoute", "HTTPRoute", "HTTPRoute", "GRPCRoute"))
    parent: Json = {"name": GATEWAY, "namespace": NAMESPACE}
    if gateway and dice.random() < 0.3:
        parent["sectionName"] = dice.choice(gateway["spec"]["listeners"])["name"]
    elif dice.random() < 0.1:
        parent["port"] = dice.choice(tuple(_PORTS))
    hostnames = dice.sample((*_HOSTS, *_WILDCARDS), dice.choice((0, 0, 1, 1, 2, 3)))
    match = _http_match if kind == "HTTPRoute" else _grpc_match
    rules = [{"matches": [match(dice) for _ in range(dice.randint(0, 4))]} for _ in range(dice.randint(1, 4))]
    return {
        "apiVersion": f"{GA}/v1",
        "kind": kind,
        "metadata": {
            "name": f"{dice.choice('klm')}{number}",
            "namespace": dice.choice((NAMESPACE, "shop")),
            "uid": f"r{number}",
            "generation": 1,
            "creationTimestamp": dice.choice(_AGES),
        },
        "spec": {"parentRefs": [parent], "rules": rules, **({"hostnames": hostnames} if hostnames else {})},
    }


def _children(dice: random.Random, parents: list[Json]) -> list[Json]:
    """Routes that others delegate to. Some of the rules of `parents` are changed into such that do."""
    found: list[Json] = []
    for number in range(dice.randint(1, 3) if parents else 0):
        parent = dice.choice((*parents, *found))
        prefix = dice.choice(("/", "/a", "/a/b", "/v1"))
        rule: Json = dice.choice(parent["spec"]["rules"])
        matches = [{"path": {"type": "PathPrefix", "value": prefix}}]
        if dice.random() < 0.3:
            matches[0] |= {each: value for each, value in _http_match(dice).items() if each != "path"}
        child = _child(dice, number, prefix, parent, matches[0])
        metadata = child["metadata"]
        by_label = {"group": _DELEGATION, "kind": "label", "name": "team", "namespace": metadata["namespace"]}
        by_name = {"group": GA, "kind": "HTTPRoute", "name": metadata["name"], "namespace": metadata["namespace"]}
        rule |= {
            "matches": matches,
            "backendRefs": [dice.choice((by_name, by_name, by_label, {**by_name, "name": "*"}))],
        }
        found.append(child)
    return found


def _child(dice: random.Random, number: int, prefix: str, parent: Json, above: Json) -> Json:
    child = _route(dice, number, {})
    child["kind"] = "HTTPRoute"
    metadata = child["metadata"]
    metadata |= {"name": f"child{number}", "uid": f"c{number}", "labels": {f"{_DELEGATION}/label": "team"}}
    if dice.random() < 0.3:
        metadata["annotations"] = {f"{_DELEGATION}/inherit-parent-matcher": "true"}
    ref = {"group": GA, "kind": "HTTPRoute"} | {key: parent["metadata"][key] for key in ("name", "namespace")}
    rules = [
        {"matches": [_below(dice, prefix, above) for _ in range(dice.randint(1, 3))]} for _ in range(dice.randint(1, 3))
    ]
    child["spec"] = {"rules": rules, **({"parentRefs": [ref]} if dice.random() < 0.3 else {})}
    return child


def _below(dice: random.Random, prefix: str, above: Json) -> Json:
    """A match that adds to what the route above matches, or nearly."""
    found = _http_match(dice)
    if dice.random() < 0.8:
        found["path"] = {
            "type": dice.choice(("Exact", "PathPrefix")),
            "value": "/" + (prefix.rstrip("/") + dice.choice(("/", "/b", "/b/c", "", "x"))).removeprefix("/"),
        }
    if dice.random() < 0.8:
        found |= {key: value for key, value in above.items() if key != "path"}
    return found


def _http_match(dice: random.Random) -> Json:
    found: Json = {}
    kind = dice.choice(("Exact", "PathPrefix", "PathPrefix", "RegularExpression", ""))
    if kind == "RegularExpression":
        found["path"] = {"type": kind, "value": dice.choice(_EXPRESSIONS)[0]}
    elif kind:
        found["path"] = {"type": kind, "value": dice.choice(_PLAIN)}
    if dice.random() < 0.3:
        found["method"] = dice.choice(_METHODS)
    if headers := _values(dice, _HEADERS):
        found["headers"] = headers
    if parameters := _values(dice, _PARAMETERS):
        found["queryParams"] = parameters
    return found


def _grpc_match(dice: random.Random) -> Json:
    found: Json = {}
    if dice.random() < 0.9:
        method: Json = {}
        if dice.random() < 0.7:
            method["service"] = dice.choice(_SERVICES)
        if dice.random() < 0.7 or not method:
            method["method"] = dice.choice(_CALLS)
        if dice.random() < 0.2:
            method = {name: f"{value}.*" for name, value in method.items()} | {"type": "RegularExpression"}
        found["method"] = method
    if headers := _values(dice, _HEADERS):
        found["headers"] = headers
    return found


def _values(dice: random.Random, names: tuple[str, ...]) -> list[Json]:
    found = []
    for name in dice.sample(names, dice.choice((0, 0, 0, 1, 1, 2))):
        if dice.random() < 0.3:
            found.append({"name": name, "type": "RegularExpression", "value": dice.choice(_VALUE_EXPRESSIONS)[0]})
        else:
            found.append({"name": name, "value": dice.choice(_VALUES)})
    return found


def _request(dice: random.Random, routes: RouteSet, route: Json, rule: Json) -> Request:
    """A request for a rule, with something changed in two of three cases."""
    match: Json = dice.choice(rule["matches"]) if rule["matches"] else {}
    is_call = route["kind"] == "GRPCRoute"
    path = _call(dice, match) if is_call else _path(dice, match)
    headers = [(each["name"].lower(), _value(dice, each)) for each in match.get("headers", ())]
    query = [(each["name"], _value(dice, each)) for each in match.get("queryParams", ())]
    method = match.get("method") if not is_call else "POST"
    method = method or dice.choice(_METHODS)
    host = _host(dice, route, routes)
    for _ in range(dice.choice((0, 1, 1, 2))):
        match dice.choice((0, 0, 0, 1, 1, 2, 2, 2, 3, 3, 4, 5)):
            case 0:
                path = _other_path(dice, path)
            case 1:
                method = dice.choice(_METHODS)
            case 2:
                headers = _others(dice, headers, tuple(map(str.lower, _HEADERS)))
            case 3:
                query = _others(dice, query, _PARAMETERS)
            case 4:
                host = dice.choice(_HOSTS)
            case _:
                host = dice.choice((f"z.{host}", host.partition(".")[2] or host))
    port = dice.choice(routes.ports)
    return Request(
        method=method,
        scheme=_PORTS[port].lower(),
        host=host,
        port=port,
        path=path,
        query=tuple((name, quote(value)) for name, value in query),
        headers=tuple(headers),
    )


def _path(dice: random.Random, match: Json) -> str:
    path = match.get("path", {"type": "PathPrefix", "value": "/"})
    if path["type"] == "RegularExpression":
        return dice.choice(dict(_EXPRESSIONS)[path["value"]])
    if path["type"] == "Exact" or dice.random() < 0.5:
        return str(path["value"])
    return "/" + (path["value"].rstrip("/") + dice.choice(("/", "/b", "/b/c", "b", "/1"))).removeprefix("/")


def _call(dice: random.Random, match: Json) -> str:
    method = match.get("method", {})
    service = method.get("service", dice.choice(_SERVICES)).removesuffix(".*")
    call = method.get("method", dice.choice(_CALLS)).removesuffix(".*")
    return f"/{service}/{call}"


def _other_path(dice: random.Random, path: str) -> str:
    return dice.choice(
        (
            f"{path}/", path.rstrip("/") or "/", f"{path}x", f"{path}/b", path.swapcase(), path[:-1] or "/", f"/{path}",
            path.replace("/", "//"), f"{path}/./b", f"{path}/../a", path.replace("a", "%61"), f"{path}%2Fb",
            f"/v1{path}", f"{path};p=1",
        )
    )  # fmt: skip


def _value(dice: random.Random, wanted: Json) -> str:
    if wanted.get("type") == "RegularExpression":
        return dict(_VALUE_EXPRESSIONS)[wanted["value"]] if dice.random() < 0.8 else dice.choice(_VALUES)
    return str(wanted["value"])


def _others(dice: random.Random, pairs: list[tuple[str, str]], names: tuple[str, ...]) -> list[tuple[str, str]]:
    """The same with one left out, changed, added or said twice."""
    if not pairs or dice.random() < 0.3:
        return [*pairs, (dice.choice(names), dice.choice((*_VALUES, "")))]
    at = dice.randrange(len(pairs))
    name = pairs[at][0]
    rest = [*pairs[:at], *pairs[at + 1 :]]
    return dice.choice(
        (rest, [*rest, (name, dice.choice(_VALUES))], [*rest, (name, "")], [(name, dice.choice(_VALUES)), *pairs])
    )


def _host(dice: random.Random, route: Json, routes: RouteSet) -> str:
    asked = route["spec"].get("hostnames") or [
        each["hostname"] for each in routes.gateway["spec"]["listeners"] if "hostname" in each
    ]
    host: str = dice.choice(asked) if asked else dice.choice(_HOSTS)
    return host.replace("*", dice.choice(("z", "b", "y.z")), 1)
