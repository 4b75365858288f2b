"""A whole cluster drained: its east-west Gateway says which part of the traffic from other clusters stays away.

*Source:* annotation `solo.io/draining-weight` of Gateways through which clusters of one ambient mesh reach each other;
kgateway 2.4 and newer of the other clusters gives this one 100 minus that many percent of its part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from gwtui.changes.copying import copied
from gwtui.changes.drains.drafts import STORED, Drafts
from gwtui.changes.drains.forbidding import earlier_drains, foreign_owners
from gwtui.changes.drains.outline import Outline
from gwtui.changes.drains.wish import DrainWish
from gwtui.changes.journal import Change
from gwtui.changes.plan import Caution, Document, Drain, DrainKind, Owner, Refusal
from gwtui.model.ids import GatewayKey, ObjectKey
from gwtui.model.istio import DRAINING_WEIGHT
from gwtui.model.resources import GATEWAYS
from gwtui.model.shape import GatewayNode

NOT_SEEN_HERE = Caution(
    code="unseen-end",
    text="who sends are the gateways of other clusters (kgateway 2.4 and newer heed this): whether it gets empty is "
    "not seen from here, watch what they send it",
)


def gateway_object(gateway: GatewayKey) -> ObjectKey:
    """Return the object of a Gateway."""
    return ObjectKey(gateway.cluster, GATEWAYS, gateway.namespace, gateway.name)


def draw_cluster(
    node: GatewayNode,
    wish: DrainWish,
    documents: Mapping[ObjectKey, Document],
    changes: Sequence[Change],
    *,
    now: datetime,
    owners: Mapping[ObjectKey, tuple[Owner, ...]],
) -> Outline:
    """Return how what other clusters send through a Gateway is kept away from it, percent by percent.

    Args:
        node: The Gateway; one with `is_peering`.
        wish: What is asked for.
        documents: The present objects.
        changes: What our journal tells, oldest first.
        now: The time.
        owners: Who else writes the objects.
    """
    key = gateway_object(node.key)
    drain = Drain(
        kind=DrainKind.CLUSTER,
        target=str(wish.target),
        gateway=node.key,
        to="the same services in other clusters",
        way="annotation",
        deadline_s=wish.deadline_s,
    )
    drafts = Drafts(documents)
    refusals = [*earlier_drains(changes, drain, {node.key}, now), *foreign_owners(owners, (key,))]
    if wish.to:
        safe_way = "leave --to away: whoever else has the service takes over"
        refusals.append(Refusal(code="no-choice", text="who takes over cannot be chosen here", safe_way=safe_way))
    if key not in documents:
        safe_way = "see the source answer first (`gwtui doctor`)"
        refusals.append(Refusal(code="unread", text=f"{key} could not be read", safe_way=safe_way))
    else:
        present = _percent(documents[key])
        for percent in (*(each for each in wish.ramp if 0 < each < 100 - present), *((0,) if present < 100 else ())):
            drafts.write(
                f"{wish.target} {percent} % of what other clusters send",
                {key: _weighing(drafts.now(key), 100 - percent)},
                {},
                truths=STORED,
                bake_s=wish.bake_s if percent else 0.0,
            )
        if not drafts.steps:
            safe_way = f"`gwtui undrain` if we did it; else take {DRAINING_WEIGHT} off {node.key}"
            refusals.append(
                Refusal(code="already-drained", text=f"{node.key} is kept from everything already", safe_way=safe_way)
            )
    return Outline(
        title=f"drain {drain.target}, what other clusters send",
        drain=drain,
        steps=drafts.steps,
        stages=drafts.stages,
        refusals=tuple(refusals),
        cautions=(NOT_SEEN_HERE,),
        checked=(f"{node.key} is run by {node.controller}: other clusters reach this one through it",),
    )


def _percent(document: Document) -> int:
    """What is kept away now; 0 where the annotation says nothing that counts."""
    told = str((document.get("metadata", {}).get("annotations") or {}).get(DRAINING_WEIGHT, ""))
    return min(int(told), 100) if told.isdecimal() else 0


def _weighing(document: Document, percent: int) -> Document:
    weighed: Document = copied(document)
    metadata = weighed.setdefault("metadata", {})
    metadata["annotations"] = {**(metadata.get("annotations") or {}), DRAINING_WEIGHT: str(percent)}
    return weighed
