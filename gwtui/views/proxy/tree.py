"""One document as a tree that folds and is searched: what is open is a value, so nothing is lost when it is painted."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from gwtui.views.spans import Line, Role, Span, line

Path = tuple[str | int, ...]
"""Keys and positions from the root."""

SMALL = 60
"""Up to how many nodes a document opens unfolded."""

OPEN_DEPTH = 2
"""Levels that are open at first in a larger one."""


class Node(NamedTuple):
    """One line of the document."""

    path: Path
    label: str
    """The key; for an entry of a list its position, and its name when it has one."""
    value: str
    """As JSON; empty for a container with something in it."""
    size: int
    """How many entries a container has; 0 for a value."""


class Tree:
    """A document with what is open in it.

    Args:
        body: The document: mappings, lists, texts, numbers.
        changed: Containers whose state is not the one they have at first.
        nodes: All nodes when they are known already.
    """

    def __init__(
        self, body: Mapping[str, Any], changed: frozenset[Path] = frozenset(), nodes: tuple[Node, ...] | None = None
    ) -> None:
        self._body = body
        self._changed = changed
        self._nodes = nodes
        self._found: tuple[str, tuple[Path, ...]] = ("", ())

    @cached_property
    def everything(self) -> tuple[Node, ...]:
        """All nodes in the order of the document."""
        return self._nodes if self._nodes is not None else tuple(_nodes(self._body, ()))

    @cached_property
    def shown(self) -> tuple[Node, ...]:
        """The nodes that are not folded away."""
        nodes: list[Node] = []
        folded = -1
        for node in self.everything:
            depth = len(node.path)
            if folded >= 0 and depth > folded:
                continue
            nodes.append(node)
            folded = depth if node.size and not self.is_open(node.path) else -1
        return tuple(nodes)

    @cached_property
    def _sizes(self) -> dict[Path, int]:
        return {node.path: node.size for node in self.everything}

    def size_of(self, path: Path) -> int:
        """How many entries a container has; 0 for a value, and for what is not in the document."""
        return self._sizes.get(path, 0)

    def is_open(self, path: Path) -> bool:
        """Whether a container shows what is in it."""
        at_first = len(self.everything) <= SMALL or len(path) < OPEN_DEPTH
        return at_first != (path in self._changed)

    def with_open(self, path: Path, *, is_open: bool) -> Tree:
        """The tree with one container opened or folded."""
        return self if self.is_open(path) == is_open else self._with(self._changed ^ {path})

    def reaching(self, path: Path) -> Tree:
        """The tree with everything open that a node lies in."""
        closed = {path[:length] for length in range(1, len(path)) if not self.is_open(path[:length])}
        return self._with(self._changed ^ closed) if closed else self

    def found(self, pattern: str) -> tuple[Path, ...]:
        """The nodes whose key or value holds the pattern, folded ones included; case does not matter."""
        if self._found[0] != pattern:
            wanted = pattern.casefold()
            paths = (node.path for node in self.everything if wanted in f"{node.label}: {node.value}".casefold())
            self._found = (pattern, tuple(paths) if pattern else ())
        return self._found[1]

    def beside(self, path: Path | None, pattern: str, direction: int) -> Path | None:
        """The match after (1) or before (-1) a node; beyond the last comes the first. None when nothing matches."""
        matches = self.found(pattern)
        if not matches:
            return None
        position = {node.path: at for at, node in enumerate(self.everything)}
        here = position.get(path, -1) if path is not None else -1
        places = [position[each] for each in matches]
        if direction > 0:
            return next((each for each, at in zip(matches, places, strict=True) if at > here), matches[0])
        before = [each for each, at in zip(matches, places, strict=True) if at < here]
        return before[-1] if before else matches[-1]

    def _with(self, changed: frozenset[Path]) -> Tree:
        tree = Tree(self._body, changed, self.everything)
        tree._found = self._found
        return tree


def node_line(tree: Tree, node: Node, pattern: str) -> Line:
    """One node, with the matches of a search set off."""
    indent = "  " * (len(node.path) - 1)
    if node.size:
        is_open = tree.is_open(node.path)
        many = f"  {node.size} {'entry' if node.size == 1 else 'entries'}"
        return line(
            f"{indent}{'▾' if is_open else '▸'} ",
            *_marked(node.label, pattern, Role.ACCENT),
            Span("" if is_open else many, Role.DIM),
        )
    return line(
        f"{indent}  ",
        *_marked(node.label, pattern, Role.ACCENT),
        Span(": ", Role.DIM),
        *_marked(node.value, pattern, Role.TEXT),
    )


def _nodes(value: Mapping[str, Any] | Sequence[Any], path: Path) -> Iterator[Node]:
    entries: list[tuple[str | int, Any]] = list(value.items()) if isinstance(value, Mapping) else list(enumerate(value))
    for key, entry in entries:
        own = (*path, key)
        is_container = isinstance(entry, Mapping | list | tuple) and bool(entry)
        label = _label(key, entry)
        yield Node(
            own, label, "" if is_container else json.dumps(entry, ensure_ascii=False), len(entry) if is_container else 0
        )
        if is_container:
            yield from _nodes(entry, own)


def _label(key: str | int, entry: Any) -> str:
    if isinstance(key, str):
        return key
    name = entry.get("name") if isinstance(entry, Mapping) else None
    return f"[{key}] {name}" if isinstance(name, str) else f"[{key}]"


def _marked(words: str, pattern: str, role: Role) -> list[Span]:
    """The words with every match of the pattern set off."""
    at = words.lower().find(pattern.lower()) if pattern else -1
    if at < 0:
        return [Span(words, role)]
    end = at + len(pattern)
    return [Span(words[:at], role), Span(words[at:end], Role.BADGE), *_marked(words[end:], pattern, role)]
