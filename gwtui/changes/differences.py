"""What differs between two versions of an object: for a reviewer, as a patch for the API, as one for a repository."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import jsonpatch

from gwtui.changes.alignment import aligned, unmoved
from gwtui.changes.copying import copied
from gwtui.changes.defaults import strip, without_defaults
from gwtui.changes.documents import as_yaml, content_of, draft_of
from gwtui.changes.plan import Document
from gwtui.errors import Conflict

Operation = dict[str, Any]
"""One operation of a JSON Patch (RFC 6902)."""
Path = tuple[str | int, ...]

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_BOOKKEEPING = ("uid", "resourceVersion", "generation", "creationTimestamp", "selfLink", "deletionTimestamp")


class Difference(NamedTuple):
    """One field that differs, or one item of a list that was added, removed or moved."""

    path: str
    """`spec.rules[2].backendRefs[0].weight`. Positions are those of the later version, of the earlier one for what
    was removed."""
    before: Any
    """None: it was not there. Of an item that moved: `item 1`, its position counted from 0."""
    after: Any
    """None: it is not there any more. Of an item that moved: `item 3`."""
    is_move: bool = False

    @property
    def is_weight(self) -> bool:
        """Whether it is the weight of a backend."""
        return self.path.endswith(".weight")


def differences(before: Document, after: Document) -> tuple[Difference, ...]:
    """Return what differs, in the order of the document.

    Empty exactly when both have the same content: defaults of the API, bookkeeping and status do not count.
    """
    kind = str(after.get("kind") or "")
    return tuple(_compare(content_of(before), content_of(after), (), kind))


def path_text(path: Path) -> str:
    """Return a path as people write it: `spec.rules[2].name`, `metadata.labels["app.kubernetes.io/name"]`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _PLAIN.fullmatch(step):
            text += f".{step}" if text else step
        else:
            text += f'["{step}"]'
    return text


def patch(before: Document, after: Document) -> list[Operation]:
    """Return the operations that give `before` the spec, labels and annotations of `after`.

    They start with the preconditions: the object is still that one, in that version. Nothing else is touched,
    whatever else differs; of bookkeeping, `before` alone counts.
    """
    metadata = before.get("metadata") or {}
    operations: list[Operation] = [
        {"op": "test", "path": f"/metadata/{name}", "value": metadata[name]}
        for name in ("uid", "resourceVersion")
        if metadata.get(name)
    ]
    mine, wanted = _ours(before), _ours(after)
    moves = list(_rearranged(mine, wanted, ""))
    rest: list[Operation] = jsonpatch.make_patch(mine, wanted).patch
    return operations + moves + rest


def apply_patch(document: Document, operations: Sequence[Operation]) -> Document:
    """Return the document with the operations carried out.

    Raises:
        Conflict: a precondition fails, or a path does not exist: the document is not what they were made for.
    """
    try:
        result: Document = jsonpatch.apply_patch(copied(document), list(operations), in_place=True)
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException) as error:
        raise Conflict(f"the patch does not fit: {error}", "make it anew from the present object") from error
    return result


def as_patch_file(before: Document, after: Document) -> str:
    """Return the change as a unified diff of YAML without defaults and bookkeeping; empty when nothing differs."""
    metadata = after.get("metadata") or {}
    name = f"{metadata.get('namespace') or 'default'}/{metadata.get('name') or 'object'}.yaml"
    old, new = (as_yaml(_as_written(each)).splitlines(keepends=True) for each in (before, after))
    return "".join(difflib.unified_diff(old, new, f"a/{name}", f"b/{name}"))


def _as_written(document: Document) -> Document:
    document = without_defaults(draft_of(document))
    for name in _BOOKKEEPING:
        document["metadata"].pop(name, None)
    return document


def _compare(before: Any, after: Any, path: Path, kind: str) -> Iterator[Difference]:
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for name in [*before, *(name for name in after if name not in before)]:
            if name not in after:
                yield Difference(path_text((*path, name)), strip(before[name], kind, (*path, name)), None)
            elif name not in before:
                yield Difference(path_text((*path, name)), None, strip(after[name], kind, (*path, name)))
            else:
                yield from _compare(before[name], after[name], (*path, name), kind)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _compare_items(before, after, path, kind)
    else:
        yield Difference(path_text(path), strip(before, kind, path), strip(after, kind, path))


def _compare_items(before: list[Any], after: list[Any], path: Path, kind: str) -> Iterator[Difference]:
    pairs = aligned(before, after, str(path[-1]))
    still = unmoved(pairs)
    for index, item in enumerate(before):
        if index not in pairs:
            yield Difference(path_text((*path, index)), strip(item, kind, (*path, index)), None)
    origin = {new: old for old, new in pairs.items()}
    for index, item in enumerate(after):
        here = (*path, index)
        if index not in origin:
            yield Difference(path_text(here), None, strip(item, kind, here))
            continue
        if origin[index] not in still:
            yield Difference(path_text(here), f"item {origin[index]}", f"item {index}", is_move=True)
        yield from _compare(before[origin[index]], item, here, kind)


def _ours(document: Document) -> Document:
    """The parts of an object that a patch of ours may touch; its own copy."""
    metadata = document.get("metadata") or {}
    said = {name: copied(metadata[name]) for name in ("labels", "annotations") if metadata.get(name)}
    return {"metadata": said, **({"spec": copied(document["spec"])} if "spec" in document else {})}


def _rearranged(mine: Any, wanted: Any, path: str) -> Iterator[Operation]:
    """Give the lists in `mine`, in place, the items of those in `wanted`; what is left differs within items.

    The library compares lists place by place, so that one item inserted would rewrite all that follow.
    """
    if isinstance(mine, dict) and isinstance(wanted, dict):
        for name in mine:
            if name in wanted and mine[name] != wanted[name]:
                step = name.replace("~", "~0").replace("/", "~1")
                yield from _rearranged(mine[name], wanted[name], f"{path}/{step}")
    elif isinstance(mine, list) and isinstance(wanted, list):
        yield from _rearranged_items(mine, wanted, path)


def _rearranged_items(mine: list[Any], wanted: list[Any], path: str) -> Iterator[Operation]:
    pairs = aligned(mine, wanted, path.rpartition("/")[2])
    placed = {pairs[index] for index in unmoved(pairs)}
    for index in range(len(mine) - 1, -1, -1):
        if index not in pairs:
            del mine[index]
            yield {"op": "remove", "path": f"{path}/{index}"}
    order = [pairs[index] for index in sorted(pairs)]
    for index in sorted(set(order) - placed):
        place = order.index(index)
        item = mine.pop(place)
        del order[place]
        # Behind the last of those that stand right already and come before it.
        to = max((at + 1 for at, each in enumerate(order) if each in placed and each < index), default=0)
        mine.insert(to, item)
        order.insert(to, index)
        placed.add(index)
        if to != place:
            yield {"op": "move", "from": f"{path}/{place}", "path": f"{path}/{to}"}
    for index, item in enumerate(wanted):
        if index not in order:
            mine.insert(index, copied(item))
            order.insert(index, index)
            yield {"op": "add", "path": f"{path}/{index}", "value": copied(item)}
    for index, item in enumerate(wanted):
        if mine[index] != item:
            yield from _rearranged(mine[index], item, f"{path}/{index}")
