"""From what a writer sent to what is stored: system metadata, isolation of status, defaults, pruning, validation."""

from __future__ import annotations

import re
import secrets
import uuid
import zlib
from base64 import b64encode
from copy import deepcopy
from typing import Any

from gwtui.playground.api import status
from gwtui.playground.api.fields import timestamp
from gwtui.playground.api.kinds import Kind
from gwtui.playground.api.route_rules import broken_rules
from gwtui.playground.api.schema import Schema, drop_unknown, fill_defaults, items, violations
from gwtui.playground.api.schema import obj as object_of
from gwtui.playground.api.schemas import schema_of
from gwtui.playground.api.status import Json

_SYSTEM = ("uid", "creationTimestamp", "resourceVersion", "generation", "deletionTimestamp", "managedFields")
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
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.:]*[a-z0-9])?")


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
    new = new | {"metadata": _without_nulls(new.get("metadata", {}))} if kind.custom else _without_nulls(new)
    _check_shape(kind, new)
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
    _check(kind, obj)
    if kind.generation:
        metadata = obj["metadata"]
        if old is None:
            metadata["generation"] = 1
        elif subresource != "status" and _counted(obj) != _counted(old):
            metadata["generation"] = old["metadata"].get("generation", 0) + 1
    return obj


def is_same(new: Json, old: Json) -> bool:
    """Whether two versions of an object differ in nothing but bookkeeping."""
    return _without_bookkeeping(new) == _without_bookkeeping(old)


def _without_bookkeeping(obj: Json) -> Json:
    skip = {"managedFields", "resourceVersion"}
    return obj | {"metadata": {key: value for key, value in obj["metadata"].items() if key not in skip}}


def _counted(obj: Json) -> Json:
    return {key: value for key, value in obj.items() if key not in {"metadata", "status", "apiVersion"}}


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


def _check_shape(kind: Kind, obj: Json) -> None:
    """Refuse what would break readers of any kind: metadata, containers and ports that are not what they must be."""
    causes = list(violations(obj, _SHAPE if kind.custom else _BUILTIN_SHAPE))
    if causes:
        raise status.invalid(kind.kind, kind.group, "", causes)


def _without_nulls(value: Any) -> Any:
    """A copy in which null members are absent, as typed decoders read them."""
    if isinstance(value, dict):
        return {name: _without_nulls(member) for name, member in value.items() if member is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def _check(kind: Kind, obj: Json) -> None:
    name = obj["metadata"].get("name", "")
    causes: list[Json] = []
    if not name:
        message = "Required value: name or generateName is required"
        causes.append({"reason": "FieldValueRequired", "message": message, "field": "metadata.name"})
    elif not isinstance(name, str) or len(name) > 253 or not _NAME.fullmatch(name):
        message = f'Invalid value: "{name}": a lowercase RFC 1123 subdomain is needed'
        causes.append({"reason": "FieldValueInvalid", "message": message, "field": "metadata.name"})
    causes += violations(obj, schema_of(kind))
    if not causes:
        causes = broken_rules(kind, obj)
    if causes:
        raise status.invalid(kind.kind, kind.group, name, causes)


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


def _default_secret(obj: Json) -> None:
    obj.setdefault("type", "Opaque")
    for key, text in obj.pop("stringData", {}).items():
        obj.setdefault("data", {})[key] = b64encode(text.encode()).decode()


_DEFAULTS: dict[str, Any] = {
    "namespaces": _default_namespace,
    "services": _default_service,
    "pods": _default_pod,
    "deployments": _default_workload,
    "replicasets": _default_workload,
    "secrets": _default_secret,
}
