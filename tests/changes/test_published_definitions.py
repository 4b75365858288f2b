"""Our tables of limits and defaults say what the published definitions of Gateway API say."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
import yaml

from gwtui.changes.defaults import SHAPES
from gwtui.changes.limit_shapes import Choice, Fields, Flag, Items, Number, Text
from gwtui.changes.limit_tables import SPECS

DEFINITIONS = Path(__file__).parents[3] / "shared" / "reference" / "crds" / "gateway-api"
pytestmark = pytest.mark.skipif(
    not DEFINITIONS.exists(), reason="the published definitions are not beside the checkout"
)

KINDS = ("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute")
EXPERIMENTAL = {"retry", "externalAuth", "sessionPersistence", "useDefaultGateways"}
SAMPLES = (
    *("", "a", "A", "a-", "-a", "a.b", "a..b", "a.b.", "*.a.b", "*a", "a.*", "*", "a_b", "a b", "a/b", "é", "10.0.0.1"),
    *("10s", "1m30s", "500ms", "1.5s", "10", "100000s", "1h1m1s1ms", "1s1s1s1s1s", "0s", "s"),
    *("https://a.test", "http://a", "https://*.a.test:8443", "https://*", "ftp://a", "https://a/", "https://a:123456"),
    *("x-a", "x:a", "!#$%&'*+-.^_`|~", "x\ta", "Service", "9x", "gateway.kgateway.dev"),
)


@cache
def published(kind, channel="standard"):
    """The schema of the spec, of the version that is stored."""
    text = (DEFINITIONS / channel / f"gateway.networking.k8s.io_{kind.lower()}s.yaml").read_text()
    versions = yaml.load(text, Loader=yaml.CSafeLoader)["spec"]["versions"]
    (stored,) = (each for each in versions if each["storage"])
    return stored["schema"]["openAPIV3Schema"]["properties"]["spec"]


def compare(schema, shape, path):
    """What is not the same, line by line."""
    match shape:
        case Items():
            key = {"map": schema.get("x-kubernetes-list-map-keys", [""])[0], "set": "."}
            yield from unequal(path, schema.get("maxItems"), shape.most)
            yield from unequal(path, schema.get("minItems", 0), shape.least)
            yield from unequal(path, key.get(schema.get("x-kubernetes-list-type"), ""), shape.key)
            yield from compare(schema["items"], shape.item, f"{path}[]")
        case Fields():
            yield from unequal(path, set(schema.get("required", ())), set(shape.required))
            yield from unequal(path, set(schema["properties"]) - EXPERIMENTAL, set(shape.fields) - EXPERIMENTAL)
            for name in set(schema["properties"]) & set(shape.fields):
                yield from compare(schema["properties"][name], shape.fields[name], f"{path}.{name}")
        case Text():
            yield from unequal(path, schema.get("maxLength"), shape.most)
            yield from unequal(path, schema.get("minLength", 0), shape.least)
            yield from unequal(path, "pattern" in schema, shape.pattern is not None)
            if shape.pattern is not None:
                for sample in SAMPLES:
                    ours = bool(shape.pattern.fullmatch(sample))
                    yield from unequal(f"{path} {sample!r}", bool(re.search(schema["pattern"], sample)), ours)
        case Number():
            yield from unequal(path, (schema.get("minimum"), schema.get("maximum")), (shape.least, shape.most))
        case Choice():
            yield from unequal(path, set(schema["enum"]), set(shape.options) - {"ExternalAuth"})
        case Flag():
            yield from unequal(path, schema["type"], "boolean")


def unequal(path, theirs, ours):
    if theirs != ours:
        yield f"{path}: published {theirs}, ours {ours}"


@pytest.mark.parametrize("kind", KINDS)
def test_limits(kind):
    assert list(compare(published(kind), SPECS[kind], "spec")) == []


def test_limits_of_retries():
    schema = published("HTTPRoute", "experimental")["properties"]["rules"]["items"]["properties"]["retry"]
    shape = SPECS["HTTPRoute"].fields["rules"].item.fields["retry"]
    assert list(compare(schema, shape, "retry")) == []


def published_defaults(schema, path=""):
    if "default" in schema and not isinstance(schema["default"], dict | list):
        yield path, schema["default"]
    for name, part in schema.get("properties", {}).items():
        yield from published_defaults(part, f"{path}.{name}")
    if "items" in schema:
        yield from published_defaults(schema["items"], f"{path}[]")


def our_defaults(shape, path=""):
    for name, part in shape.items():
        here = f"{path}.{name}"
        if isinstance(part, dict):
            yield from our_defaults(part, here)
        elif isinstance(part, list):
            yield from our_defaults(part[0], f"{here}[]")
        else:
            yield here, part


@pytest.mark.parametrize("kind", KINDS)
def test_defaults(kind):
    theirs = dict(published_defaults(published(kind, "experimental")))
    ours = dict(our_defaults(SHAPES[kind]))
    assert ours == theirs
