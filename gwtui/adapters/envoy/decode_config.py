"""Bytes of Envoy's `/config_dump?resource=` into the model.

*Source:* Envoy 1.40: `configs[]` holds the entries of one repeated field, `{}` when it has none. Listeners that are
delivered have `active_state`, `warming_state` and `draining_state`, each with `version_info`, `listener` and
`last_updated`; every other entry holds these itself. A refused listener has an `error_state`, both in the entry of its
name and in a second one without a name, which is the only one of a listener that was never taken.

What a digest leaves out
    Replicas of one gateway may bind other addresses and may get their configuration from elsewhere, and still say the
    same. So the `address` and `additional_addresses` of a listener itself are left out, and every member of
    `DELIVERY`, at any depth. The names under which something is asked for (`route_config_name`, `service_name`, the
    name of a secret) do count. Endpoints that EDS delivers are no part of a cluster, those written into it are.
    Private keys are `[redacted]` by Envoy itself, so a digest cannot tell them apart; the certificates can.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, assert_never

import msgspec

from gwtui.adapters.envoy.admin_json import Moment, decode_in_pieces, one_line, reading, utc
from gwtui.adapters.envoy.redaction import redact
from gwtui.model.inspection import ConfigDigest, ConfigKind, ConfigResource

DELIVERED = {
    ConfigKind.LISTENER: "dynamic_listeners",
    ConfigKind.ROUTES: "dynamic_route_configs",
    ConfigKind.CLUSTER: "dynamic_active_clusters",
    ConfigKind.SECRET: "dynamic_active_secrets",
}
"""The field of a configuration dump that holds what the control plane delivered."""

FIELDS = {
    ConfigKind.LISTENER: ("static_listeners", "dynamic_listeners"),
    ConfigKind.ROUTES: ("static_route_configs", "dynamic_route_configs"),
    ConfigKind.CLUSTER: ("static_clusters", "dynamic_active_clusters", "dynamic_warming_clusters"),
    ConfigKind.SECRET: ("static_secrets", "dynamic_active_secrets", "dynamic_warming_secrets"),
}
"""All fields that hold resources of a kind."""

DELIVERY = frozenset(
    {
        "config_source", "eds_config", "odcds_config", "path_config_source", "rds_config_source",
        "scoped_rds_config_source", "sds_config",
    }
)  # fmt: skip
"""Members that say where a resource comes from, not what it says."""

_CANONICAL_DEEP = 4
"""Levels of a resource that are written apart: down to the single routes of a route configuration."""

_LONGEST_ERROR = 2000
_DELIVERY_MARKS = tuple(f'"{member}"'.encode() for member in sorted(DELIVERY))
_Body = dict[str, Any]


_NONE = msgspec.Raw()


class _State(msgspec.Struct):
    version_info: str = ""
    listener: msgspec.Raw = _NONE
    last_updated: Moment | None = None


class _ErrorState(msgspec.Struct):
    details: str = ""
    failed_configuration: msgspec.Raw = _NONE


class _Entry(msgspec.Struct):
    name: str = ""
    version_info: str = ""
    last_updated: Moment | None = None
    listener: msgspec.Raw = _NONE
    route_config: msgspec.Raw = _NONE
    cluster: msgspec.Raw = _NONE
    secret: msgspec.Raw = _NONE
    active_state: _State | None = None
    warming_state: _State | None = None
    error_state: _ErrorState | None = None


class _Dump(msgspec.Struct):
    configs: list[msgspec.Raw] = []


class _Named(msgspec.Struct):
    name: str = ""


_DUMP = msgspec.json.Decoder(_Dump)
_ENTRY = msgspec.json.Decoder(_Entry)
_NAMED = msgspec.json.Decoder(_Named)


class _Held(NamedTuple):
    """One resource that the proxy holds, in force or not yet."""

    name: str
    raw: msgspec.Raw
    version: str
    updated_at: Moment | None
    is_warming: bool = False


def decode_digests(body: bytes, kind: ConfigKind, field: str = "") -> tuple[ConfigDigest, ...]:
    """Return the digests of one field of a configuration dump, by name.

    A listener that was refused and of which no older one is held has an empty digest and an error. Listeners that only
    drain are no longer configuration and are left out.

    Args:
        body: the answer to `?resource=<field>`.
        kind: of all its resources.
        field: one of `FIELDS[kind]`; what was delivered and is in force when it is not given.

    Raises:
        BadPayload: not this page.
    """
    field = field or DELIVERED[kind]
    with reading(_page(field), body):
        held, errors = _read(body, kind, field)
        digests = [_digest(kind, each, _body(each.raw), errors) for each in held]
        digests += _refused(kind, errors, held)
    return tuple(sorted(digests, key=lambda each: each.name))


def decode_resources(body: bytes, kind: ConfigKind, field: str) -> tuple[ConfigResource, ...]:
    """Return the resources of one field of a configuration dump, redacted, by name.

    Args:
        body: the answer to `?resource=<field>`.
        kind: of all its resources.
        field: one of `FIELDS[kind]`; tells whether they are static, and whether they are warming.

    Raises:
        BadPayload: not this page.
    """
    is_static = field.startswith("static_")
    with reading(_page(field), body):
        held, errors = _read(body, kind, field)
        found = [_resource(kind, each, errors, is_static=is_static) for each in held]
        refused = _refused(kind, errors, held)
        found += (ConfigResource(digest=digest, is_static=is_static) for digest in refused)
    return tuple(sorted(found, key=lambda each: each.digest.name))


def _page(field: str) -> str:
    return f"/config_dump?resource={field}"


def _read(body: bytes, kind: ConfigKind, field: str) -> tuple[list[_Held], dict[str, str]]:
    """What is held, and why an update was refused, by name."""
    is_warming = field.startswith("dynamic_warming_")
    held: list[_Held] = []
    errors: dict[str, str] = {}
    for raw in _DUMP.decode(body).configs:
        entry = _ENTRY.decode(raw)
        held += (each._replace(is_warming=each.is_warming or is_warming) for each in _held(entry, kind))
        if error := entry.error_state:
            name = entry.name or _name(error.failed_configuration)
            errors[name] = one_line(error.details)[:_LONGEST_ERROR]
    return held, errors


def _held(entry: _Entry, kind: ConfigKind) -> Iterator[_Held]:
    """The resource of an entry; of a listener also the update that is warming while the old one is in force."""
    match kind:
        case ConfigKind.ROUTES:
            raw = entry.route_config
        case ConfigKind.CLUSTER:
            raw = entry.cluster
        case ConfigKind.SECRET:
            raw = entry.secret
        case ConfigKind.LISTENER:
            raw = entry.listener
            for state, is_warming in ((entry.active_state, False), (entry.warming_state, True)):
                if state and not _is_empty(state.listener):
                    name = entry.name or _name(state.listener)
                    yield _Held(name, state.listener, state.version_info, state.last_updated, is_warming=is_warming)
        case _:
            assert_never(kind)
    if not _is_empty(raw):
        yield _Held(entry.name or _name(raw), raw, entry.version_info, entry.last_updated)


def _is_empty(raw: msgspec.Raw) -> bool:
    return not memoryview(raw).nbytes


def _name(raw: msgspec.Raw) -> str:
    return "" if _is_empty(raw) else _NAMED.decode(raw).name


def _body(raw: msgspec.Raw) -> _Body:
    body = decode_in_pieces(raw)
    if not isinstance(body, dict):
        raise ValueError("a resource is no object")  # noqa: TRY004 -- `reading` expects it
    return body


def _resource(kind: ConfigKind, held: _Held, errors: Mapping[str, str], *, is_static: bool) -> ConfigResource:
    body = _body(held.raw)
    return ConfigResource(
        digest=_digest(kind, held, body, errors),
        is_static=is_static,
        updated_at=utc(held.updated_at),
        body=redact(body),
    )


def _refused(kind: ConfigKind, errors: Mapping[str, str], held: Iterable[_Held]) -> list[ConfigDigest]:
    names = {each.name for each in held}
    return [
        ConfigDigest(kind=kind, name=name, digest="", error=error)
        for name, error in errors.items()
        if name not in names
    ]


def _digest(kind: ConfigKind, held: _Held, body: _Body, errors: Mapping[str, str]) -> ConfigDigest:
    said: Any = body
    if kind is ConfigKind.LISTENER:
        said = {key: value for key, value in said.items() if key not in {"address", "additional_addresses"}}
    text = bytes(held.raw)
    if any(mark in text for mark in _DELIVERY_MARKS):
        said = _without_delivery(said)
    digest = hashlib.sha256()
    for piece in _canonical(said, _CANONICAL_DEEP):
        digest.update(piece)
    return ConfigDigest(
        kind=kind,
        name=held.name,
        digest=digest.hexdigest(),
        version=held.version,
        error=errors.get(held.name, ""),
        is_warming=held.is_warming,
    )


def _canonical(body: Any, depth: int) -> Iterator[bytes]:
    """JSON without spaces and with sorted keys, in pieces for the same reason as in `decode_in_pieces`."""
    if depth and isinstance(body, dict):
        mark = b"{"
        for key in sorted(body):
            yield mark + msgspec.json.encode(key) + b":"
            yield from _canonical(body[key], depth - 1)
            mark = b","
        yield b"}" if body else b"{}"
    elif depth and isinstance(body, list):
        mark = b"["
        for each in body:
            yield mark
            yield from _canonical(each, depth - 1)
            mark = b","
        yield b"]" if body else b"[]"
    else:
        yield msgspec.json.encode(body, order="sorted")


def _without_delivery(body: Any) -> Any:
    if isinstance(body, dict):
        return {key: _without_delivery(value) for key, value in body.items() if key not in DELIVERY}
    if isinstance(body, list):
        return [_without_delivery(each) for each in body]
    return body
