"""Objects of a cluster from manifests, decoded as the console decodes them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import yaml

from gwtui.adapters.agentgateway.kinds import KINDS as AGENTGATEWAY_KINDS
from gwtui.adapters.aws.kinds import KINDS as AWS_KINDS
from gwtui.adapters.gateway_api.kinds import KINDS as GATEWAY_API_KINDS
from gwtui.adapters.istio.kinds import KINDS as ISTIO_KINDS
from gwtui.adapters.kgateway.kinds import KINDS as KGATEWAY_KINDS
from gwtui.adapters.kubernetes.kinds import CORE_KINDS
from gwtui.model.kinds import KindSpec

GOLDEN = Path(__file__).parents[1] / "golden"

KINDS: dict[tuple[str, str], KindSpec] = {
    (kind.group, kind.kind): kind
    for kind in (
        *CORE_KINDS,
        *GATEWAY_API_KINDS,
        *KGATEWAY_KINDS,
        *AGENTGATEWAY_KINDS,
        *ISTIO_KINDS,
        *AWS_KINDS,
    )
}

NOT_READ = frozenset({"DaemonSet", "Deployment", "ServiceAccount"})
"""Kinds an installation leaves and no rule of the console reads."""

Objects = dict[str, dict[tuple[str, str], Any]]


def decode(manifests: Iterable[dict[str, Any]]) -> Objects:
    """Objects by group resource and (namespace, name). Every topology kind is there, as after a complete list."""
    objects: Objects = {kind.resource: {} for kind in KINDS.values()}
    for manifest in manifests:
        if manifest["kind"] in NOT_READ:
            continue
        group = manifest["apiVersion"].rpartition("/")[0]
        kind = KINDS[(group, manifest["kind"])]
        decoded = msgspec.json.decode(json.dumps(manifest), type=kind.type)
        objects[kind.resource][(decoded.metadata.namespace, decoded.metadata.name)] = decoded
    return objects


def load(name: str) -> Objects:
    """The objects of one file of `tests/golden/topology`."""
    text = (GOLDEN / "topology" / f"{name}.in.yaml").read_text(encoding="utf-8")
    return decode(document for document in yaml.safe_load_all(text) if document)
