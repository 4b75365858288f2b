"""A route as the API has it: how a draft is taken from it, and what is where in it."""

from __future__ import annotations

from typing import Any, NamedTuple

import yaml

from gwtui.changes.copying import copied
from gwtui.changes.defaults import canonical
from gwtui.changes.plan import Document
from gwtui.errors import UsageError
from gwtui.model.gateway_api import GATEWAY_API
from gwtui.model.ids import ObjectKey
from gwtui.model.resources import ROUTES

KINDS = ("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute")
"""The kinds of route that can be edited."""
_RESOURCES = {kind: resource for resource, kind in ROUTES.items()}


class Backend(NamedTuple):
    """Where a backendRef sends to, defaults filled in."""

    group: str
    """Empty for the core group."""
    kind: str
    """`Service` unless it says otherwise."""
    namespace: str
    name: str
    port: int | None
    weight: int

    @property
    def label(self) -> str:
        """`<namespace>/<name>`."""
        return f"{self.namespace}/{self.name}"


def draft_of(stored: Document) -> Document:
    """Return a copy to edit: without `status` and `metadata.managedFields`, with what identifies the version."""
    draft = {name: copied(part) for name, part in stored.items() if name not in {"status", "metadata"}}
    metadata = {name: part for name, part in (stored.get("metadata") or {}).items() if name != "managedFields"}
    # The order of fields stays what readers of Kubernetes objects expect.
    ordered: Document = {name: draft[name] for name in ("apiVersion", "kind") if name in draft}
    return {**ordered, "metadata": copied(metadata), **draft}


def route_kind(document: Document) -> str:
    """Return which of `KINDS` a document is.

    Raises:
        UsageError: it is none of them.
    """
    kind = document.get("kind")
    group, slash, _ = str(document.get("apiVersion") or "").rpartition("/")
    if slash and group != GATEWAY_API:
        raise UsageError(f"{kind} of {group} is not a route", f"edit one of {', '.join(KINDS)} of {GATEWAY_API}")
    route_resource(str(kind or ""))
    return str(kind)


def route_resource(kind: str) -> str:
    """Return the group resource of a kind of route: `httproutes.gateway.networking.k8s.io`.

    Raises:
        UsageError: it is none of `KINDS`.
    """
    if kind not in KINDS:
        raise UsageError(f"{kind or 'a document without a kind'} is not a route", f"edit one of {', '.join(KINDS)}")
    return _RESOURCES[kind]


def key_of(document: Document, cluster: str) -> ObjectKey:
    """Return the identity of a route.

    Args:
        document: the route.
        cluster: the kubeconfig context it is in.

    Raises:
        UsageError: it is no route, or has no name or namespace.
    """
    kind = route_kind(document)
    metadata = document.get("metadata") or {}
    namespace, name = metadata.get("namespace"), metadata.get("name")
    if not (namespace and name and isinstance(namespace, str) and isinstance(name, str)):
        raise UsageError(f"the {kind} has no name or no namespace", "give it metadata.name and metadata.namespace")
    return ObjectKey(cluster, route_resource(kind), namespace, name)


def namespace_of(document: Document) -> str:
    """Return the namespace of a document; empty when it names none."""
    return str((document.get("metadata") or {}).get("namespace") or "")


def hostnames_of(document: Document) -> list[str]:
    """Return the hostnames; empty where it names none."""
    return _texts(_spec(document).get("hostnames"))


def parents_of(document: Document) -> list[Document]:
    """Return the parentRefs as they are written."""
    return _objects(_spec(document).get("parentRefs"))


def rules_of(document: Document) -> list[Document]:
    """Return the rules as they are written, in order. What is not an object counts as an empty one."""
    return _objects(_spec(document).get("rules"))


def backends_of(rule: Document) -> list[Document]:
    """Return the backendRefs of a rule as they are written, in order."""
    return _objects(rule.get("backendRefs"))


def matches_of(rule: Document) -> list[Document]:
    """Return the matches of a rule as they are written, in order."""
    return _objects(rule.get("matches"))


def filters_of(part: Document) -> list[Document]:
    """Return the filters of a rule or of a backendRef as they are written, in order."""
    return _objects(part.get("filters"))


def weight_of(ref: Document) -> int:
    """Return the weight of a backendRef; 1 where it says none or something that is no number."""
    weight = ref.get("weight")
    return weight if isinstance(weight, int) and not isinstance(weight, bool) else 1


def target_of(ref: Document, namespace: str) -> Backend:
    """Return where a reference sends to.

    Args:
        ref: a backendRef, or the one of a mirror.
        namespace: of the route, which counts where the reference names none.
    """
    port = ref.get("port")
    return Backend(
        group=str(ref.get("group") or ""),
        kind=str(ref.get("kind") or "Service"),
        namespace=str(ref.get("namespace") or namespace),
        name=str(ref.get("name") or ""),
        port=port if isinstance(port, int) else None,
        weight=weight_of(ref),
    )


def targets_of(document: Document, rule: int) -> tuple[Backend, ...]:
    """Return where the rule at a position sends to, in order."""
    namespace = namespace_of(document)
    return tuple(target_of(ref, namespace) for ref in backends_of(rules_of(document)[rule]))


def same_content(one: Document, other: Document) -> bool:
    """Whether two documents are one object with one content: defaults filled in, bookkeeping and status left out."""
    return content_of(one) == content_of(other)


def content_of(document: Document) -> Document:
    """Return what a writer says: the spec (or what the kind has in its place), labels, annotations, and whose it is."""
    metadata = document.get("metadata") or {}
    body = {name: part for name, part in document.items() if name not in {"apiVersion", "metadata", "status"}}
    said = {name: metadata.get(name) for name in ("namespace", "name", "labels", "annotations")}
    return {"metadata": {name: copied(part) for name, part in said.items() if part}, **canonical(body)}


def as_yaml(document: Document) -> str:
    """Return a document as YAML in block style, fields in their order."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000)


class _Dumper(yaml.SafeDumper):
    """Says everything in full: an editor has no use for anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _spec(document: Document) -> Document:
    spec = document.get("spec")
    return spec if isinstance(spec, dict) else {}


def _objects(value: Any) -> list[Document]:
    return [each if isinstance(each, dict) else {} for each in value] if isinstance(value, list) else []


def _texts(value: Any) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
