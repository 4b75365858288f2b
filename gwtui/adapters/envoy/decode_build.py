"""Bytes of Envoy's `/server_info` and `/listeners` into the model."""

from __future__ import annotations

import msgspec

from gwtui.adapters.envoy.admin_json import Address, one_line, reading
from gwtui.model.admin_posts import LOG_LEVELS
from gwtui.model.inspection import BoundListener, Build

FLAGS = (
    "drain_time",
    "drain_strategy",
    "parent_shutdown_time",
    "disable_hot_restart",
    "mode",
    "reject_unknown_dynamic_fields",
)
"""Command line options that are kept: how it drains and restarts, and what it does with what it does not know."""


class _Node(msgspec.Struct):
    id: str = ""
    cluster: str = ""


class _ServerInfo(msgspec.Struct):
    version: str
    state: str  # always there; tells this page from any other JSON
    uptime_current_epoch: str = ""
    command_line_options: dict[str, msgspec.Raw] = {}
    node: _Node = msgspec.field(default_factory=_Node)


class _ListenerStatus(msgspec.Struct, gc=False):
    name: str = ""
    local_address: Address = msgspec.field(default_factory=Address)


class _Listeners(msgspec.Struct):
    listener_statuses: list[_ListenerStatus] = []


_SERVER_INFO = msgspec.json.Decoder(_ServerInfo)
_LISTENERS = msgspec.json.Decoder(_Listeners)


def decode_build(body: bytes) -> Build:
    """Return what runs.

    *Source:* `/server_info`: `version` is `<revision>/<version>/<Clean|Modified>/<RELEASE|DEBUG>/<TLS library>`,
    another shape is taken as the version as a whole; `uptime_current_epoch` is a protobuf duration (`104s`);
    `command_line_options` lists every option: `log_level` by its full name, `component_log_level` as it was typed
    (`upstream:debug,connection:warn`). The page is 124 KB, nearly all of it names of extensions.

    Raises:
        BadPayload: not this page.
    """
    with reading("/server_info", body):
        info = _SERVER_INFO.decode(body)
        options = {name: msgspec.json.decode(raw) for name, raw in info.command_line_options.items()}
        revision, version, flavour = _parts(info.version)
        concurrency = options.get("concurrency")
        return Build(
            version=one_line(version),
            revision=one_line(revision),
            flavour=one_line(flavour),
            node_id=info.node.id,
            node_cluster=info.node.cluster,
            uptime_s=_seconds(info.uptime_current_epoch),
            concurrency=concurrency if type(concurrency) is int else None,
            flags={name: _word(options[name]) for name in FLAGS if name in options},
            log_level=_level(options.get("log_level")),
            component_log_levels=_component_levels(options.get("component_log_level")),
        )


def decode_listeners(body: bytes) -> tuple[BoundListener, ...]:
    """Return the listeners and where they listen, by name. Stopped ones are listed like any other.

    *Source:* `/listeners?format=json` `listener_statuses[]{name, local_address}`.

    Raises:
        BadPayload: not this page.
    """
    with reading("/listeners", body):
        found = [(each.name, each.local_address.text()) for each in _LISTENERS.decode(body).listener_statuses]
    return tuple(BoundListener(name=name, address=address) for name, address in sorted(found))


def _parts(version: str) -> tuple[str, str, str]:
    parts = version.split("/", 2)
    return (parts[0], parts[1], parts[2]) if len(parts) == 3 else ("", version, "")


def _seconds(duration: str) -> int | None:
    """Whole seconds of a protobuf duration; None when it is none."""
    digits = duration.removesuffix("s").partition(".")[0]
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 16 else None


def _component_levels(typed: object) -> dict[str, str]:
    """Level by logger; what is no such pair is left out, as Envoy does not start with it."""
    pairs = (part.split(":") for part in typed.split(",")) if isinstance(typed, str) else ()
    return {one_line(pair[0]): level for pair in pairs if len(pair) == 2 and pair[0] and (level := _level(pair[1]))}


def _level(typed: object) -> str:
    """A level by its full name; empty when it is none."""
    level = {"warn": "warning"}.get(typed, typed) if isinstance(typed, str) else ""
    return level if level in LOG_LEVELS else ""


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else one_line(str(value))
