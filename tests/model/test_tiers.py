from __future__ import annotations

import itertools

import pytest

from gwtui.model.ids import GatewayKey
from gwtui.model.relations.tiers import tiers_of


def key(name: str) -> GatewayKey:
    return GatewayKey("demo", "infra", name)


def tiers(edges: str) -> tuple[dict[str, int], list[str]]:
    """Tiers and cycles of edges written as `ab bc`."""
    pairs = edges.split()
    between = [(key(a), key(b)) for a, b in pairs]
    found, cycles = tiers_of([key(name) for name in sorted(set("".join(pairs)))], between)
    return {gateway.name: tier for gateway, tier in found.items()}, [
        "".join(member.name for member in cycle) for cycle in cycles
    ]


def test_the_longest_way_counts():
    assert tiers("ab bc ac") == ({"a": 1, "b": 2, "c": 3}, [])


@pytest.mark.parametrize("names", [*itertools.permutations("abc")])
def test_a_circle_is_opened_where_traffic_enters_it(names):
    outside, entry, inner = names
    found, cycles = tiers(f"{outside}{entry} {entry}{inner} {inner}{entry}")
    assert found == {outside: 1, entry: 2, inner: 3}
    assert cycles == [entry + inner]


def test_a_circle_nobody_enters_starts_with_its_smallest_member():
    assert tiers("bc ca ab") == ({"a": 1, "b": 2, "c": 3}, ["abc"])


def test_several_circles_are_all_found():
    found, cycles = tiers("ab ba cd dc bc")
    assert sorted(cycles) == ["ab", "cd"]
    assert found == {"a": 1, "b": 2, "c": 3, "d": 4}
