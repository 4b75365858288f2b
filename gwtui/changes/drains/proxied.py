"""One proxy drained: it fails its health check, so that nobody sends to it any more, and the others take its part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from gwtui.changes.drains.drafts import Drafts
from gwtui.changes.drains.ending import ends_of
from gwtui.changes.drains.forbidding import earlier_drains, live
from gwtui.changes.drains.outline import Outline
from gwtui.changes.drains.wish import DrainWish, OneProxy
from gwtui.changes.journal import Change
from gwtui.changes.plan import AdminPost, Caution, Drain, DrainKind, Refusal, Stage, StageKind
from gwtui.model.health import ProxyState
from gwtui.model.ids import ProxyKey
from gwtui.model.shape import GatewayNode
from gwtui.model.snapshot import ClusterView, ProxyView, Snapshot

FAIL, PASS = "/healthcheck/fail", "/healthcheck/ok"
CLOSE = "/drain_listeners?graceful"

WAIT = "wait until empty"
NOT_UNDOABLE = Caution(
    code="not-undoable", text="closed listeners stay closed: only a restart of the proxy opens them again"
)


def draw_proxy(
    snapshot: Snapshot,
    view: ClusterView,
    node: GatewayNode,
    wish: DrainWish,
    *,
    changes: Sequence[Change],
    now: datetime,
) -> Outline:
    """Return how one proxy is drained.

    Args:
        snapshot: Everything known.
        view: Its cluster.
        node: Its gateway.
        wish: What is asked for; its target is one proxy.
        changes: What our journal tells.
        now: The time.
    """
    assert isinstance(wish.target, OneProxy)  # noqa: S101 - the caller has looked
    proxy = wish.target.proxy
    others = [each for each in live(snapshot, node) if each.key != proxy]
    drain = Drain(
        kind=DrainKind.PROXY,
        target=str(wish.target),
        gateway=node.key,
        to=f"{len(others)} other{'s' if len(others) != 1 else ''} of {node.key}",
        way="health",
        ends=ends_of(view, wish.target, node.key).ends,
        deadline_s=wish.deadline_s,
    )
    drafts = Drafts({})
    drafts.post(f"fail the health check of {proxy}", [AdminPost(proxy=proxy, path=FAIL, reverse_path=PASS)])
    drafts.wait(Stage(kind=StageKind.EMPTY, title=WAIT))
    if wish.closes_listeners:
        close(drafts, [proxy])
    seen = snapshot.proxies.get(proxy) or ProxyView(key=proxy)
    same = [change for change in changes if change.plan.drain and change.plan.drain.gateway == node.key]
    return Outline(
        title=f"drain {proxy}",
        drain=drain,
        steps=drafts.steps,
        stages=drafts.stages,
        refusals=(*_refusals(node, seen, others), *earlier_drains(same, drain, {node.key}, now)),
        cautions=tuple(_cautions(seen, wish)),
        checked=(f"{len(others)} of {len(node.proxies) - 1} other proxies of {node.key} answer and take requests",),
    )


def close(drafts: Drafts, proxies: Sequence[ProxyKey]) -> None:
    """Add the stage that closes the listeners of proxies, for good."""
    posts = [AdminPost(proxy=each, path=CLOSE, reverse_path="") for each in proxies]
    drafts.post(f"close the listeners of {', '.join(map(str, proxies))}", posts)


def _refusals(node: GatewayNode, seen: ProxyView, others: Sequence[ProxyView]) -> Iterator[Refusal]:
    if not others:
        yield Refusal(
            code="last-healthy",
            text=f"no other proxy of {node.key} is known to answer and to take requests: nobody would take its part, "
            "or callers would find too few healthy ones and send to all of them (panic mode)",
            safe_way=f"add a proxy to {node.key} and see it answer first, or drain the whole gateway",
        )
    if not seen.is_answering:
        yield Refusal(
            code="no-answer",
            text=f"{seen.key} does not answer ({seen.reason or 'it was never asked'}): it cannot be told to fail",
            safe_way="see it answer first; a pod that is gone for good needs no drain",
        )


def _cautions(seen: ProxyView, wish: DrainWish) -> Iterator[Caution]:
    if seen.state is ProxyState.DRAINING:
        yield Caution(code="drained-outside", text=f"{seen.key} fails its health check already: somebody else did that")
    if wish.closes_listeners:
        yield NOT_UNDOABLE
