from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from gwtui.model.ids import ExternalKey, GatewayKey, ServiceKey
from gwtui.model.shape import Hop
from gwtui.model.topology import relate
from object_sets import CLUSTERS, GA
from objects import decode


@given(CLUSTERS)
@settings(max_examples=300, deadline=None)
def test_whatever_the_objects_there_is_a_sound_topology(manifests):
    objects = decode(manifests)
    topology = relate("demo", objects)
    keys = {(found.key.namespace, found.key.name) for found in topology.gateways}
    assert keys == set(objects[f"gateways.{GA}"])
    tiers = {found.key: found.tier for found in topology.gateways}
    circular = {found.key for found in topology.gateways if any("in a circle" in problem for problem in found.problems)}
    for hop in topology.hops:
        assert hop.source in tiers
        assert hop.shares or hop.rule == "waypoint"
        assert isinstance(hop.target, GatewayKey | ServiceKey | ExternalKey)
        assert all(0 <= share.intended <= 1 for share in hop.shares)
        if isinstance(hop.target, GatewayKey):
            assert hop.target in tiers
            assert hop.target != hop.source
            assert tiers[hop.target] > tiers[hop.source] or {hop.source, hop.target} <= circular
    assert all(tiers[door.gateway] == 1 for door in topology.front_doors)
    assert all(pattern.evidence for pattern in topology.patterns)
    assert bool(topology.patterns) is not bool(topology.missing)
    assert len(set(topology.hops)) == len(topology.hops) == len({_edge(hop) for hop in topology.hops})


def _edge(hop: Hop) -> tuple[object, ...]:
    return hop.source, type(hop.target), hop.target, hop.rule


@given(CLUSTERS, st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_the_order_of_objects_means_nothing(manifests, shuffler: random.Random):
    objects = decode(manifests)
    resources = list(objects.items())
    shuffler.shuffle(resources)
    shuffled = {}
    for name, found in resources:
        entries = list(found.items())
        shuffler.shuffle(entries)
        shuffled[name] = dict(entries)
    assert relate("demo", shuffled) == relate("demo", objects)
