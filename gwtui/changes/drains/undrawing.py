"""Draws up what takes a drain back, cut off at whatever step: ready, then weights, then what was attached for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from gwtui.changes.documents import parents_of, same_content
from gwtui.changes.drains.drafts import STORED, Drafts
from gwtui.changes.drains.forbidding import live, span
from gwtui.changes.drains.outline import Outline
from gwtui.changes.journal import Change
from gwtui.changes.merging import Conflicts, merge
from gwtui.changes.plan import (
    AdminPost,
    Caution,
    Document,
    Drain,
    DrainKind,
    ObjectEdit,
    Refusal,
    Stage,
    StageKind,
    Step,
)
from gwtui.errors import Refused
from gwtui.model.ids import GatewayKey, ObjectKey
from gwtui.model.resources import ROUTES
from gwtui.model.snapshot import Snapshot

_READY_FIRST = frozenset({DrainKind.SHARD, DrainKind.PROXY})
"""What must be seen ready before it gets anything again."""


def draw_back(snapshot: Snapshot, change: Change, documents: Mapping[ObjectKey, Document], *, now: datetime) -> Outline:
    """Return what gives a drained thing its part again, and keeps what others changed since.

    Args:
        snapshot: Everything known.
        change: The drain.
        documents: The present objects that its steps edit, as `documents.draft_of` makes them.
        now: The time.

    Raises:
        Refused: the change is no drain.
    """
    if change.plan.drain is None:
        raise Refused(f"change {change.id} is no drain", f"`gwtui undo {change.id}` takes it back")
    return _Back(snapshot, change, documents).outline(now)


class _Back:
    """What takes one drain back."""

    def __init__(self, snapshot: Snapshot, change: Change, documents: Mapping[ObjectKey, Document]) -> None:
        self._snapshot = snapshot
        self._change = change
        self._documents = documents
        self._refusals: list[Refusal] = []
        self._cautions: list[Caution] = []

    def outline(self, now: datetime) -> Outline:
        drain = self._change.plan.drain
        assert drain is not None  # noqa: S101 - the caller has looked
        wanted = self._wanted()
        gateways = {key: _gateways(edits) for key, edits in self._edits().items()}
        attached = {key for key, edits in self._edits().items() if _is_attachment(edits)}
        routes = {key: after for key, after in wanted.items() if key.resource in ROUTES}
        drafts = Drafts({key: self._documents[key] for key in wanted})
        drafts.post(f"let {drain.target} pass its health check", self._posts())
        if drain.kind in _READY_FIRST:
            title = f"wait until {drain.gateway} is ready"
            drafts.wait(Stage(kind=StageKind.READY, title=title, gateways=(drain.gateway,)))
        others = {key: after for key, after in wanted.items() if key not in routes}
        title = (
            f"let other clusters send to {drain.target} again"
            if drain.kind is DrainKind.CLUSTER
            else f"put {drain.target} back into its Backends"
        )
        drafts.write(title, others, gateways, truths=STORED)
        back = {key: after for key, after in routes.items() if key not in attached}
        drafts.write(f"give {drain.target} its weights again", back, gateways)
        detached = {key: after for key, after in routes.items() if key in attached}
        drafts.write(f"detach what was attached to {drain.to}", detached, gateways)
        if not (self._change.applied or self._change.uncertain):
            text = f"nothing of change {self._change.id} is in force"
            self._refusals.append(Refusal(code="not-in-force", text=text, safe_way="`gwtui changes` tells which are"))
        return Outline(
            title=f"undrain {drain.target}",
            drain=drain,
            steps=drafts.steps,
            stages=drafts.stages if drafts.steps else (),
            refusals=tuple(self._refusals),
            cautions=(*self._cautions, *self._not_ready(drain)),
            checked=(f"drained by change {self._change.id} of {self._change.who}, {span(now, self._change)} ago",),
        )

    def _not_ready(self, drain: Drain) -> Iterator[Caution]:
        """Whether it will have to be waited for."""
        view = self._snapshot.clusters.get(drain.gateway.cluster)
        node = view.gateway(drain.gateway) if view is not None else None
        ready = len(live(self._snapshot, node)) if node is not None else 0
        count = len(node.proxies) if node is not None else 0
        if drain.kind is DrainKind.SHARD and (ready < count or not count):
            text = f"{ready} of {count} proxies of {drain.gateway} take requests: it is waited for until all of them do"
            yield Caution(code="not-ready", text=text)

    def _edits(self) -> dict[ObjectKey, list[tuple[int, ObjectEdit]]]:
        """The edits that are, or may be, in force, by object and in their order."""
        found: dict[ObjectKey, list[tuple[int, ObjectEdit]]] = {}
        for position, step in _steps(self._change):
            if isinstance(step, ObjectEdit):
                found.setdefault(step.key, []).append((position, step))
        return found

    def _wanted(self) -> dict[ObjectKey, Document]:
        """The objects as they are to be."""
        found: dict[ObjectKey, Document] = {}
        for key, edits in self._edits().items():
            current = self._documents.get(key)
            if current is None:
                self._cautions.append(Caution(code="gone", text=f"{key} is not there any more"))
                continue
            merged = merge(self._base(edits, current), edits[0][1].before, current)
            if isinstance(merged, Conflicts):
                names = ", ".join(each.path for each in merged.paths)
                self._refusals.append(
                    Refusal(
                        code="foreign-edit",
                        text=f"{key} was changed by somebody else since, in the same place: {names}",
                        safe_way="weigh both, and edit the route by hand",
                    )
                )
            else:
                found[key] = merged.document
        return found

    def _base(self, edits: Sequence[tuple[int, ObjectEdit]], current: Document) -> Document:
        """What the present object came from: what was written last, or what was there before if that never arrived."""
        position, last = edits[-1]
        is_missing = position in self._change.uncertain and same_content(current, last.before)
        return last.before if is_missing else last.after

    def _posts(self) -> list[AdminPost]:
        found: list[AdminPost] = []
        for _, step in _steps(self._change):
            if not isinstance(step, AdminPost):
                continue
            if step.reverse_path:
                found.append(step.reverse)
            else:
                text = f"{step.proxy} was told {step.path}: only its restart takes that back"
                self._cautions.append(Caution(code="not-undoable", text=text))
        return found


def _steps(change: Change) -> Iterator[tuple[int, Step]]:
    for position in sorted(change.applied | change.uncertain):
        yield position, change.plan.steps[position]


def _gateways(edits: Sequence[tuple[int, ObjectEdit]]) -> tuple[GatewayKey, ...]:
    return tuple(sorted({gateway for _, step in edits for gateway in step.gateways}))


def _is_attachment(edits: Sequence[tuple[int, ObjectEdit]]) -> bool:
    return parents_of(edits[0][1].before) != parents_of(edits[-1][1].after)
