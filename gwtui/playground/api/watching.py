"""The watch stream: replay from a version, then changes as they happen, one JSON document per line."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Mapping

import msgspec

from gwtui.playground.api import status
from gwtui.playground.api.kinds import Kind
from gwtui.playground.api.reading import in_version, one
from gwtui.playground.api.request import flag, number
from gwtui.playground.api.selectors import Predicate, selected
from gwtui.playground.api.status import ApiError, Json
from gwtui.playground.api.store import Change, Lagged, Store

BOOKMARK_EVERY_S = 15.0
_INITIAL_END = {"k8s.io/initial-events-end": "true"}


class Watch:
    """One watch request; `lines()` yields what to send until the time is up."""

    def __init__(
        self, store: Store, kind: Kind, *, version: str, namespace: str | None, query: Mapping[str, str], form: str
    ) -> None:
        self._store = store
        self._kind = kind
        self._version = version
        self._namespace = namespace
        self._query = query
        self._form = form
        chosen = selected(kind, query.get("labelSelector", ""), query.get("fieldSelector", ""))
        self._chosen: Predicate = chosen or (lambda _: True)
        self._from = query.get("resourceVersion", "")
        if self._from and not self._from.isdecimal():
            raise ApiError(500, "", f'resourceVersion: Invalid value: "{self._from}": invalid syntax')
        limit = number(query, "timeoutSeconds")
        self._seconds = float(limit) if limit else random.uniform(1800, 3600)
        self._after = int(self._from or 0)
        self._bookmarks = flag(query, "allowWatchBookmarks")
        self._initial = flag(query, "sendInitialEvents")
        if self._initial and query.get("resourceVersionMatch") != "NotOlderThan":
            text = "Forbidden: sendInitialEvents requires resourceVersionMatch=NotOlderThan"
            raise status.invalid_options("ListOptions", "resourceVersionMatch", "FieldValueForbidden", text)

    async def lines(self) -> AsyncIterator[bytes]:
        """The events, encoded; ends when the time is up or the reader was too slow."""
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + self._seconds
        subscription = self._store.subscribe()
        try:
            for line in self._start():
                yield line
            while (left := ends_at - loop.time()) > 0:
                try:
                    async with asyncio.timeout(min(left, BOOKMARK_EVERY_S)):
                        change = await anext(subscription)
                except TimeoutError:
                    if self._bookmarks:
                        yield self._bookmark()
                    continue
                if line := self._line(change):
                    yield line
        except ApiError as error:
            yield _encoded("ERROR", error.body())
        except (Lagged, StopAsyncIteration):
            return
        finally:
            subscription.close()

    def _start(self) -> list[bytes]:
        """Events before the first live one: the state as it is, or the changes since the given version."""
        if self._initial or self._from in {"", "0"}:
            objects = self._store.scan(self._kind.resource, self._namespace)
            lines = [self._event("ADDED", obj) for obj in objects if self._chosen(obj)]
            return [*lines, self._bookmark(_INITIAL_END)] if self._initial and self._bookmarks else lines
        version = int(self._from)
        return [line for change in self._store.since(version, self._kind.resource) if (line := self._line(change))]

    def _line(self, change: Change) -> bytes:
        """One change as this watcher sees it; empty when it does not concern the watcher."""
        if change.resource != self._kind.resource or change.version <= self._after:
            return b""
        if self._namespace is not None and change.object["metadata"].get("namespace", "") != self._namespace:
            return b""
        before = change.previous is not None and self._chosen(change.previous)
        after = change.type != "DELETED" and self._chosen(change.object)
        if after:
            return self._event("MODIFIED" if before else "ADDED", change.object)
        if not before:
            return b""
        if change.type == "DELETED" or change.previous is None:
            return self._event("DELETED", change.object)
        # It left the selection: its last selected state is told, under the version of the change.
        metadata = change.previous["metadata"] | {"resourceVersion": str(change.version)}
        return self._event("DELETED", change.previous | {"metadata": metadata})

    def _event(self, event: str, obj: Json) -> bytes:
        if self._form:
            include = self._query.get("includeObject", "")
            return _encoded(event, one(self._kind, self._version, obj, self._form, include))
        return _encoded(event, in_version(self._kind, self._version, obj))

    def _bookmark(self, annotations: Json | None = None) -> bytes:
        metadata: Json = {"resourceVersion": str(self._store.version)}
        if annotations:
            metadata["annotations"] = annotations
        obj: Json = {
            "kind": self._kind.kind,
            "apiVersion": self._kind.api_version(self._version),
            "metadata": metadata,
        }
        if self._form == "Table":
            meta = {"resourceVersion": metadata["resourceVersion"]}
            obj = {
                "kind": "Table",
                "apiVersion": "meta.k8s.io/v1",
                "metadata": meta,
                "columnDefinitions": [],
                "rows": [],
            }
        elif self._form:
            obj |= {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1"}
        return _encoded("BOOKMARK", obj)


def _encoded(event: str, obj: Json) -> bytes:
    return msgspec.json.encode({"type": event, "object": obj}) + b"\n"
