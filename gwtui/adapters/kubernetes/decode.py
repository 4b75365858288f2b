"""List pages and watch events, decoded straight into the types the kinds name.

One object the types do not fit costs that object, never the page: it is reported by name and reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import msgspec

from gwtui.collector import collector_paused
from gwtui.errors import BadPayload
from gwtui.model.ids import NamespacedName

T = TypeVar("T")


class ListMeta(msgspec.Struct, rename="camel"):
    """*Source:* `metadata` of a list."""

    resource_version: str = ""
    continue_: str | None = msgspec.field(default=None, name="continue")


class _Page(msgspec.Struct, Generic[T]):
    metadata: ListMeta
    items: list[T] | None = None


class _Event(msgspec.Struct):
    type: str
    object: msgspec.Raw


class _Name(msgspec.Struct, rename="camel"):
    name: str = ""
    namespace: str | None = None
    resource_version: str = ""


class _Envelope(msgspec.Struct):
    metadata: _Name


@dataclass(slots=True)
class Page:
    """One page of a list."""

    version: str
    """Opaque; the same on every page of one list."""
    continue_token: str
    """Empty on the last page."""
    objects: dict[NamespacedName, Any] = field(default_factory=dict)
    undecodable: dict[NamespacedName, str] = field(default_factory=dict)
    """Reason per object."""


@dataclass(slots=True)
class Burst:
    """Watch events that arrived together, the latest state per object."""

    changes: dict[NamespacedName, Any | None] = field(default_factory=dict)
    """None means deleted, or no longer decodable."""
    undecodable: dict[NamespacedName, str] = field(default_factory=dict)
    version: str = ""
    """The version of the last event, bookmarks included; empty when there was none."""
    error: bytes | None = None
    """The Status of an ERROR event, which is the last event of any stream."""


class KindDecoder:
    """Decodes pages and events of one kind."""

    def __init__(self, type_: Any) -> None:
        self._type = type_
        self._page = msgspec.json.Decoder(_Page[type_])
        self._raw_page = msgspec.json.Decoder(_Page[msgspec.Raw])
        self._object = msgspec.json.Decoder(type_)
        self._event = msgspec.json.Decoder(_Event)
        self._envelope = msgspec.json.Decoder(_Envelope)

    def page(self, body: bytes) -> Page:
        """Decode a list page.

        Raises:
            BadPayload: not a Kubernetes list at all.
        """
        with collector_paused():
            try:
                return self._typed_page(body)
            except msgspec.ValidationError:
                return self._page_by_object(body)
            except msgspec.DecodeError as error:
                raise BadPayload(
                    f"the answer is not a Kubernetes list: {error}", "a proxy may answer instead"
                ) from error

    def burst(self, lines: Sequence[bytes]) -> Burst:
        """Decode watch lines.

        Raises:
            BadPayload: a line that is not a watch event; what came before it is lost with the stream and listed again
                or replayed, since the version is not advanced.
        """
        burst = Burst()
        with collector_paused():
            for line in lines:
                try:
                    event = self._event.decode(line)
                    if event.type == "ERROR":
                        burst.error = bytes(event.object)
                        return burst
                    self._apply(event, burst)
                except msgspec.DecodeError as error:
                    raise BadPayload(
                        f"not a watch event: {_excerpt(line)} ({error})", "a proxy may answer instead; we resume"
                    ) from error
        return burst

    def _typed_page(self, body: bytes) -> Page:
        page = self._page.decode(body)
        items: Iterable[Any] = page.items or ()
        objects = {(item.metadata.namespace, item.metadata.name): item for item in items}
        return Page(page.metadata.resource_version, page.metadata.continue_ or "", objects)

    def _page_by_object(self, body: bytes) -> Page:
        try:
            raw = self._raw_page.decode(body)
        except msgspec.DecodeError as error:
            raise BadPayload(f"the answer is not a Kubernetes list: {error}", "a proxy may answer instead") from error
        page = Page(raw.metadata.resource_version, raw.metadata.continue_ or "")
        for index, item in enumerate(raw.items or ()):
            try:
                name = self._envelope.decode(item).metadata
                key = (name.namespace or "", name.name)
            except msgspec.DecodeError:
                key = ("", f"item {index}")
            self._one(item, key, page.objects, page.undecodable)
        return page

    def _apply(self, event: _Event, burst: Burst) -> None:
        name = self._envelope.decode(event.object).metadata
        burst.version = name.resource_version or burst.version
        key = (name.namespace or "", name.name)
        match event.type:
            case "ADDED" | "MODIFIED":
                burst.changes.pop(key, None)
                burst.undecodable.pop(key, None)
                self._one(event.object, key, burst.changes, burst.undecodable)
                burst.changes.setdefault(key, None)
            case "DELETED":
                burst.undecodable.pop(key, None)
                burst.changes[key] = None
            case "BOOKMARK":
                pass
            case other:
                raise msgspec.DecodeError(f"unknown event type {other[:40]!r}")

    def _one(
        self,
        raw: msgspec.Raw,
        key: NamespacedName,
        objects: dict[NamespacedName, Any],
        undecodable: dict[NamespacedName, str],
    ) -> None:
        try:
            objects[key] = self._object.decode(raw)
        except msgspec.ValidationError:
            # Go writes an empty list without `omitempty` as null; Kubernetes reads null as absent, and so do we.
            try:
                objects[key] = msgspec.convert(_without_nulls(msgspec.json.decode(raw)), self._type)
            except msgspec.ValidationError as error:
                undecodable[key] = " ".join(str(error).split())


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value


def _excerpt(line: bytes) -> str:
    return repr(line[:60].decode(errors="replace"))
