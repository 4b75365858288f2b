"""What goes wrong in a scenario, as data: faults of the control plane, and changes somebody makes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Literal

import msgspec

from gwtui.playground.translation.gateway import ProxyConfig
from gwtui.playground.world import ASKED_FOR, HTTP_ROUTES, Json, key_of

REFUSED_ROUTES: Literal["refused-routes"] = "refused-routes"
"""The proxies are sent route configurations that Envoy refuses: two virtual hosts for `*`. It keeps what it has."""

FROZEN: Literal["frozen"] = "frozen"
"""The proxies get no configuration any more, as when they lost their control plane without noticing."""

HUNG: Literal["hung"] = "hung"
"""The process of a proxy stands still: it keeps its ports and answers nobody."""

WEIGHTS: Literal["weights"] = "weights"
"""Somebody changes the weights of a route's first rule."""

WISHED = {f"{ASKED_FOR}{kind}": kind for kind in (REFUSED_ROUTES, FROZEN, HUNG)}
"""Annotations of a Gateway by which a fault holds for as long as it is there: `all` proxies, or one by its number."""

PAUSED = f"{ASKED_FOR}paused"
"""Annotation of a GatewayClass: `true` keeps the control plane from doing anything for its Gateways."""


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that goes wrong."""

    kind: Literal["refused-routes", "frozen", "hung", "weights"]
    after_s: float = 0.0
    """Seconds after the whole fleet was ready."""
    gateway: str = ""
    """`namespace/name` of the Gateway whose proxies are hit."""
    proxy: int | None = None
    """Which of them when it begins, by the order of their names, from 0; None hits all, later ones too."""
    route: str = ""
    """`namespace/name` of the HTTPRoute whose weights change."""
    weights: tuple[int, ...] = ()


class Faults:
    """The faults of one run: each begins when its time has come.

    Args:
        faults: All of them.
        begin: Called whenever one begins, with the fault.
    """

    def __init__(self, faults: Sequence[Fault], begin: Callable[[Fault], None]) -> None:
        self._faults = faults
        self._begin = begin
        self._begun: list[Fault] = []
        self._wished: list[Fault] = []
        self._victims: dict[Fault, str] = {}
        self._reached: dict[str, dict[str, ProxyConfig]] = {}
        """By Gateway and pod."""
        self._timers: list[asyncio.TimerHandle] = []

    def start(self) -> None:
        """Let the time of the faults run, in this event loop."""
        loop = asyncio.get_running_loop()
        self._timers = [loop.call_later(fault.after_s, self.begin, fault) for fault in self._faults]

    def stop(self) -> None:
        """Let no further fault begin."""
        for timer in self._timers:
            timer.cancel()

    def begin(self, fault: Fault) -> None:
        """Let a fault begin now."""
        self._begun.append(fault)
        self._begin(fault)

    def wished(self, gateways: Iterable[Json]) -> None:
        """Let the faults hold that annotations of these Gateways ask for, and no others that annotations asked for."""
        self._wished = [fault for gateway in gateways for fault in _wished(gateway)]
        held = {*self._begun, *self._wished}
        self._victims = {fault: pod for fault, pod in self._victims.items() if fault in held}

    def hung(self, gateway: str, pods: Sequence[str]) -> frozenset[str]:
        """Return the proxies of a Gateway that stand still."""
        faults = [each for each in self._in_force if each.gateway == gateway and each.kind == HUNG]
        return frozenset(pod for pod in pods if any(self._hits(each, pod, pods) for each in faults))

    @property
    def _in_force(self) -> list[Fault]:
        return [*self._begun, *self._wished]

    def sent(self, gateway: str, pods: Sequence[str], config: ProxyConfig) -> Mapping[str, ProxyConfig]:
        """Return what really reaches each proxy of a Gateway when the controller sends them a configuration.

        Args:
            gateway: `namespace/name`.
            pods: Names of its proxies, in order.
            config: What is sent to all of them.
        """
        before = self._reached.get(gateway, {})
        reached = {}
        for pod in pods:
            kinds = {each.kind for each in self._in_force if each.gateway == gateway and self._hits(each, pod, pods)}
            reached[pod] = before.get(pod, config) if FROZEN in kinds else config
            if REFUSED_ROUTES in kinds and FROZEN not in kinds:
                reached[pod] = _unacceptable(config)
        self._reached[gateway] = reached
        return reached

    def _hits(self, fault: Fault, pod: str, pods: Sequence[str]) -> bool:
        """Whether a fault hits a pod. It stays with the pod it began with, however the order changes later."""
        if fault.proxy is not None and fault not in self._victims and fault.proxy < len(pods):
            self._victims[fault] = pods[fault.proxy]
        return fault.proxy is None or self._victims.get(fault) == pod


def _wished(gateway: Json) -> Iterator[Fault]:
    annotations = gateway["metadata"].get("annotations") or {}
    for name, kind in WISHED.items():
        which = annotations.get(name, "")
        if which == "all" or which.isdecimal():
            yield Fault(kind=kind, gateway="/".join(key_of(gateway)), proxy=int(which) if which != "all" else None)


def shifted(route: Json, weights: Sequence[int]) -> Json:
    """Return an HTTPRoute with other weights in its first rule."""
    found = deepcopy(route)
    for ref, weight in zip(found["spec"]["rules"][0]["backendRefs"], weights, strict=True):
        ref["weight"] = weight
    return found


def route_key(fault: Fault) -> tuple[str, str, str]:
    """The object a fault of kind `weights` changes: resource, namespace, name."""
    namespace, _, name = fault.route.partition("/")
    return HTTP_ROUTES, namespace, name


def _unacceptable(config: ProxyConfig) -> ProxyConfig:
    """The configuration with one virtual host too many for every hostname."""
    extra = [{"name": f"refused-{number}", "domains": ["*"]} for number in (1, 2)]
    routes = {
        name: {**each, "virtualHosts": [*each.get("virtualHosts", ()), *extra]} for name, each in config.routes.items()
    }
    return replace(config, routes=routes)
