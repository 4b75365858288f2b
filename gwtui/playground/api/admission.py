"""From what a writer sent to what is stored: system metadata, isolation of status, defaults, pruning, validation."""

from __future__ import annotations

import re
import secrets
import uuid
import zlib
from base64 import b64encode
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from gwtui.playground.api import status
from gwtui.playground.api.fields import timestamp
from gwtui.playground.api.kinds import Kind
from gwtui.playground.api.route_rules import broken_rules, has_rules
from gwtui.playground.api.schema import Schema, drop_unknown, fill_defaults, items, violations
from gwtui.playground.api.schema import obj as object_of
from gwtui.playground.api.schemas import schema_of
from gwtui.playground.api.status import Json

_SYSTEM = ("uid", "creationTimestamp", "resourceVersion", "generation", "deletionTimestamp", "managedFields")
_COUNTED_METADATA = {"endpointslices": ("labels", "annotations"), "deployments": ("annotations",)}
"""What makes a new generation beside the spec."""
_BLOCKING = frozenset(f"FieldValue{what}" for what in ("Required", "TypeInvalid", "TooMany", "TooLong", "NotSupported"))
"""Reasons after which rules that cross fields are not tried."""
_UNCHECKED = {
    "reason": "FieldValueInvalid",
    "message": "Invalid value: null: rules were left unchecked since the object does not fit its schema",
    "field": "<nil>",
}
_OPEN = Schema(type="object", open=True)
_OBJECTS = items(_OPEN)
_TEXTS = Schema(type="object", values=Schema(type="string"))
_METADATA = object_of(
    labels=_TEXTS,
    annotations=_TEXTS,
    finalizers=items(Schema(type="string")),
    ownerReferences=_OBJECTS,
    managedFields=items(object_of(fieldsV1=_OPEN)),
)
_SPEC = object_of(ports=_OBJECTS, containers=items(object_of(ports=_OBJECTS)))
_SHAPE = object_of(metadata=_METADATA)
_BUILTIN_SHAPE = object_of(metadata=_METADATA, spec=_SPEC, status=_OPEN)
_SHAPES = {
    "configmaps": object_of(metadata=_METADATA, data=_TEXTS),
    "secrets": object_of(metadata=_METADATA, data=_TEXTS),
}
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_WORD = r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)"
_LABEL_VALUE = re.compile(rf"{_WORD}?")
_QUALIFIED = re.compile(rf"({_NAME.pattern}/)?{_WORD}")
_FINALIZERS = frozenset({"orphan", "foregroundDeletion", "kubernetes"})
"""Those that need no domain."""


def admit(kind: Kind, new: Json, old: Json | None, *, subresource: str = "", created_at: str = "") -> Json:
    """A new dictionary, fit to be stored in place of `old`; `new` is left as it is.

    Args:
        kind: What is written.
        new: The whole object as the writer wants it.
        old: The stored object, `None` on creation.
        subresource: `status` when only the status is written.
        created_at: Creation time to record instead of now, on creation only.

    Raises:
        ApiError: 422 when the result breaks its schema.
    """
    if problems := misshapen(kind, new):
        what = f'{kind.kind} in version "{kind.versions[0]}" cannot be handled as a {kind.kind}'
        raise status.bad_request(f"{what}: {problems[0]}")
    new = _typed(kind, new)
    if old is not None and subresource == "status":
        obj = deepcopy(old)
        obj.pop("status", None)
        if new.get("status") is not None:
            obj["status"] = deepcopy(new["status"])
    else:
        obj = deepcopy(new)
        _system_metadata(obj, old, created_at)
        if kind.status:
            obj.pop("status", None)
            if old is not None and "status" in old:
                obj["status"] = deepcopy(old["status"])
    obj["apiVersion"], obj["kind"] = kind.api_version(), kind.kind
    if not kind.namespaced:
        obj["metadata"].pop("namespace", None)
    _complete(kind, obj)
    _check(kind, obj, old)
    if kind.generation:
        metadata = obj["metadata"]
        if old is None:
            metadata["generation"] = 1
        elif subresource != "status" and _counted(kind, obj) != _counted(kind, old):
            metadata["generation"] = old["metadata"].get("generation", 0) + 1
    return obj


def is_same(new: Json, old: Json) -> bool:
    """Whether two versions of an object differ in nothing but bookkeeping."""
    return _without_bookkeeping(new) == _without_bookkeeping(old)


def _without_bookkeeping(obj: Json) -> Json:
    skip = {"managedFields", "resourceVersion"}
    return obj | {"metadata": {key: value for key, value in obj["metadata"].items() if key not in skip}}


def _counted(kind: Kind, obj: Json) -> Json:
    counted = {key: value for key, value in obj.items() if key not in {"metadata", "status", "apiVersion"}}
    return counted | {key: obj["metadata"].get(key, {}) for key in _COUNTED_METADATA.get(kind.plural, ())}


def _system_metadata(obj: Json, old: Json | None, created_at: str) -> None:
    metadata = obj.setdefault("metadata", {})
    for key in _SYSTEM:
        metadata.pop(key, None)
    if old is not None:
        metadata |= {key: old["metadata"][key] for key in _SYSTEM if key in old["metadata"]}
        return
    if not metadata.get("name") and metadata.get("generateName"):
        metadata["name"] = metadata["generateName"] + secrets.token_hex(3)[:5]
    metadata["uid"] = str(uuid.uuid4())
    metadata["creationTimestamp"] = created_at or timestamp()


def _complete(kind: Kind, obj: Json) -> None:
    for key in ("labels", "annotations", "finalizers", "ownerReferences"):
        if not obj["metadata"].get(key, True):
            del obj["metadata"][key]
    if kind.custom:
        schema = schema_of(kind)
        drop_unknown(obj, schema)
        fill_defaults(obj, schema)
    elif kind.plural in _DEFAULTS:
        _DEFAULTS[kind.plural](obj)


def misshapen(kind: Kind, obj: Json) -> list[str]:
    """What would break readers of any kind: metadata, containers and ports that are not what they must be."""
    shape = _SHAPE if kind.custom else _SHAPES.get(kind.plural, _BUILTIN_SHAPE)
    return [cause["message"] for cause in violations(_typed(kind, obj), shape)]


def _typed(kind: Kind, obj: Json) -> Json:
    """The object as a typed decoder reads it; of a custom one that is the metadata alone."""
    return obj | {"metadata": _without_nulls(obj.get("metadata", {}))} if kind.custom else _without_nulls(obj)


def _without_nulls(value: Any) -> Any:
    """A copy in which null members are absent, as typed decoders read them."""
    if isinstance(value, dict):
        return {name: _without_nulls(member) for name, member in value.items() if member is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def _check(kind: Kind, obj: Json, old: Json | None) -> None:
    name = obj["metadata"].get("name", "")
    causes: list[Json] = []
    if not name:
        message = "Required value: name or generateName is required"
        causes.append({"reason": "FieldValueRequired", "message": message, "field": "metadata.name"})
    elif not isinstance(name, str) or len(name) > 253 or not _NAME.fullmatch(name):
        message = f'Invalid value: "{name}": a lowercase RFC 1123 subdomain is needed'
        causes.append({"reason": "FieldValueInvalid", "message": message, "field": "metadata.name"})
    causes += _metadata_causes(obj["metadata"], old)
    causes += violations(obj, schema_of(kind))
    if not any(cause["reason"] in _BLOCKING for cause in causes):
        causes += broken_rules(kind, obj)
    elif has_rules(kind):
        causes.append(_UNCHECKED)
    if causes:
        raise status.invalid(kind.kind, kind.group, name, causes)


def _metadata_causes(metadata: Json, old: Json | None) -> Iterator[Json]:
    held = (old or {}).get("metadata", {})
    finalizers = metadata.get("finalizers", [])
    for index, name in enumerate(finalizers):
        if name not in _FINALIZERS and ("/" not in name or not _QUALIFIED.fullmatch(name)):
            message = f'Invalid value: "{name}": name is neither a standard finalizer name nor is it fully qualified'
            yield {"reason": "FieldValueInvalid", "message": message, "field": f"metadata.finalizers[{index}]"}
    added = [name for name in finalizers if name not in held.get("finalizers", [])]
    if held.get("deletionTimestamp") and added:
        message = f"Forbidden: no new finalizers can be added if the object is being deleted, found {added}"
        yield {"reason": "FieldValueForbidden", "message": message, "field": "metadata.finalizers"}
    for where in ("labels", "annotations"):
        for key, value in metadata.get(where, {}).items():
            wrong = key if not _QUALIFIED.fullmatch(key if where == "labels" else key.lower()) else None
            if wrong is None and where == "labels" and not _LABEL_VALUE.fullmatch(value):
                wrong = value
            if wrong is not None:
                message = f'Invalid value: "{wrong}": it has to begin and end with a letter or digit'
                yield {"reason": "FieldValueInvalid", "message": message, "field": f"metadata.{where}"}


def _default_namespace(obj: Json) -> None:
    obj["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = obj["metadata"].get("name", "")
    obj.setdefault("spec", {}).setdefault("finalizers", ["kubernetes"])
    obj.setdefault("status", {}).setdefault("phase", "Active")


def _default_service(obj: Json) -> None:
    spec = obj.setdefault("spec", {})
    spec.setdefault("type", "ClusterIP")
    spec.setdefault("sessionAffinity", "None")
    for port in spec.get("ports", []):
        port.setdefault("protocol", "TCP")
        port.setdefault("targetPort", port.get("port"))
    if spec["type"] != "ExternalName" and "clusterIP" not in spec:
        number = zlib.crc32(obj["metadata"]["uid"].encode())
        spec["clusterIP"] = f"10.96.{number >> 8 & 255}.{number % 254 + 1}"
        spec["clusterIPs"] = [spec["clusterIP"]]
    obj.setdefault("status", {}).setdefault("loadBalancer", {})


def _default_pod(obj: Json) -> None:
    spec = obj.setdefault("spec", {})
    spec.setdefault("restartPolicy", "Always")
    for container in spec.get("containers", []):
        for port in container.get("ports", []):
            port.setdefault("protocol", "TCP")
    obj.setdefault("status", {}).setdefault("phase", "Pending")


def _default_workload(obj: Json) -> None:
    obj.setdefault("spec", {}).setdefault("replicas", 1)
    obj.setdefault("status", {})


def _default_replicas(obj: Json) -> None:
    obj.setdefault("spec", {}).setdefault("replicas", 1)
    obj.setdefault("status", {}).setdefault("replicas", 0)


def _default_daemons(obj: Json) -> None:
    counts = ("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady")
    obj["status"] = dict.fromkeys(counts, 0) | obj.get("status", {})


def _default_budget(obj: Json) -> None:
    counts = ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods")
    obj["status"] = dict.fromkeys(counts, 0) | obj.get("status", {})


def _default_scaler(obj: Json) -> None:
    obj.setdefault("spec", {}).setdefault("minReplicas", 1)
    obj["status"] = {"desiredReplicas": 0, "currentMetrics": None} | obj.get("status", {})


def _default_ingress(obj: Json) -> None:
    obj.setdefault("status", {}).setdefault("loadBalancer", {})


def _default_secret(obj: Json) -> None:
    obj.setdefault("type", "Opaque")
    for key, text in obj.pop("stringData", {}).items():
        obj.setdefault("data", {})[key] = b64encode(text.encode()).decode()


_DEFAULTS: dict[str, Any] = {
    "namespaces": _default_namespace,
    "services": _default_service,
    "pods": _default_pod,
    "deployments": _default_workload,
    "replicasets": _default_replicas,
    "daemonsets": _default_daemons,
    "poddisruptionbudgets": _default_budget,
    "horizontalpodautoscalers": _default_scaler,
    "ingresses": _default_ingress,
    "secrets": _default_secret,
}
