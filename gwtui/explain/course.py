"""The course of a request: the hops it takes, what happens at each, and where it ends. Data alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from gwtui.explain.policies import Reservation
from gwtui.explain.request import Request
from gwtui.model.gateway_api import HttpMatch
from gwtui.model.ids import ExternalKey, GatewayKey, ObjectKey, ProxyKey, ServiceKey
from gwtui.model.shape import DataPlane, FrontDoor


class Outcome(StrEnum):
    """What becomes of a part of the requests."""

    SERVED = "served"
    """A backend gets them, and has endpoints that may answer."""
    ANSWERED = "answered"
    """A proxy answers them as a route asks it to: a redirect, a fixed response."""
    WRONG = "wrong"
    """They get an error, or no answer."""
    UNKNOWN = "unknown"
    """Nothing that is read tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """Where a part of the requests ends."""

    outcome: Outcome
    status: int | None
    """HTTP status of the answer; None where the backend chooses it, or where there is no answer."""
    words: str
    """Why: `no endpoint of foo/cart is ready`."""
    fix: str = ""
    """What to do about it; empty where there is nothing to do."""
    location: str = ""
    """Where a redirect leads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRef:
    """One match of one rule, as it took part in a contest."""

    route: ObjectKey
    rule_index: int
    match_index: int
    rule_name: str
    match: HttpMatch
    via: tuple[ObjectKey, ...] = ()
    """The routes that delegate to it, from the top."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """A rule that takes the request not, and why."""

    rule: RuleRef
    why: str
    """Of a loser: why the winner is tried before it. Of another: the first thing that does not fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """How the rules of a virtual host share out for one request."""

    winner: RuleRef | None
    losers: tuple[Other, ...] = ()
    """Rules that fit and are tried later. Bounded: see `losers_total`."""
    losers_total: int = 0
    misses: tuple[Other, ...] = ()
    """Rules that do not fit, the closest first. Bounded: see `misses_total`."""
    misses_total: int = 0
    undecided: tuple[Other, ...] = ()
    """Rules that are tried before the winner, and of which it cannot be told whether they fit."""
    by_weight: RuleRef | None = None
    """Who wins instead where the control plane does not heed route weights."""

    @property
    def is_certain(self) -> bool:
        """Whether the winner is beyond doubt, as far as objects tell."""
        return not self.undecided and self.by_weight is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """A listener that takes the request."""

    name: str
    """`<namespace>/<set>/<listener>` for one of a ListenerSet."""
    port: int
    protocol: str
    hostname: str
    """Empty is any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeout:
    """How long a hop waits for the answer of its backend."""

    seconds: float | None
    """None is without end."""
    source: str
    """Who says so: `timeouts.request`, `Envoy's default`, a policy."""


ENVOY_TIMEOUT = Timeout(seconds=15.0, source="Envoy's default")
"""Where no route and no policy says anything. *Source:* `RouteAction.timeout` of Envoy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A part of the requests of a hop, and where it goes."""

    backend: str
    """`Service foo/cart:8080`."""
    weight: int | None
    """As written; None where there is nothing to write it on."""
    share: float
    """Of the requests that reach the hop, 0 to 1."""
    target: GatewayKey | ServiceKey | ExternalKey | None
    """None where it leads nowhere."""
    cluster: str
    """The Envoy cluster it goes through; empty where none can be named."""
    changes: tuple[str, ...] = ()
    """What filters of this backend alone do."""
    ready: int | None = None
    total: int | None = None
    unknown: str = ""
    """Why the endpoints are not known; empty where they are, and where there are none to count."""
    rps: float | None = None
    """What the gateway sends to this upstream now, for whichever rule; None where nobody measures it."""
    error_ratio: float | None = None
    """Share of 5xx answers among that, 0 to 1; None where nobody measures it."""
    end: End | None = None
    """Where it ends; None where it goes on."""
    hop: Hop | None = None
    """The next hop."""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What one proxy says it would do with the request, by the configuration it holds."""

    agrees: bool | None
    """With what the objects intend; None where it cannot be told."""
    words: str
    """What it does, or why that cannot be told."""
    route: str = ""
    """Name of the Envoy route that takes it."""
    clusters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What Envoy's own matcher says of the routes a proxy has loaded, asked in a throw-away Envoy."""

    proxy: ProxyKey
    """Whose routes they are."""
    agrees: bool | None
    """With what the objects intend; None where it cannot be told."""
    words: str
    route: str = ""
    """Name of the Envoy route; empty where none takes it."""
    doubts: tuple[str, ...] = ()
    """Why the proxy itself may decide otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One gateway on the way."""

    gateway: GatewayKey
    tier: int
    data_plane: DataPlane
    proxies: tuple[ProxyKey, ...]
    share: float
    """Of all the requests, 0 to 1."""
    request: Request
    """As it arrives here."""
    listeners: tuple[Listening, ...] = ()
    route_config: str = ""
    """Name of the route configuration of an Envoy of kgateway; empty for others, and where there is none."""
    host: str = ""
    """Hostname of the virtual host; `*` is any. Empty where there is none."""
    contest: Contest | None = None
    """None where no virtual host takes it."""
    changes: tuple[str, ...] = ()
    """What filters do to the request, in words."""
    copies: tuple[str, ...] = ()
    """Where copies go."""
    timeout: Timeout | None = None
    reservations: tuple[Reservation, ...] = ()
    notes: tuple[str, ...] = ()
    end: End | None = None
    """Where it ends here; None where branches lead on."""
    branches: tuple[Branch, ...] = ()
    loaded: Mapping[ProxyKey, Loaded] = field(default_factory=dict)
    """What the proxies say that were asked."""
    proof: Proof | None = None
    """None where nobody asked for it."""

    @property
    def is_open(self) -> bool:
        """Whether the objects leave open who takes the request, and no proxy settles it in favour of the winner."""
        if self.contest is None or self.contest.is_certain:
            return False
        is_proved = self.proof is not None and self.proof.agrees is True
        return not is_proved and not (self.loaded and all(each.agrees is True for each in self.loaded.values()))

    @property
    def ends(self) -> Iterator[tuple[float, Hop, Branch | None, End]]:
        """Every end of its requests with its share of all, the hop, and the branch where it is one's."""
        if self.end is not None:
            yield self.share, self, None, self.end
        for branch in self.branches:
            if branch.end is not None:
                yield self.share * branch.share, self, branch, branch.end
            if branch.hop is not None:
                yield from branch.hop.ends


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """The way of a request from one front door."""

    request: Request
    doors: tuple[FrontDoor, ...]
    """What stands before the first gateway."""
    first: Hop

    @property
    def wrong_share(self) -> float:
        """Of the requests, 0 to 1: those that get an error, as far as is known."""
        return sum(share for share, _, _, end in self.first.ends if end.outcome is Outcome.WRONG)

    @property
    def unknown_share(self) -> float:
        """Of the requests, 0 to 1: those of which nothing tells what becomes of them."""
        return _unknown(self.first)

    @property
    def hops(self) -> tuple[tuple[str, Hop], ...]:
        """Every hop with its number: `1`, `2a`, `2b`; in the order of the way, each before what it leads to."""
        by_depth: dict[int, list[Hop]] = {}
        _by_depth(self.first, 1, by_depth)
        names = {
            id(hop): f"{depth}{_letters(position)}" if len(hops) > 1 else str(depth)
            for depth, hops in by_depth.items()
            for position, hop in enumerate(hops)
        }
        return tuple((names[id(hop)], hop) for hop in _in_order(self.first))

    @property
    def proxies(self) -> tuple[ProxyKey, ...]:
        """The proxies on the way."""
        return tuple(dict.fromkeys(proxy for _, hop in self.hops for proxy in hop.proxies))

    @property
    def disagreements(self) -> tuple[tuple[Hop, ProxyKey, Loaded], ...]:
        """Proxies that hold another answer than the objects intend."""
        return tuple(
            (hop, proxy, loaded)
            for _, hop in self.hops
            for proxy, loaded in hop.loaded.items()
            if loaded.agrees is False
        )

    @property
    def refuted(self) -> tuple[Hop, ...]:
        """Hops where Envoy's own matcher says otherwise."""
        return tuple(hop for _, hop in self.hops if hop.proof is not None and hop.proof.agrees is False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What becomes of a request, from every front door that may take it."""

    request: Request
    courses: tuple[Course, ...]
    """None where nothing may take it."""
    notes: tuple[str, ...] = ()
    """How the front doors were chosen, or why there is none."""

    @property
    def is_well(self) -> bool:
        """Whether it is known that no request goes wrong, and no proxy holds another answer."""
        return bool(self.courses) and not any(
            each.wrong_share or each.unknown_share or each.disagreements or each.refuted for each in self.courses
        )


def _unknown(hop: Hop) -> float:
    if hop.is_open:
        return hop.share
    found = hop.share if hop.end is not None and hop.end.outcome is Outcome.UNKNOWN else 0.0
    for branch in hop.branches:
        if branch.end is not None and branch.end.outcome is Outcome.UNKNOWN:
            found += hop.share * branch.share
        if branch.hop is not None:
            found += _unknown(branch.hop)
    return found


def _by_depth(hop: Hop, depth: int, found: dict[int, list[Hop]]) -> None:
    found.setdefault(depth, []).append(hop)
    for branch in hop.branches:
        if branch.hop is not None:
            _by_depth(branch.hop, depth + 1, found)


def _in_order(hop: Hop) -> Iterator[Hop]:
    yield hop
    for branch in hop.branches:
        if branch.hop is not None:
            yield from _in_order(branch.hop)


def _letters(position: int) -> str:
    """`a` to `z`, then `aa`."""
    first, rest = divmod(position, 26)
    return (_letters(first - 1) if first else "") + chr(ord("a") + rest)
