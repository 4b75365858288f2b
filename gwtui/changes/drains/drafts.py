"""The present objects, edited stage by stage: each edit of an object begins where the one before it ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gwtui.changes.documents import same_content
from gwtui.changes.plan import AdminPost, Document, ObjectEdit, Stage, StageKind, Step
from gwtui.model.ids import GatewayKey, ObjectKey

IN_FORCE = ("stored", "programmed", "loaded")
"""What is waited for after each edit of a route."""

STORED = ("stored",)
"""What is waited for after an edit of which no proxy tells that it holds it."""


class Drafts:
    """Collects steps and stages.

    Args:
        documents: The present objects.
    """

    def __init__(self, documents: Mapping[ObjectKey, Document]) -> None:
        self._present = documents
        self._now = dict(documents)
        self._steps: list[Step] = []
        self._stages: list[Stage] = []

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every step so far."""
        return tuple(self._steps)

    @property
    def stages(self) -> tuple[Stage, ...]:
        """Every stage so far."""
        return tuple(self._stages)

    def now(self, key: ObjectKey) -> Document:
        """Return an object as the steps so far leave it."""
        return self._now[key]

    def edited(self) -> dict[ObjectKey, tuple[Document, Document]]:
        """Return the objects that differ in the end, as they are and as they will be."""
        return {
            key: (self._present[key], after)
            for key, after in self._now.items()
            if not same_content(self._present[key], after)
        }

    def write(
        self,
        title: str,
        wanted: Mapping[ObjectKey, Document],
        gateways: Mapping[ObjectKey, tuple[GatewayKey, ...]],
        *,
        truths: tuple[str, ...] = IN_FORCE,
        bake_s: float = 0.0,
    ) -> None:
        """Add a stage that gives objects another content; none where all have it already.

        Args:
            title: What it does.
            wanted: The objects as they are to be.
            gateways: Whose proxies get another configuration, by object.
            truths: What is waited for after each edit.
            bake_s: Seconds that the guard watches afterwards.
        """
        edits = [
            ObjectEdit(
                key=key,
                object_kind=str(after.get("kind", "")),
                before=self._now[key],
                after=after,
                gateways=gateways.get(key, ()),
            )
            for key, after in wanted.items()
            if not same_content(self._now[key], after)
        ]
        self._now.update({each.key: each.after for each in edits})
        self._add(title, edits, truths, bake_s)

    def post(self, title: str, posts: Sequence[AdminPost]) -> None:
        """Add a stage in which proxies are told something; none without any."""
        self._add(title, posts, (), 0.0)

    def wait(self, stage: Stage) -> None:
        """Add a stage that only waits."""
        self._stages.append(stage)

    def _add(self, title: str, steps: Sequence[Step], truths: tuple[str, ...], bake_s: float) -> None:
        if steps:
            first = len(self._steps)
            self._steps.extend(steps)
            positions = tuple(range(first, len(self._steps)))
            stage = Stage(kind=StageKind.WRITE, title=title, steps=positions, truths=truths, bake_s=bake_s)
            self._stages.append(stage)
