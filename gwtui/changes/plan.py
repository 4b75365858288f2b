"""A change before it is made: steps with their reverse, what they move, what speaks against them.

Everything here is written to the journal as JSON, so fields are plain data and names are part of that format.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct

from gwtui.errors import Refused
from gwtui.model.ids import GatewayKey, ObjectKey, ProxyKey

SHORTEST_WATCH_S = 60.0
"""Seconds a gateway must have been watched before what it took counts as its peak."""

Document = dict[str, Any]
"""An API object as plain JSON data."""


class ObjectEdit(Struct, frozen=True, kw_only=True, tag="object", tag_field="kind"):
    """A step: one object gets another content."""

    key: ObjectKey
    object_kind: str
    """`HTTPRoute`."""
    before: Document
    """As the API had it when the plan was made, `status` and `metadata.managedFields` left out. Its
    `metadata.uid`, `generation` and `resourceVersion` are the preconditions of the write."""
    after: Document
    """The same with what is wished."""
    gateways: tuple[GatewayKey, ...] = ()
    """Gateways whose proxies get another configuration by this step; empty: those of the plan."""

    @property
    def reverse(self) -> ObjectEdit:
        """The step that takes this one back."""
        return ObjectEdit(
            key=self.key,
            object_kind=self.object_kind,
            before=self.after,
            after=self.before,
            gateways=self.gateways,
        )


class AdminPost(Struct, frozen=True, kw_only=True, tag="admin", tag_field="kind"):
    """A step: one proxy is told something on its admin interface."""

    proxy: ProxyKey
    path: str
    """Path and query of the POST, as on `model.admin_posts`' list."""
    reverse_path: str
    """Path and query that takes it back; empty where nothing can."""

    @property
    def reverse(self) -> AdminPost:
        """The step that takes this one back."""
        return AdminPost(proxy=self.proxy, path=self.reverse_path, reverse_path=self.path)


Step = ObjectEdit | AdminPost


class Owner(Struct, frozen=True, kw_only=True):
    """Somebody else who writes the object."""

    name: str
    """`Argo CD app edge`."""
    evidence: str
    """`label app.kubernetes.io/instance`, `manages spec.rules`."""
    reverts: bool = False
    """Whether it will put back what it wants: a GitOps controller or a rollout."""


class Load(Struct, frozen=True, kw_only=True):
    """How the load of one gateway changes. Rates in requests/s; None is unknown."""

    gateway: GatewayKey
    now_rps: float | None
    """As counted over the last seconds. Where the traffic does not divide as the route says, because it was changed
    within them, as it is once they are over."""
    then_rps: float | None
    peak_rps: float | None = None
    """The most it was seen to take."""
    peak_window_s: float = 0.0
    """How long it was watched for that."""

    @property
    def share_of_peak(self) -> float | None:
        """`then_rps` as a part of the observed peak; None while it was watched too shortly to have seen one."""
        if self.then_rps is None or not self.peak_rps or self.peak_window_s < SHORTEST_WATCH_S:
            return None
        return self.then_rps / self.peak_rps


class BlastRadius(Struct, frozen=True, kw_only=True):
    """What moves when the change is made, from the topology before and after and live rates."""

    moved_rps: float | None = None
    """Requests/s that will go elsewhere than now; None is unknown."""
    moved_share: float | None = None
    """Their part of what the gateways that serve the route take, 0 to 1."""
    unknown: str = ""
    """Why a figure is None."""
    hostnames: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    """Namespaces of the workloads and shards whose traffic changes."""
    gateways: tuple[GatewayKey, ...] = ()
    """Gateways whose proxies get another configuration."""
    loads: tuple[Load, ...] = ()
    """Gateways (shards) whose load changes, the most loaded first."""


class Caution(Struct, frozen=True, kw_only=True):
    """Something to weigh before confirming."""

    code: str
    """`shadowed`, `shadows`, `takes`, `releases`, `host-taken`, `host-lost`, `near-peak`, `server`, …"""
    text: str


class Refusal(Struct, frozen=True, kw_only=True):
    """Why a plan cannot be carried out, and the safe way to what is probably wished."""

    code: str
    """`lone-weight-zero`, `all-zero`, `last-ready-backend`, `redirect-with-backends`, `no-grant`, `no-backend`,
    `stale`, `read-only`, `no-right`, `limit`, `rejected` (the server's dry run)."""
    text: str
    safe_way: str


class StageKind(StrEnum):
    """What a stage does."""

    WRITE = "write"
    """Writes its steps together, then waits for their truths."""
    READY = "ready"
    """Waits until every proxy of `gateways` takes requests and holds its configuration."""
    EMPTY = "empty"
    """Waits until nothing is under way at any of the drain's ends."""


class Stage(Struct, frozen=True, kw_only=True):
    """A part of a plan that is carried out as a whole before the next one begins."""

    kind: StageKind
    title: str
    """`attach foo/web, bar/web to infra/shard-b`, `infra/shard-a 50 %`, `wait until empty`."""
    steps: tuple[int, ...] = ()
    """Positions in the plan of what it writes."""
    truths: tuple[str, ...] = ()
    """Those that are waited for after each step of it, in order; AdminPosts know their own."""
    gateways: tuple[GatewayKey, ...] = ()
    """Who must be ready."""
    bake_s: float = 0.0
    """Seconds the guard watches after it, before the next stage."""


class End(Struct, frozen=True, kw_only=True):
    """One end of an edge that is to fall silent, as the proxies of one gateway count it."""

    gateway: GatewayKey
    clusters: tuple[str, ...] = ()
    """Envoy clusters it sends to; empty: everything that arrives at its listeners."""
    pod: str = ""
    """The one proxy of it that counts; empty: all of them."""

    @property
    def place(self) -> str:
        """Who counts: `infra/edge`, or the pod alone that does."""
        return f"{self.gateway.namespace}/{self.pod or self.gateway.name}"


class DrainKind(StrEnum):
    """What is drained."""

    SHARD = "shard"
    PROXY = "proxy"
    BACKEND = "backend"
    NAMESPACE = "namespace"
    HOSTNAME = "hostname"
    CLUSTER = "cluster"
    """What other clusters send through one Gateway."""


class Drain(Struct, frozen=True, kw_only=True):
    """What a plan empties, and how that is proven."""

    kind: DrainKind
    target: str
    """As `gwtui drain` takes it: `infra/shard-a`, `infra/shard-a-5f6d8-abc12`, `infra/shop:infra/shard-a`,
    `namespace/foo`, `host/foo.example.com`."""
    gateway: GatewayKey
    """The shard that is left: itself, that of the proxy, the one that sends to the backend, the one moved from."""
    to: str = ""
    """Who takes over, for display."""
    way: str = ""
    """How: `weights`, `replacement`, `health`, `annotation`."""
    ends: tuple[End, ...] = ()
    """All of them must be silent for it to be empty."""
    deadline_s: float = 60.0
    """Seconds that requests under way are waited for."""


class Guard(Struct, frozen=True, kw_only=True):
    """Bounds that the affected routes must keep during the bake time; else the change is taken back."""

    bake_s: float
    max_error_ratio: float | None = None
    """0 to 1; share of 5xx."""
    max_p99_ms: float | None = None


class ExpectedShare(Struct, frozen=True, kw_only=True):
    """Part of a rule's traffic that a backend should get once the change is in force."""

    rule_index: int
    backend: str
    """`<namespace>/<name>` of the target."""
    share: float
    """0 to 1."""


class Plan(Struct, frozen=True, kw_only=True):
    """A change to be reviewed. Nothing was written for it."""

    id: str
    """Unique and sortable: `20261126-014230-3fa9`."""
    title: str
    """One line: `edge-routes rule 2: infra/shard-a 90 → 50, infra/shard-b 10 → 50`."""
    made_at: datetime
    cluster: str
    steps: tuple[Step, ...]
    blast: BlastRadius = BlastRadius()
    owners: tuple[Owner, ...] = ()
    cautions: tuple[Caution, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    checked: tuple[str, ...] = ()
    """What was checked with which result, one line each."""
    expected: tuple[ExpectedShare, ...] = ()
    reason: str = ""
    """The operator's own words."""
    lease_s: float | None = None
    """Seconds after which the change is taken back; None keeps it."""
    guard: Guard | None = None
    undoes: str = ""
    """The change this one takes back; empty for an ordinary one."""
    stages: tuple[Stage, ...] = ()
    """How its steps are carried out; empty: one after the other, each seen in force before the next."""
    drain: Drain | None = None
    """What it empties; of an undrain, what it fills again."""

    @property
    def can_run(self) -> bool:
        """Whether nothing forbids it."""
        return not self.refusals

    def require_allowed(self) -> None:
        """Pass when nothing forbids it.

        Raises:
            Refused: something does; the first of it, with the safe way.
        """
        for first in self.refusals:
            raise Refused(first.text, first.safe_way)


class Verdict(StrEnum):
    """How a change ended."""

    OPEN = "open"
    """Not ended: under way, or interrupted."""
    VERIFIED = "verified"
    """All four truths were seen."""
    UNVERIFIED = "unverified"
    """Written, but not seen in force in time."""
    ROLLED_BACK = "rolled back"
    REFUSED = "refused"
    """Nothing was written: the server or another writer was against it."""
    UNDONE = "undone"
    """Taken back later, by the operator or because its lease ended."""
