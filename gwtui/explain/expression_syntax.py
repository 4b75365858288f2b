r"""The syntax of RE2, as far as it is about ASCII letters, read into nodes.

*Source:* the syntax page of RE2. What it refuses is refused here; what it takes and this does not read, such as
`\pN`, `\C` or octal numbers, is refused as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto

_LONGEST = 4096
_DEEPEST = 100
_MOST_REPEATS = 1000
"""RE2 refuses more, nested ones multiplied."""

_ALL = (1 << 128) - 1


class Cannot(Exception):
    """This is no expression that can be read here."""


class Move(Enum):
    """What a step asks for."""

    LETTER = auto()
    TEXT_START = auto()
    TEXT_END = auto()
    LINE_START = auto()
    LINE_END = auto()
    WORD_EDGE = auto()
    NO_WORD_EDGE = auto()


@dataclass(frozen=True, slots=True)
class Step:
    """One letter out of some, or a condition on the place in the text."""

    move: Move
    letters: int = 0
    """One bit for each ASCII letter."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """A node some times over."""

    node: Node
    least: int
    most: int | None
    """None is any number."""


Node = Step | Repeat | tuple["Node", ...] | frozenset["Node"]
"""A tuple is one after the other, a set is one of them. Whether a repetition is greedy does not matter here."""


@dataclass(frozen=True, slots=True)
class Flags:
    """What `(?ims)` switches."""

    ignores_case: bool = False
    has_lines: bool = False
    dot_takes_all: bool = False


def parse(pattern: str, flags: Flags) -> Node:
    """Return the nodes of an expression.

    Raises:
        Cannot: it is not read here.
    """
    if not pattern.isascii() or len(pattern) > _LONGEST:
        raise Cannot
    reader = _Reader(pattern, flags)
    node = reader.alternatives(0)
    if reader.position < len(pattern):  # a parenthesis that was never opened
        raise Cannot
    return node


def _mask(letters: str) -> int:
    return sum(1 << ord(letter) for letter in set(letters))


def _span(first: str, last: str) -> int:
    if first > last:
        raise Cannot
    return sum(1 << code for code in range(ord(first), ord(last) + 1))


_DIGITS, _UPPER, _LOWER = _span("0", "9"), _span("A", "Z"), _span("a", "z")
_ALPHA = _UPPER | _LOWER
_WORD = _ALPHA | _DIGITS | _mask("_")
_PUNCTUATION = _span("!", "/") | _span(":", "@") | _span("[", "`") | _span("{", "~")

_CLASSES = {"d": _DIGITS, "w": _WORD, "s": _mask("\t\n\f\r ")}
_NAMED = {
    "alnum": _ALPHA | _DIGITS, "alpha": _ALPHA, "ascii": _ALL, "blank": _mask("\t "),
    "cntrl": _span("\0", "\x1f") | _mask("\x7f"), "digit": _DIGITS, "graph": _span("!", "~"), "lower": _LOWER,
    "print": _span(" ", "~"), "punct": _PUNCTUATION, "space": _mask("\t\n\v\f\r "), "upper": _UPPER, "word": _WORD,
    "xdigit": _DIGITS | _span("A", "F") | _span("a", "f"),
}  # fmt: skip
_PLACES = {
    "A": Move.TEXT_START,
    "z": Move.TEXT_END,
    "b": Move.WORD_EDGE,
    "B": Move.NO_WORD_EDGE,
}
_CONTROLS = {"a": "\a", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}

_BOUNDS = re.compile(r"\{(\d{1,4})(,(\d{1,4})?)?\}", re.ASCII)
_GROUP_NAME = re.compile(r"\?P?<([A-Za-z_]\w*)>", re.ASCII)
_FLAGS = re.compile(r"\?([imsU]*)(?:-([imsU]+))?([:)])", re.ASCII)
_POSIX_CLASS = re.compile(r"\[:(\^?)([a-z]+):\]", re.ASCII)
_HEX = re.compile(r"x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})", re.ASCII)


class _Reader:
    """Reads an expression from left to right."""

    def __init__(self, pattern: str, flags: Flags) -> None:
        self._pattern = pattern
        self._flags = flags
        self._names: set[str] = set()
        self.position = 0

    def alternatives(self, depth: int) -> Node:
        """Read up to the end, or up to the parenthesis that ends this group."""
        if depth > _DEEPEST:
            raise Cannot
        found = {self._sequence(depth)}
        while self._take("|"):
            found.add(self._sequence(depth))
        return frozenset(found) if len(found) > 1 else found.pop()

    def _sequence(self, depth: int) -> Node:
        return tuple(self._pieces(depth))

    def _pieces(self, depth: int) -> Iterator[Node]:
        while self.position < len(self._pattern) and self._pattern[self.position] not in "|)":
            if self._take("\\Q"):
                yield from self._quoted()
                continue
            node = self._atom(depth)
            if node is not None:
                yield self._repeated(node)

    def _quoted(self) -> Iterator[Node]:
        r"""The letters up to `\E`. A repetition after it would be of the last one."""
        end = self._pattern.find("\\E", self.position)
        text = self._pattern[self.position : end if end >= 0 else None]
        self.position += len(text) + (2 if end >= 0 else 0)
        for letter in text[:-1]:
            yield self._letter(letter)
        if text:
            yield self._repeated(self._letter(text[-1]))
        elif self._repeats_here():
            raise Cannot

    def _repeated(self, node: Node) -> Node:
        """A node with the repetition that follows it, if one does."""
        bounds = self._bounds()
        if bounds is None:
            return node
        self._take("?")
        if self._bounds() is not None:  # `a**` is refused
            raise Cannot
        least, most = bounds
        found = Repeat(node, least, most)
        if (least > 1 or (most or 0) > 1) and not _repeats_left(found, _MOST_REPEATS):
            raise Cannot
        return found

    def _bounds(self) -> tuple[int, int | None] | None:
        for mark, bounds in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self._take(mark):
                return bounds
        found = _BOUNDS.match(self._pattern, self.position)
        if found is None:
            return None
        self.position = found.end()
        least = int(found[1])
        most = int(found[3]) if found[3] else None if found[2] else least
        if least > _MOST_REPEATS or (most is not None and not least <= most <= _MOST_REPEATS):
            raise Cannot
        return least, most

    def _atom(self, depth: int) -> Node | None:
        """What stands here, without its repetition; None is a change of flags, which stands for nothing."""
        if self._repeats_here():
            raise Cannot
        match letter := self._next():
            case "(":
                return self._group(depth)
            case "[":
                return Step(Move.LETTER, self._class())
            case ".":
                return Step(Move.LETTER, _ALL if self._flags.dot_takes_all else _ALL & ~_mask("\n"))
            case "^":
                return Step(Move.LINE_START if self._flags.has_lines else Move.TEXT_START)
            case "$":
                return Step(Move.LINE_END if self._flags.has_lines else Move.TEXT_END)
            case _:
                return self._escaped() if letter == "\\" else self._letter(letter)

    def _group(self, depth: int) -> Node | None:
        before = self._flags
        if name := _GROUP_NAME.match(self._pattern, self.position):
            if name[1] in self._names:
                raise Cannot
            self._names.add(name[1])
            self.position = name.end()
        elif flags := _FLAGS.match(self._pattern, self.position):
            self.position = flags.end()
            self._switch(flags[1], flags[2] or "")
            if flags[3] == ")":
                if self._repeats_here():
                    raise Cannot
                return None
        elif self._pattern.startswith("?", self.position):
            raise Cannot
        node = self.alternatives(depth + 1)
        if not self._take(")"):
            raise Cannot
        self._flags = before
        return node

    def _repeats_here(self) -> bool:
        return self.position < len(self._pattern) and (
            self._pattern[self.position] in "*+?" or _BOUNDS.match(self._pattern, self.position) is not None
        )

    def _switch(self, on: str, off: str) -> None:
        for letters, value in ((on, True), (off, False)):
            for letter in letters:
                if letter == "i":
                    self._flags = replace(self._flags, ignores_case=value)
                elif letter == "m":
                    self._flags = replace(self._flags, has_lines=value)
                elif letter == "s":
                    self._flags = replace(self._flags, dot_takes_all=value)

    def _escaped(self) -> Node:
        letter = self._peek()
        if letter in _PLACES:
            self.position += 1
            return Step(_PLACES[letter])
        if letter.lower() in _CLASSES:
            return Step(Move.LETTER, self._class_letter())
        return self._letter(self._escaped_letter())

    def _class_letter(self) -> int:
        r"""The letters of `\d` or `\D`."""
        letter = self._next()
        found = _CLASSES[letter.lower()]
        return found if letter.islower() else _ALL & ~found

    def _escaped_letter(self) -> str:
        if number := _HEX.match(self._pattern, self.position):
            self.position = number.end()
            code = int(number[1] or number[2], 16)
            if code > 127:
                raise Cannot
            return chr(code)
        letter = self._next()
        if letter in _CONTROLS:
            return _CONTROLS[letter]
        if letter.isalnum():
            raise Cannot
        return letter

    def _class(self) -> int:
        """The letters of a class, up to its closing bracket."""
        is_negated = self._take("^")
        found, is_first = 0, True
        while is_first or not self._take("]"):
            is_first = False
            found |= self._class_part()
        if self._flags.ignores_case:
            found = _folded(found)
        return _ALL & ~found if is_negated else found

    def _class_part(self) -> int:
        if self._pattern.startswith("[:", self.position) and ":]" in self._pattern[self.position + 2 :]:
            named = _POSIX_CLASS.match(self._pattern, self.position)
            if named is None or named[2] not in _NAMED:
                raise Cannot
            self.position = named.end()
            return _ALL & ~_NAMED[named[2]] if named[1] else _NAMED[named[2]]
        if self._pattern.startswith("\\", self.position):
            following = self._pattern[self.position + 1 : self.position + 2]
            if following and following.lower() in _CLASSES:
                self.position += 1
                return self._class_letter()
        first = self._class_end()
        rest = self._pattern[self.position : self.position + 2]
        if len(rest) == 2 and rest[0] == "-" and rest[1] != "]":
            self.position += 1
            return _span(first, self._class_end())
        return _mask(first)

    def _class_end(self) -> str:
        """One letter of a class: one end of a range, or a letter by itself."""
        return self._escaped_letter() if self._take("\\") else self._next()

    def _letter(self, letter: str) -> Step:
        mask = _mask(letter)
        return Step(Move.LETTER, _folded(mask) if self._flags.ignores_case else mask)

    def _peek(self) -> str:
        if self.position >= len(self._pattern):
            raise Cannot
        return self._pattern[self.position]

    def _next(self) -> str:
        letter = self._peek()
        self.position += 1
        return letter

    def _take(self, text: str) -> bool:
        """Go past a text when it stands here."""
        if not self._pattern.startswith(text, self.position):
            return False
        self.position += len(text)
        return True


def _folded(letters: int) -> int:
    """Letters in both cases. Upper and lower case lie 32 apart in ASCII."""
    return letters | (letters & _UPPER) << 32 | (letters & _LOWER) >> 32


def _repeats_left(node: Node, allowed: int) -> int:
    """What is left of the repetitions RE2 allows, as it counts them; 0 is too many."""
    match node:
        case Step():
            return allowed
        case Repeat():
            times = node.least if node.most is None else node.most
            return _repeats_left(node.node, allowed // times if times > 0 else allowed)
        case _:
            return min((_repeats_left(each, allowed) for each in node), default=allowed)
