"""The few protobuf bodies kubectl insists on: reviews of its own rights, namespaces and config maps.

*Source:* the wire format of protocol buffers, and the field numbers of the Kubernetes API types named below.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gwtui.playground.api.status import Json

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\x00"
_TEXT = "text"
_MAP = "map"
Message = dict[int, tuple[str, Any]]
"""Field number to name and kind: text, a map of texts, or a message."""

_METADATA: Message = {
    1: ("name", _TEXT),
    2: ("generateName", _TEXT),
    3: ("namespace", _TEXT),
    11: ("labels", _MAP),
    12: ("annotations", _MAP),
}
_ATTRIBUTES: Message = {
    number: (name, _TEXT)
    for number, name in enumerate(("namespace", "verb", "group", "version", "resource", "subresource", "name"), 1)
}
_PATH_ATTRIBUTES: Message = {1: ("path", _TEXT), 2: ("verb", _TEXT)}
_ACCESS_SPEC: Message = {1: ("resourceAttributes", _ATTRIBUTES), 2: ("nonResourceAttributes", _PATH_ATTRIBUTES)}
_KINDS: dict[str, Message] = {
    "SelfSubjectAccessReview": {1: ("metadata", _METADATA), 2: ("spec", _ACCESS_SPEC)},
    "SelfSubjectRulesReview": {1: ("metadata", _METADATA), 2: ("spec", {1: ("namespace", _TEXT)})},
    "SelfSubjectReview": {1: ("metadata", _METADATA)},
    "Namespace": {1: ("metadata", _METADATA)},
    "ConfigMap": {1: ("metadata", _METADATA), 2: ("data", _MAP)},
}
_ENVELOPE: Message = {1: ("type", {1: ("apiVersion", _TEXT), 2: ("kind", _TEXT)})}


def decode_protobuf(body: bytes) -> Json | None:
    """The object in a protobuf body, or `None` when its kind is not among the few that are understood.

    Raises:
        ValueError: The bytes are not what the format promises.
    """
    if not body.startswith(_MAGIC):
        raise ValueError("not a Kubernetes protobuf body")
    envelope = body[len(_MAGIC) :]
    about = _decode(envelope, _ENVELOPE).get("type", {})
    fields = _KINDS.get(about.get("kind", ""))
    if fields is None:
        return None
    raw = next((value for number, value in _fields(envelope) if number == 2), b"")
    return {"apiVersion": about.get("apiVersion", ""), "kind": about["kind"], **_decode(raw, fields)}


def _decode(data: bytes, message: Message) -> Json:
    result: Json = {}
    for number, value in _fields(data):
        if number not in message:
            continue
        name, kind = message[number]
        if kind == _MAP:
            entry = _decode(value, {1: ("key", _TEXT), 2: ("value", _TEXT)})
            result.setdefault(name, {})[entry.get("key", "")] = entry.get("value", "")
        elif kind == _TEXT:
            if value:
                result[name] = value.decode()
        else:
            result[name] = _decode(value, kind)
    return result


def _fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Field numbers and contents of the length-delimited fields; numbers are skipped, none is needed here."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        match tag & 7:
            case 0:
                _, at = _varint(data, at)
            case 1:
                at += 8
            case 2:
                size, at = _varint(data, at)
                if at + size > len(data):
                    raise ValueError("truncated field")
                yield tag >> 3, data[at : at + size]
                at += size
            case 5:
                at += 4
            case _:
                raise ValueError("unknown wire type")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            break
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("unreadable number")
