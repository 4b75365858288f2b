from __future__ import annotations

import json

import msgspec
import pytest

import golden
from gwtui.adapters.agentgateway.kinds import KINDS as AGENTGATEWAY_KINDS
from gwtui.adapters.aws.kinds import KINDS as AWS_KINDS
from gwtui.adapters.gateway_api.kinds import KINDS as GATEWAY_API_KINDS
from gwtui.adapters.istio.kinds import KINDS as ISTIO_KINDS
from gwtui.adapters.kgateway.kinds import KINDS as KGATEWAY_KINDS
from gwtui.adapters.kubernetes.kinds import INGRESS_CLASSES, INGRESSES
from gwtui.model import resources
from gwtui.model.kubernetes import Condition
from gwtui.model.meta import LAST_APPLIED, Meta
from objects import GOLDEN, KINDS

ALL = (
    *GATEWAY_API_KINDS,
    *KGATEWAY_KINDS,
    *AGENTGATEWAY_KINDS,
    *ISTIO_KINDS,
    *AWS_KINDS,
    INGRESSES,
    INGRESS_CLASSES,
)
FOLDERS = ("agentgateway", "aws", "gateway_api", "istio", "kgateway", "kubernetes")
CASES = sorted(
    f"{folder}/{path.name.removesuffix('.in.json')}"
    for folder in FOLDERS
    for path in (GOLDEN / folder).glob("*.in.json")
)


def decoded(raw: str):
    manifest = json.loads(raw)
    group = manifest["apiVersion"].rpartition("/")[0]
    return msgspec.json.decode(raw, type=KINDS[(group, manifest["kind"])].type)


@pytest.mark.parametrize("name", CASES)
def test_recorded_objects(name):
    raw = (GOLDEN / f"{name}.in.json").read_text(encoding="utf-8")
    golden.check(f"{name}.out.json", msgspec.to_builtins(decoded(raw)))


def test_there_is_a_recorded_object_of_every_kind():
    recorded = {json.loads((GOLDEN / f"{name}.in.json").read_text(encoding="utf-8"))["kind"] for name in CASES}
    assert recorded == {kind.kind for kind in ALL}


def test_every_kind_is_optional_and_named_once():
    assert all(kind.optional and kind.versions for kind in ALL)
    assert len({kind.resource for kind in ALL}) == len(ALL)


def test_cluster_scoped_kinds():
    assert {kind.kind for kind in ALL if not kind.namespaced} == {"GatewayClass", "IngressClass", "XMesh"}


def test_the_topology_reads_resources_that_are_listed():
    listed = {kind.resource: kind.kind for kind in KINDS.values()}
    named = {name for name in vars(resources).values() if isinstance(name, str) and name in listed}
    assert {resources.SERVICES, resources.PODS, resources.GATEWAYS, resources.BACKENDS} <= named
    assert set(resources.LISTENER_SETS) <= listed.keys()
    assert all(listed[resource] == kind for resource, kind in resources.ROUTES.items())


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.kind)
def test_metadata_alone_is_enough_except_where_the_schema_says_otherwise(kind):
    raw = b'{"metadata":{"name":"n","namespace":"ns"}}'
    if kind.kind in {"ListenerSet", "XListenerSet"}:
        with pytest.raises(msgspec.ValidationError, match="missing required field `spec`"):
            msgspec.json.decode(raw, type=kind.type)
    else:
        assert msgspec.json.decode(raw, type=kind.type).metadata.name == "n"


@pytest.mark.parametrize(
    ("kind", "raw", "message"),
    [
        ("HTTPRoute", '{"metadata":{"name":7}}', r"Expected `str`, got `int` - at `\$.metadata.name`"),
        ("HTTPRoute", '{"metadata":{}}', r"missing required field `name` - at `\$.metadata`"),
        (
            "HTTPRoute",
            '{"metadata":{"name":"r"},"spec":{"rules":[{"backendRefs":[{"name":"s","weight":"9"}]}]}}',
            r"Expected `int`, got `str` - at `\$.spec.rules\[0\].backendRefs\[0\].weight`",
        ),
        (
            "Gateway",
            '{"metadata":{"name":"g"},"spec":{"listeners":{}}}',
            r"Expected `array`, got `object` - at `\$.spec.listeners`",
        ),
        (
            "TrafficPolicy",
            '{"metadata":{"name":"p"},"spec":{"targetRefs":[{"name":"r"}]}}',
            r"missing required field `group` - at `\$.spec.targetRefs\[0\]`",
        ),
    ],
)
def test_wrong_types_are_named_with_their_place(kind, raw, message):
    spec = next(found for found in ALL if found.kind == kind)
    with pytest.raises(msgspec.ValidationError, match=message):
        msgspec.json.decode(raw, type=spec.type)


def test_the_copy_kubectl_keeps_in_an_annotation_is_not_held():
    raw = json.dumps({"name": "n", "annotations": {LAST_APPLIED: "{}", "team": "a"}})
    assert msgspec.json.decode(raw, type=Meta).annotations == {"team": "a"}


def test_an_argument_is_never_changed():
    annotations = {LAST_APPLIED: "{}", "team": "a"}
    assert Meta(name="n", annotations=annotations).annotations == {"team": "a"}
    assert LAST_APPLIED in annotations


def test_equal_texts_of_many_objects_are_one_text_in_memory():
    raw = b'{"type":"Accepted","status":"True","reason":"Accepted","message":"Successfully accepted Route"}'
    one, other = (msgspec.json.decode(raw, type=Condition) for _ in range(2))
    assert one.message is other.message


def test_an_empty_list_served_as_null_is_empty():
    kind = KINDS[("discovery.k8s.io", "EndpointSlice")]
    raw = b'{"metadata":{"name":"s"},"endpoints":null,"ports":null}'
    found = msgspec.json.decode(raw, type=kind.type)
    assert (found.endpoints, found.ports) == ((), ())
