"""Regular expressions as proxies read them, matched in bounded time.

Envoy and the control planes read expressions as RE2 does, and a match must take the whole text. Here the part of that
syntax is read which is not about letters beyond ASCII; of everything else, and of what RE2 refuses, nothing is claimed.
All ways through an expression are followed at once, so that no expression makes a text cost more than its length
times the size of the expression.

*Source:* RE2 as of 2025 with its default options (`.` leaves out the line feed, `$` is the very end of the text).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from gwtui.explain.expression_syntax import Cannot, Flags, Move, Node, Step, parse

_LARGEST = 10_000
"""Instructions of the largest expression that is run."""
_MOST_STEPS = 500_000
"""Instructions that are looked at for one text, at most: some tenths of a second."""
_KEPT = 16_384

_WORD = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")


def full_match(pattern: str, text: str) -> bool | None:
    """Return whether an expression takes a whole text; None where that cannot be told.

    Args:
        pattern: An RE2 expression. None is returned for what RE2 refuses, for letters beyond ASCII and Unicode
            classes, and for expressions of ten thousand instructions and more.
        text: What it is compared with. None is returned for texts beyond ASCII.
    """
    program = _program(pattern)
    return program.takes(text) if program is not None and text.isascii() else None


def is_readable(pattern: str) -> bool:
    """Whether it can be told of an expression which texts it takes."""
    return _program(pattern) is not None


@dataclass(frozen=True, slots=True)
class _Program:
    """Instructions: each is a step with the numbers of those that may follow it. The last one is the end."""

    steps: tuple[Step | None, ...]
    """None moves on without looking at anything."""
    follows: tuple[tuple[int, ...], ...]

    def takes(self, text: str) -> bool | None:
        """Whether the instructions lead from the start of a text to its end; None when that takes too long."""
        end = len(self.steps) - 1
        here, spent = self._reach([0], text, 0)
        for position, letter in enumerate(text):
            code = ord(letter)
            after: list[int] = []
            for each in here:
                step = self.steps[each]
                if step is not None and step.letters >> code & 1:
                    after.extend(self.follows[each])
            if not after:
                return False
            here, more = self._reach(after, text, position + 1)
            spent += more + len(here)
            if spent > _MOST_STEPS:
                return None
        return end in here

    def _reach(self, start: list[int], text: str, position: int) -> tuple[list[int], int]:
        """The instructions that wait for a letter, or are the end, before a place; and how many were looked at."""
        seen, waiting, stack = set(start), [], start
        end = len(self.steps) - 1
        while stack:
            at = stack.pop()
            step = self.steps[at]
            if at == end or (step is not None and step.move is Move.LETTER):
                waiting.append(at)
                continue
            if step is not None and not _holds(step.move, text, position):
                continue
            for each in self.follows[at]:
                if each not in seen:
                    seen.add(each)
                    stack.append(each)
        return waiting, len(seen)


def _holds(move: Move, text: str, position: int) -> bool:
    """Whether a condition on a place in the text holds."""
    match move:
        case Move.TEXT_START:
            return position == 0
        case Move.TEXT_END:
            return position == len(text)
        case Move.LINE_START:
            return position == 0 or text[position - 1] == "\n"
        case Move.LINE_END:
            return position == len(text) or text[position] == "\n"
        case _:
            before = position > 0 and text[position - 1] in _WORD
            after = position < len(text) and text[position] in _WORD
            return (before != after) == (move is Move.WORD_EDGE)


@lru_cache(maxsize=_KEPT)
def _program(pattern: str) -> _Program | None:
    try:
        return _Assembly().whole(parse(pattern, Flags()))
    except Cannot:
        return None


class _Assembly:
    """Puts instructions together, from the end of an expression to its start."""

    def __init__(self) -> None:
        self._steps: list[Step | None] = []
        self._follows: list[tuple[int, ...]] = []

    def whole(self, node: Node) -> _Program:
        """The program of an expression.

        Raises:
            Cannot: it is too large.
        """
        end = self._add(None)
        self._add(None, self._build(node, end))
        last = len(self._steps) - 1
        # They were put together backwards: what comes first has the highest number.
        return _Program(
            tuple(reversed(self._steps)),
            tuple(tuple(last - each for each in follows) for follows in reversed(self._follows)),
        )

    def _add(self, step: Step | None, *follows: int) -> int:
        if len(self._steps) >= _LARGEST:
            raise Cannot
        self._steps.append(step)
        self._follows.append(follows)
        return len(self._steps) - 1

    def _build(self, node: Node, then: int) -> int:
        """Add what a node is; return where it begins."""
        match node:
            case Step():
                return self._add(node, then)
            case tuple():
                for each in reversed(node):
                    then = self._build(each, then)
                return then
            case frozenset():
                return self._add(None, *(self._build(each, then) for each in node))
            case _:
                return self._repeated(node.node, node.least, node.most, then)

    def _repeated(self, node: Node, least: int, most: int | None, then: int) -> int:
        if most is None:
            loop = self._add(None)
            self._follows[loop] = (self._build(node, loop), then)
            start = loop
        else:
            start = then
            for _ in range(most - least):
                start = self._add(None, self._build(node, start), then)
        for _ in range(least):
            start = self._build(node, start)
        return start
