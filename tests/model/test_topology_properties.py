from __future__ import annotations

import random
import re
from collections.abc import Mapping
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from gwtui.model.ids import ExternalKey, GatewayKey, ServiceKey
from gwtui.model.shape import Hop
from gwtui.model.topology import relate
from object_sets import CLUSTERS, GA, NAMESPACED, OBJECTS, SCOPES, within
from objects import GOLDEN, KINDS, Objects, decode, load

RESOURCE = {**{kind.kind: kind.resource for kind in KINDS.values()}, "waypoint": f"gateways.{GA}"}
"""Resource by the word for one of its objects."""

RECORDED = sorted(path.name.removesuffix(".in.yaml") for path in (GOLDEN / "topology").glob("*.in.yaml"))
recorded = cache(load)


@given(CLUSTERS)
@settings(max_examples=300, deadline=None)
def test_whatever_the_objects_there_is_a_sound_topology(manifests):
    objects = decode(manifests)
    topology = relate("demo", objects)
    assert topology == relate("demo", objects)
    keys = {(found.key.namespace, found.key.name) for found in topology.gateways}
    assert keys == set(objects[f"gateways.{GA}"])
    tiers = {found.key: found.tier for found in topology.gateways}
    circular = {found.key for found in topology.gateways if any("in a circle" in problem for problem in found.problems)}
    for hop in topology.hops:
        assert hop.source in tiers
        assert hop.shares or hop.rule == "waypoint"
        assert isinstance(hop.target, GatewayKey | ServiceKey | ExternalKey)
        assert all(0 <= share.intended <= 1 for share in hop.shares)
        for share in hop.shares:
            route = objects[share.route.resource][(share.route.namespace, share.route.name)]
            assert share.rule_index < len(route.spec.rules)
        if isinstance(hop.target, GatewayKey):
            assert hop.target in tiers
            assert hop.target != hop.source
            assert tiers[hop.target] > tiers[hop.source] or {hop.source, hop.target} <= circular
    for found in topology.gateways:
        assert all((proxy.namespace, proxy.pod) in objects["pods"] for proxy in found.proxies)
        assert all((service.namespace, service.name) in objects["services"] for service in found.services)
        assert found.problems == tuple(sorted(set(found.problems)))
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


def assert_honest(whole: Objects, scopes: Mapping[str, frozenset[str]]) -> None:
    """Nothing that may not be read is said not to exist."""
    topology = relate("demo", within(whole, scopes), scopes)
    said = " ".join([*topology.problems, *(each for node in topology.gateways for each in node.problems)])
    for kind, namespace, name in re.findall(r"(\w+) ([\w-]+)/([\w-]+) does not exist", said):
        assert (namespace, name) not in whole[RESOURCE[kind]]
    for namespace in re.findall(r"no ReferenceGrant in ([\w-]+)", said):
        assert namespace in scopes.get(f"referencegrants.{GA}", {namespace})
    for node in topology.gateways:
        for kind, words in (("pods", "no running proxy pod"), ("services", "no Service was found")):
            if any(words in problem for problem in node.problems):
                assert node.key.namespace in scopes.get(kind, {node.key.namespace})


@given(st.lists(OBJECTS, min_size=10, max_size=40), SCOPES)
@settings(max_examples=200, deadline=None)
def test_what_may_not_be_read_is_never_said_not_to_exist(manifests, scopes):
    assert_honest(decode(manifests), scopes)


@given(st.sampled_from(RECORDED), st.data())
@settings(max_examples=200, deadline=None)
def test_rights_in_some_namespaces_of_an_installation(name, data):
    whole = recorded(name)
    spaces = sorted({namespace for found in whole.values() for namespace, _ in found} - {""})
    some = st.frozensets(st.sampled_from(spaces), max_size=2)
    scopes = data.draw(
        st.one_of(
            st.dictionaries(st.sampled_from(NAMESPACED), some), some.map(lambda read: dict.fromkeys(NAMESPACED, read))
        )
    )
    assert_honest(whole, scopes)


@given(CLUSTERS)
@settings(max_examples=100, deadline=None)
def test_nothing_is_unseen_where_all_is_read(manifests):
    topology = relate("demo", decode(manifests))
    said = [*topology.problems, *(each for node in topology.gateways for each in (*node.unseen, *node.problems))]
    assert not [each for each in said if "cannot be seen" in each and "its kind (" not in each]
