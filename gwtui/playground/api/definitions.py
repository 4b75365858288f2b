"""CustomResourceDefinition objects for the custom kinds, so that clients can read what is installed."""

from __future__ import annotations

from gwtui.playground.api.kinds import GATEWAY_API, KINDS, Kind
from gwtui.playground.api.status import Json

GATEWAY_API_BUNDLE = "v1.6.1"
"""Release of Gateway API whose schemas are served."""


def definitions() -> list[Json]:
    """One definition per custom kind, without its schema."""
    return [_definition(kind) for kind in KINDS if kind.custom]


def _definition(kind: Kind) -> Json:
    metadata: Json = {"name": kind.resource}
    if kind.group == GATEWAY_API:
        metadata["annotations"] = {
            f"{GATEWAY_API}/bundle-version": GATEWAY_API_BUNDLE,
            f"{GATEWAY_API}/channel": "standard",
        }
    names = {
        "kind": kind.kind,
        "listKind": f"{kind.kind}List",
        "plural": kind.plural,
        "singular": kind.kind.lower(),
        "shortNames": list(kind.short),
        "categories": list(kind.categories),
    }
    versions = [
        {"name": version, "served": True, "storage": version == kind.versions[0]}
        | ({"subresources": {"status": {}}} if kind.status else {})
        for version in kind.versions
    ]
    scope = "Namespaced" if kind.namespaced else "Cluster"
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": metadata,
        "spec": {"group": kind.group, "names": names, "scope": scope, "versions": versions},
    }
