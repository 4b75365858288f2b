"""The central ingress of the playground with drains of it: carried out, cut off and taken back, on documents alone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from changing import CLUSTER, NOW, SHARD_A, Document, fleet, proxy, ref, route, rule, snapshot_of, traffic
from gwtui.changes.copying import copied
from gwtui.changes.documents import draft_of, route_resource
from gwtui.changes.drains.drawing import draw_up
from gwtui.changes.drains.needs import objects_needed
from gwtui.changes.drains.outline import Outline
from gwtui.changes.drains.wish import DrainWish, Shard, Target
from gwtui.changes.journal import Change
from gwtui.changes.plan import AdminPost, ObjectEdit, Plan, Verdict
from gwtui.model.ids import ObjectKey
from gwtui.model.resources import GATEWAYS
from gwtui.model.snapshot import ProxyView, Snapshot

SENDING = (
    route("foo", rule("shard-a"), hosts=["foo.example.com"]),
    route("bar", rule("shard-a"), hosts=["bar.example.com"]),
    route("extra", rule("shard-b"), hosts=["extra.example.com"]),
    route("shop", rule(ref("shard-a", 90), ref("shard-b", 10))),
)
"""The routes of the central gateway."""

SERVING = (
    route("web", rule(ref("web")), namespace="foo", gateways=["shard-a"], hosts=["foo.example.com"]),
    route("shop", rule(ref("shop")), namespace="foo", gateways=["shard-a"]),
    route("web", rule(ref("web")), namespace="bar", gateways=["shard-a"], hosts=["bar.example.com"]),
    route("web", rule(ref("web")), namespace="extra", gateways=["shard-b"], hosts=["extra.example.com"]),
    route("shop", rule(ref("shop")), namespace="extra", gateways=["shard-b"]),
)
"""The routes of the shards."""

_RESOURCES = {"Backend": "backends.gateway.kgateway.dev", "Gateway": GATEWAYS}

PODS = ("edge-x1", "edge-x2", "shard-a-y1", "shard-b-z1")


def all_live(*others: ProxyView) -> tuple[ProxyView, ...]:
    """Every proxy answering, some in another state."""
    known = {each.key.pod for each in others}
    return (*(proxy(pod, traffic(1.0)) for pod in PODS if pod not in known), *others)


def ingress(
    *more: Document,
    sending: Sequence[Document] = SENDING,
    serving: Sequence[Document] = SERVING,
    proxies: Iterable[ProxyView] | None = None,
) -> tuple[Snapshot, list[Document]]:
    """The central ingress and its objects."""
    manifests = fleet(*sending, *serving, *more)
    return snapshot_of(manifests, *(all_live() if proxies is None else proxies)), manifests


def key(kind: str, namespace: str, name: str) -> ObjectKey:
    resource = _RESOURCES.get(kind) or route_resource(kind)
    return ObjectKey(CLUSTER, resource, namespace, name)


def documents_of(manifests: Iterable[Document], wanted: Iterable[ObjectKey]) -> dict[ObjectKey, Document]:
    """The drafts of some objects."""
    routes = [each for each in manifests if each["kind"] in _RESOURCES or each["kind"].endswith("Route")]
    found = {
        key(each["kind"], each["metadata"]["namespace"], each["metadata"]["name"]): draft_of(each) for each in routes
    }
    return {each: found[each] for each in wanted}


def drawn(
    given: tuple[Snapshot, list[Document]],
    target: Target | None = None,
    *,
    changes: Sequence[Change] = (),
    owners: Mapping[ObjectKey, Any] | None = None,
    **more: Any,
) -> Outline:
    """A drain of shard-a, or of something else, from what needs said is needed."""
    snapshot, manifests = given
    wish = DrainWish(target=target or Shard(SHARD_A), **more)
    documents = documents_of(manifests, objects_needed(snapshot, wish))
    found = draw_up(snapshot, wish, documents, changes, now=NOW, owners=owners or {})
    check(found, documents)
    return found


def check(outline: Outline, documents: Mapping[ObjectKey, Document]) -> None:
    """What holds of every outline: stages hold every step once and in order; each edit begins where one ended."""
    assert [step for stage in outline.stages for step in stage.steps] == list(range(len(outline.steps)))
    assert all(each.code and each.text and each.safe_way for each in outline.refusals)
    assert all(each.code and each.text for each in outline.cautions)
    now = dict(documents)
    for step in outline.steps:
        if isinstance(step, ObjectEdit):
            assert step.before == now[step.key]
            now[step.key] = step.after


def carried_out(
    outline: Outline, documents: Mapping[ObjectKey, Document], count: int | None = None
) -> dict[ObjectKey, Document]:
    """The objects after some or all steps."""
    now = copied_all(documents)
    for step in outline.steps[:count]:
        if isinstance(step, ObjectEdit):
            now[step.key] = copied(step.after)
    return now


def copied_all(documents: Mapping[ObjectKey, Document]) -> dict[ObjectKey, Document]:
    return {each: copied(document) for each, document in documents.items()}


def change_of(
    outline: Outline,
    *,
    applied: Collection[int] | None = None,
    uncertain: Collection[int] = (),
    verdict: Verdict = Verdict.VERIFIED,
    undoes: str = "",
) -> Change:
    """A drain that was carried out, wholly or in part."""
    plan = Plan(
        id="20260801-120000-abcd",
        title=outline.title,
        made_at=NOW,
        cluster=CLUSTER,
        steps=outline.steps,
        stages=outline.stages,
        drain=outline.drain,
        undoes=undoes,
    )
    return Change(
        id=plan.id,
        plan=plan,
        who="ann",
        opened_at=NOW,
        verdict=verdict,
        text="",
        ended_at=NOW,
        applied=frozenset(range(len(outline.steps)) if applied is None else applied),
        uncertain=frozenset(uncertain),
        entries=(),
    )


def codes(outline: Outline) -> set[str]:
    return {each.code for each in outline.refusals}


def told(outline: Outline) -> set[str]:
    return {each.code for each in outline.cautions}


def titles(outline: Outline) -> list[str]:
    return [stage.title for stage in outline.stages]


def weights_of(document: Document, rule: int = 0) -> list[int]:
    return [each.get("weight", 1) for each in document["spec"]["rules"][rule]["backendRefs"]]


def written(outline: Outline, stage: int) -> dict[str, Document]:
    """What a stage writes, by `<namespace>/<name>`."""
    edits = [outline.steps[step] for step in outline.stages[stage].steps]
    return {f"{each.key.namespace}/{each.key.name}": each.after for each in edits if isinstance(each, ObjectEdit)}


def posts(outline: Outline) -> list[str]:
    return [step.path for step in outline.steps if isinstance(step, AdminPost)]
