"""A drain of shard-a, as it is planned and as it is told, for tests of screens and views."""

from __future__ import annotations

from datetime import datetime, timedelta

from gwtui.changes.journal import (
    Change,
    Counted,
    EndCount,
    Ended,
    Entered,
    Entry,
    Opened,
    Passed,
    Seen,
    Told,
    Writing,
    Written,
    changes,
)
from gwtui.changes.plan import (
    BlastRadius,
    Caution,
    Document,
    Drain,
    DrainKind,
    End,
    Guard,
    Load,
    ObjectEdit,
    Plan,
    Stage,
    StageKind,
    Verdict,
)
from gwtui.model.ids import ObjectKey
from gwtui.model.resources import HTTP_ROUTES
from tests.tui import fleet

ID = "20260301-140150-00d1"
EDGE_ROUTES = ObjectKey(fleet.CLUSTER, HTTP_ROUTES, "infra", "edge-routes")
FOO_WEB = ObjectKey(fleet.CLUSTER, HTTP_ROUTES, "foo", "web")
SENDING = End(gateway=fleet.EDGE, clusters=("shard_a",))
ARRIVING = End(gateway=fleet.SHARD_A)
TRUTHS = ("stored", "programmed", "loaded")
BEGIN = fleet.NOW - timedelta(seconds=60)
EMPTY = 4
"""Position of the stage that waits."""


def weights(a: int, b: int) -> Document:
    refs = [{"name": name, "port": 8080, "weight": weight} for name, weight in (("shard-a", a), ("shard-b", b))]
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "edge-routes", "namespace": "infra", "uid": "1", "resourceVersion": "7"},
        "spec": {"parentRefs": [{"name": "edge"}], "rules": [{"backendRefs": refs}]},
    }


def web(*parents: str) -> Document:
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "web", "namespace": "foo", "uid": "2", "resourceVersion": "9"},
        "spec": {
            "parentRefs": [{"name": name, "namespace": "infra"} for name in parents],
            "rules": [{"backendRefs": [{"name": "web", "port": 80}]}],
        },
    }


def plan(**more: object) -> Plan:
    told = {
        "id": ID,
        "title": "drain infra/shard-a → infra/shard-b",
        "made_at": BEGIN,
        "cluster": fleet.CLUSTER,
        "steps": (
            ObjectEdit(key=FOO_WEB, object_kind="HTTPRoute", before=web("shard-a"), after=web("shard-a", "shard-b")),
            ObjectEdit(key=EDGE_ROUTES, object_kind="HTTPRoute", before=weights(90, 10), after=weights(45, 55)),
            ObjectEdit(key=EDGE_ROUTES, object_kind="HTTPRoute", before=weights(45, 55), after=weights(9, 91)),
            ObjectEdit(key=EDGE_ROUTES, object_kind="HTTPRoute", before=weights(9, 91), after=weights(0, 100)),
        ),
        "stages": (
            Stage(kind=StageKind.WRITE, title="attach foo/web to infra/shard-b", steps=(0,), truths=TRUTHS),
            Stage(kind=StageKind.WRITE, title="infra/shard-a 50 %", steps=(1,), truths=TRUTHS, bake_s=5.0),
            Stage(kind=StageKind.WRITE, title="infra/shard-a 10 %", steps=(2,), truths=TRUTHS, bake_s=5.0),
            Stage(kind=StageKind.WRITE, title="infra/shard-a 0 %", steps=(3,), truths=TRUTHS),
            Stage(kind=StageKind.EMPTY, title="wait until empty"),
        ),
        "drain": Drain(
            kind=DrainKind.SHARD,
            target="infra/shard-a",
            gateway=fleet.SHARD_A,
            to="infra/shard-b",
            way="replacement",
            ends=(SENDING, ARRIVING),
        ),
        "blast": BlastRadius(
            moved_rps=8800.0,
            moved_share=0.71,
            hostnames=("foo.example.com", "shop.example.com"),
            namespaces=("bar", "foo"),
            gateways=(fleet.EDGE, fleet.SHARD_B),
            loads=(
                Load(gateway=fleet.SHARD_B, now_rps=3600.0, then_rps=12400.0, peak_rps=13000.0, peak_window_s=900.0),
            ),
        ),
        "cautions": (Caution(code="near-peak", text="infra/shard-b would take 95% of the most it was seen to take"),),
        "checked": ("the server's dry run accepted every write", "infra/shard-b is well, 1 of 1 proxies answers"),
        "guard": Guard(bake_s=60.0, max_error_ratio=0.005, max_p99_ms=200.0),
    }
    return Plan(**{**told, **more})  # type: ignore[arg-type]


def after(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


def written(stage: int, at_s: float, *, seen: int = 3) -> list[Entry]:
    """A stage that writes its one step, with so many of its truths seen."""
    entries: list[Entry] = [
        Entered(change=ID, at=after(at_s), stage=stage),
        Writing(change=ID, at=after(at_s), step=stage),
        Written(change=ID, at=after(at_s), step=stage, generation=4, resource_version="8"),
    ]
    for truth in TRUTHS[:seen]:
        words = "loaded on edge-5f6d8-abc12, edge-5f6d8-def23" if truth == "loaded" else f"{truth} it is"
        entries.append(Seen(change=ID, at=after(at_s + 2), step=stage, truth=truth, is_met=True, text=words))
    return entries


def passed(stage: int, at_s: float, text: str = "in force, watched for 5 s") -> Passed:
    return Passed(change=ID, at=after(at_s), stage=stage, text=text)


def counted(
    arriving: int | None = 3,
    *,
    sending: int | None = 0,
    left_s: float | None = 41.0,
    is_overdue: bool = False,
    zeros: int = 0,
) -> Counted:
    return Counted(
        change=ID,
        at=after(58),
        stage=EMPTY,
        ends=(
            EndCount(end=SENDING, in_flight=sending, new_rps=0.0, upgrades=0, connections=4),
            EndCount(
                end=ARRIVING,
                in_flight=arriving,
                new_rps=None if arriving is None else 0.0,
                upgrades=None if arriving is None else 1,
                connections=None if arriving is None else 6,
                unknown="" if arriving is not None else "shard-a-66d4c-k1m2n: pods/proxy is forbidden for user sre",
            ),
        ),
        remaining=("2 foo/feed", "1 bar/chat") if arriving else (),
        zeros=zeros,
        left_s=left_s,
        is_overdue=is_overdue,
    )


def until_writes(made: Plan | None = None) -> tuple[Entry, ...]:
    """Told until 10 % is written and not yet seen whole."""
    opened = Opened(change=ID, at=BEGIN, plan=made or plan(), who="sre")
    return (
        opened,
        *written(0, 1),
        passed(0, 4, "in force"),
        *written(1, 5),
        passed(1, 13),
        *written(2, 14, seen=1),
    )


def until_empty(made: Plan | None = None) -> tuple[Entry, ...]:
    """Told until it waits to be empty."""
    return (
        *until_writes(made)[:-4],
        *written(2, 14),
        passed(2, 22),
        *written(3, 23),
        passed(3, 26, "in force"),
        Entered(change=ID, at=after(27), stage=EMPTY),
    )


def waiting(made: Plan | None = None, *, is_overdue: bool = False) -> tuple[Told, ...]:
    """Told until something is still under way."""
    last = counted(3, left_s=0.0 if is_overdue else 41.0, is_overdue=is_overdue)
    return (*until_empty(made), *(counted(n, left_s=60.0) for n in (40, 31, 22, 9, 5)), last)


def done(made: Plan | None = None) -> tuple[Told, ...]:
    """Told to the good end."""
    return (
        *waiting(made),
        counted(0, left_s=None, zeros=4),
        passed(EMPTY, 55, "nothing under way at 2 ends, 4 readings in a row"),
        Ended(change=ID, at=after(55), verdict=Verdict.VERIFIED, text="all of it was seen"),
    )


def aborted(made: Plan | None = None) -> tuple[Told, ...]:
    """Told of a drain that was taken back."""
    back: list[Entry] = []
    for step in (2, 1, 0):
        back += [
            Writing(change=ID, at=after(30), step=step, is_reverse=True),
            Written(change=ID, at=after(30), step=step, is_reverse=True),
        ]
    return (
        *until_writes(made),
        *back,
        Ended(change=ID, at=after(33), verdict=Verdict.ROLLED_BACK, text="aborted by the operator"),
    )


def change(told: tuple[Told, ...]) -> Change:
    return changes([each for each in told if not isinstance(each, Counted)])[0]
