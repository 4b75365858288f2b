"""The filter of the Routes screen: words as everywhere, and terms about one thing: `host:shop !state:ok`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from gwtui.model.exposure import intersects
from gwtui.views.matching import matches
from gwtui.views.route_survey import RuleRow
from gwtui.views.spans import Role

STATES = {Role.BAD: "broken", Role.UNKNOWN: "unknown", Role.OK: "ok"}
"""Kinds of states by the role of a verdict; what is in none of them is `degraded`."""


def state_of(row: RuleRow) -> str:
    """The kind of its state, and its own word."""
    return f"{STATES.get(row.verdict.role, 'degraded')} {row.verdict.word}"


def _takes_host(row: RuleRow, wanted: str) -> bool:
    """Whether the text is in a hostname, or is a whole name that a wildcard or a rule without hostnames takes."""
    hosts = row.hosts
    is_whole = "." in wanted.strip(".")
    return _holds(hosts, wanted) or (is_whole and intersects(hosts, (wanted,)))


def _holds(texts: Iterable[str], wanted: str) -> bool:
    return any(wanted in each.lower() for each in texts)


FIELDS: Mapping[str, Callable[[RuleRow, str], bool]] = {
    "host": _takes_host,
    "ns": lambda row, wanted: wanted in row.key.route.namespace.lower(),
    "gw": lambda row, wanted: _holds(
        (*(parent.words for parent in row.facts.of.parents), *map(str, row.place.gateways)), wanted
    ),
    "backend": lambda row, wanted: _holds(
        (*row.facts.backends, *(str(branch.hop.target) for branch in row.place.branches)), wanted
    ),
    "state": lambda row, wanted: wanted in state_of(row),
}
"""What a term may be about."""


class Pattern(NamedTuple):
    """A filter taken apart."""

    words: str
    """What is looked for everywhere."""
    terms: tuple[tuple[str, str, bool], ...]
    """(field, what it has to hold, whether it must not)."""

    def takes(self, row: RuleRow) -> bool:
        """Whether a rule matches all of it."""
        if not all(FIELDS[field](row, wanted) is not unwanted for field, wanted, unwanted in self.terms):
            return False
        if not self.words:
            return True
        hosts = "" if row.facts.of.route.spec.hostnames else " ".join(row.place.hosts)
        return matches(self.words, f"{row.facts.search} {hosts} {row.verdict.word} {row.verdict.reason}")


def parse(pattern: str) -> Pattern:
    """Take a filter apart. A term without its value, as it is while typing, asks for nothing."""
    words: list[str] = []
    terms: list[tuple[str, str, bool]] = []
    for word in pattern.lower().split():
        field, colon, wanted = word.removeprefix("!").partition(":")
        if colon and field in FIELDS:
            if wanted:
                terms.append((field, wanted, word.startswith("!")))
        else:
            words.append(word)
    return Pattern(" ".join(words), tuple(terms))
