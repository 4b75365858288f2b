"""With which request the question where requests go begins, by what it was asked of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gwtui.explain import examples
from gwtui.explain.request import line_of
from gwtui.explain.terrain import Terrain
from gwtui.model.ids import GatewayKey
from gwtui.views.route_facts import RuleKey


class Space(NamedTuple):
    """The Services of a namespace."""

    cluster: str
    namespace: str


Beginning = str | RuleKey | GatewayKey | Space
"""A line as it was typed, or what a request is to be found for."""


def first_line(terrains: Sequence[Terrain], about: Beginning) -> str:
    """Return the line to begin with; empty where no request can be found."""
    match about:
        case str():
            return about
        case RuleKey(route=route, number=number):
            found = examples.of_rule(terrains, route, number)
        case GatewayKey():
            found = examples.of_gateway(terrains, about)
        case Space(cluster=cluster, namespace=namespace):
            found = examples.of_namespace(terrains, cluster, namespace)
    return line_of(found) if found is not None else ""
