"""X1: which rule takes a request: what explain says, against real Envoys.

Random sets of Gateway API routes are put into configuration as the playground's controller does it, and loaded into
Envoys whose routes answer with their own place. Random requests, most of which nearly fit a rule, are sent to them, and
asked of two others:

- objects: `gwtui.explain` on the Kubernetes objects, the same that the console reads;
- loaded: `gwtui.explain.loaded` on the listeners that the same Envoy dumps.

A part as large of random route configurations holds every matcher of Envoy that is read, which the Gateway API does not
reach: of them `loaded` alone is asked (native).

All must agree with Envoy on every request; where one says that it cannot tell, that is counted, and must stay rare.

Prints one JSON line. Run with `python -m bench.matching [PAIRS [SEED]]`; the seed of a run is in its line.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import msgspec

from bench import route_tables
from bench.route_sets import CERTIFICATE, GATEWAY, NAMESPACE, Json, RouteSet, requests, route_set
from gwtui.adapters.envoy.oracle import Oracle, Verdict
from gwtui.adapters.gateway_api.kinds import KINDS as GATEWAY_API_KINDS
from gwtui.adapters.kubernetes.kinds import CORE_KINDS
from gwtui.errors import NotServed
from gwtui.explain.contest import contest
from gwtui.explain.course import RuleRef
from gwtui.explain.entrance import entrance
from gwtui.explain.loaded.answers import CannotTell, Loaded
from gwtui.explain.loaded.entrance import Entrance, entrance_of
from gwtui.explain.loaded.lookup import loaded_route
from gwtui.explain.request import Request
from gwtui.explain.terrain import Terrain
from gwtui.explain.walk import normal
from gwtui.model.ids import GatewayKey
from gwtui.model.snapshot import ClusterView
from gwtui.model.topology import relate
from gwtui.playground import status
from gwtui.playground.translation.attachment import attachments
from gwtui.playground.translation.gateway import translate
from gwtui.playground.world import CONTROLLER, GATEWAY_CLASSES, GATEWAYS, GRPC_ROUTES, HTTP_ROUTES, SECRETS, World

PAIRS, SEED = 20_000, 1
PER_SET, PER_ENVOY = 100, 20
"""Requests for each set of routes, and sets for each Envoy."""
GOAL = 1.0
MOST_UNTOLD = 0.02
SHOWN = 5
CLUSTER = "bench"
NOW = "2026-02-01T00:00:00Z"
NO_ROUTE = "no route"
NO_CONNECTION = "no connection"
UNTOLD = "cannot tell"
_ADDRESS = {"socket_address": {"port_value": route_tables.PORT}}


@dataclass
class Case:
    """One set of routes, in every form it is asked in."""

    routes: RouteSet
    terrain: Terrain
    listeners: dict[int, Json]
    """By port, with the names of members as Envoy writes them."""
    tables: dict[str, Json]
    """Route configurations, which are named like their filter chains."""

    def entrances(self) -> Iterator[Entrance]:
        """Every filter chain as a place where requests come in."""
        for port, listener in self.listeners.items():
            for chain in listener["filter_chains"]:
                yield Entrance(
                    listener=listener["name"],
                    port=port,
                    chain=chain["name"],
                    is_encrypted="transport_socket" in chain,
                    manager=_manager(chain),
                )


@dataclass
class Tally:
    """How one of the others did."""

    agreed: int = 0
    untold: Counter[str] = field(default_factory=Counter)
    """Why it could not tell."""
    differed: list[Json] = field(default_factory=list)

    def count(self, said: str, truth: str, why: str, request: Request, seed: int) -> None:
        """Count one answer."""
        if said == UNTOLD:
            self.untold[why] += 1
        elif said == truth:
            self.agreed += 1
        else:
            self.differed.append({"seed": seed, "request": repr(request), "said": said, "envoy": truth})

    def document(self) -> Json:
        """What is printed of it."""
        asked = self.agreed + len(self.differed)
        untold = self.untold.total()
        return {
            "agreement": self.agreed / asked if asked else None,
            "agreed": self.agreed,
            "cannot_tell": untold,
            "cannot_tell_ratio": round(untold / (asked + untold), 5) if asked else None,
            "cannot_tell_why": dict(self.untold.most_common(SHOWN)),
            "differed": self.differed[:SHOWN],
        }


@dataclass
class Outcome:
    """What a run found."""

    objects: Tally = field(default_factory=Tally)
    loaded: Tally = field(default_factory=Tally)
    native: Tally = field(default_factory=Tally)
    pairs: int = 0
    routed: Counter[str] = field(default_factory=Counter)
    """Requests that a route took, by its kind."""

    def take(self, verdict: Verdict) -> None:
        """Count what a route took."""
        if verdict.index is not None:
            is_child = "-child" in verdict.route
            self.routed["delegated" if is_child else "grpc" if "-grpcroute-" in verdict.route else "http"] += 1


async def compare(pairs: int, seed: int) -> Outcome:
    """Ask everybody about so many requests, and compare.

    Raises:
        GwtuiError: there is no Envoy on this machine, or it refuses what it is given.
    """
    outcome = Outcome()
    seeds = iter(range(seed * 1_000_000, seed * 1_000_000 + pairs // PER_SET))
    while batch := [(number, case_of(route_set(number))) for number in islice(seeds, PER_ENVOY)]:
        await _compare(dict(batch), outcome)
    numbers = iter(range(seed * 1_000_000, seed * 1_000_000 + pairs // PER_SET))
    while some := list(islice(numbers, PER_ENVOY)):
        await _compare_native(some, outcome)
    return outcome


async def _compare(cases: dict[int, Case], outcome: Outcome) -> None:
    asked = {
        f"s{number}-{_plain(each.chain)}": (case.tables[each.chain], each)
        for number, case in cases.items()
        for each in case.entrances()
    }
    async with Oracle(asked) as oracle:
        version, listeners = await _told(oracle)
        for number, case in cases.items():
            for request in requests(case.routes, PER_SET, number):
                outcome.pairs += 1
                # By server names, real Envoys pick as this does: `tests/explain/test_against_envoy.py`.
                own = case.listeners.get(request.port or 0)
                door = entrance_of([own] if own else [], request, port=request.port or 0)
                if not isinstance(door, Entrance):
                    said, why = by_objects(case, request, NO_CONNECTION)
                    outcome.objects.count(said, NO_CONNECTION, why, request, number)
                    continue
                name = f"s{number}-{_plain(door.chain)}"
                verdict = await oracle.ask(request, name)
                outcome.take(verdict)
                truth = verdict.route or NO_ROUTE
                said, why = by_objects(case, request, truth)
                outcome.objects.count(said, truth, why, request, number)
                said, why = by_loaded(listeners[f"{name}-keeps"], request, version)
                outcome.loaded.count(said, place_of(verdict.virtual_host, verdict.index), why, request, number)


async def _compare_native(numbers: list[int], outcome: Outcome) -> None:
    tables = {f"t{number}": route_tables.table(number) for number in numbers}
    asked = {
        name: (table, _entrance(route_tables.PORT, route_tables.manager(number)))
        for number, (name, table) in zip(numbers, tables.items(), strict=True)
    }
    async with Oracle(asked) as oracle:
        version, listeners = await _told(oracle)
        for number, (name, table) in zip(numbers, tables.items(), strict=True):
            (chain,) = listeners[f"{name}-keeps"]["filter_chains"]
            manager = {**_manager(chain), **(asked[name][1].manager or {})}
            listener = {"name": name, "address": _ADDRESS, "filter_chains": [{"filters": [{"typed_config": manager}]}]}
            for request in route_tables.requests(table, PER_SET, number):
                verdict = await oracle.ask(request, name)
                said, why = by_loaded(listener, request, version)
                outcome.native.count(said, place_of(verdict.virtual_host, verdict.index), why, request, number)


async def _told(oracle: Oracle) -> tuple[str, dict[str, Json]]:
    """Version and listeners by name, as the Envoy tells them."""
    version = json.loads(await oracle.scratch.admin("/server_info"))["version"].split("/")[1]
    dump = json.loads(await oracle.scratch.admin("/config_dump?resource=static_listeners"))
    return version, {each["listener"]["name"]: each["listener"] for each in dump["configs"]}


def _manager(chain: Json) -> Json:
    found: Json = chain["filters"][0]["typed_config"]
    return found


def _plain(name: str) -> str:
    return name.replace("~", "-")


def by_objects(case: Case, request: Request, truth: str) -> tuple[str, str]:
    """The route explain expects: the name it has in Envoy when both mean the same; and why it cannot tell."""
    key = GatewayKey(CLUSTER, NAMESPACE, GATEWAY)
    door = entrance(case.terrain, key, request, port=request.port, is_outside=False)
    if door.refusal:
        return NO_CONNECTION, ""
    if door.is_unseen:
        return UNTOLD, "a route is attached in a way that is not read"
    if door.host is None:
        return NO_ROUTE, ""
    found = contest(case.terrain.hosts.candidates(door.host), normal(request), lambda _route, _rule: "")
    if found.undecided:
        return UNTOLD, " ".join(found.undecided[0].why.split()[:2])
    return _named_as(truth, found.winner) if found.winner is not None else NO_ROUTE, ""


def _named_as(truth: str, rule: RuleRef) -> str:
    """The name of a route in Envoy when it is that of a rule, else what the name of the rule begins with."""
    kind = "grpcroute" if rule.route.resource == GRPC_ROUTES else "httproute"
    place = f"{kind}-{rule.route.name}-{rule.route.namespace}-{rule.rule_index}"
    if rule.via:
        # Matches of children are counted when those that do not fit were left out.
        return truth if f"-{place}-" in truth else place
    place += f"-{rule.match_index}"
    return truth if truth.endswith(f"-{place}-matcher-{rule.match_index}") else place


def by_loaded(listener: Json, request: Request, version: str) -> tuple[str, str]:
    """The place of the route that the dumped configuration gives; and why it cannot be told."""
    answer = loaded_route([listener], (), request, listener=listener["name"], version=version)
    if isinstance(answer, CannotTell):
        return UNTOLD, answer.reason.rpartition(": ")[2]
    return place_of(answer.virtual_host, answer.index) if isinstance(answer, Loaded) else NO_ROUTE, ""


def place_of(virtual_host: str, index: int | None) -> str:
    """What a route is told by."""
    return NO_ROUTE if index is None else f"{virtual_host}/{index}"


def case_of(routes: RouteSet) -> Case:
    """A set of routes as the controller translates it and as the console reads it."""
    gateway_class: Json = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "GatewayClass",
        "metadata": {"name": "kgateway"},
        "spec": {"controllerName": CONTROLLER},
    }
    world = World(
        {
            GATEWAY_CLASSES: [gateway_class],
            GATEWAYS: [routes.gateway],
            HTTP_ROUTES: routes.http,
            GRPC_ROUTES: routes.grpc,
            SECRETS: [
                {"metadata": {"name": CERTIFICATE, "namespace": NAMESPACE}, "data": {"tls.crt": "", "tls.key": ""}}
            ],
        }
    )
    attached = attachments(world)
    config = translate(world, routes.gateway, attached, {})
    every = [
        {**each, "status": status.route_status(world, each, attached, NOW)} for each in (*routes.http, *routes.grpc)
    ]
    namespaces = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in (NAMESPACE, "shop")]
    objects = _decoded([gateway_class, routes.gateway, *namespaces, *every])
    view = ClusterView(name=CLUSTER, objects=objects, topology=relate(CLUSTER, objects))
    listeners = {port: _as_dumped(config.listeners[f"listener~{port}"]) for port in routes.ports}
    return Case(routes, Terrain(view), listeners, _as_dumped(config.routes))


def _decoded(manifests: Iterable[Json]) -> dict[str, dict[tuple[str, str], Any]]:
    """Objects as the console decodes them."""
    kinds = {(each.group, each.kind): each for each in (*CORE_KINDS, *GATEWAY_API_KINDS)}
    objects: dict[str, dict[tuple[str, str], Any]] = {each.resource: {} for each in kinds.values()}
    for manifest in manifests:
        kind = kinds[manifest["apiVersion"].rpartition("/")[0], manifest["kind"]]
        decoded = msgspec.json.decode(json.dumps(manifest), type=kind.type)
        objects[kind.resource][decoded.metadata.namespace, decoded.metadata.name] = decoded
    return objects


def _as_dumped(body: Any) -> Any:
    """The same with the names of members as Envoy writes them, `pathSeparatedPrefix` as `path_separated_prefix`."""
    if isinstance(body, list):
        return [_as_dumped(each) for each in body]
    if not isinstance(body, dict):
        return body
    return {
        "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in key): _as_dumped(value)
        for key, value in body.items()
    }


def _entrance(port: int, manager: Json) -> Entrance:
    return Entrance(listener=f"listener~{port}", port=port, chain="", is_encrypted=False, manager=manager)


def main() -> None:
    """Print one JSON line."""
    given = [int(each) for each in sys.argv[1:]]
    pairs, seed = (*given, *(PAIRS, SEED)[len(given) :])
    began = time.monotonic()
    try:
        outcome = asyncio.run(compare(pairs, seed))
    except NotServed as error:
        print(json.dumps({"id": "X1", "skipped": error.line()}))
        return
    told = {name: getattr(outcome, name).document() for name in ("objects", "loaded", "native")}
    met = all(each["agreement"] == GOAL and each["cannot_tell_ratio"] <= MOST_UNTOLD for each in told.values())
    print(
        json.dumps(
            {
                "id": "X1",
                "seed": seed,
                "pairs": outcome.pairs,
                "routed": outcome.routed,
                "goal": GOAL,
                "met": met and outcome.pairs >= pairs,
                **told,
                "took_s": round(time.monotonic() - began, 1),
            }
        )
    )


if __name__ == "__main__":
    main()
