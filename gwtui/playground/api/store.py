"""The objects, their versions, and the log of what happened to them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass

from gwtui.errors import UsageError
from gwtui.playground.api import status
from gwtui.playground.api.admission import admit, is_same
from gwtui.playground.api.fields import timestamp, track_update
from gwtui.playground.api.kinds import BY_RESOURCE, BY_TYPE, Kind
from gwtui.playground.api.schemas import schema_of
from gwtui.playground.api.status import Json

_QUEUE_LENGTH = 20_000
_Key = tuple[str, str]
_STEPS = {"Foreground": "foregroundDeletion", "Orphan": "orphan"}
"""The finalizer that stands for what is still to do, by the policy of a deletion."""


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """One event. The dictionaries are the stored ones: read them, copy them before changing anything."""

    type: str
    """`ADDED`, `MODIFIED` or `DELETED`."""
    resource: str
    """Qualified plural, such as `gateways.gateway.networking.k8s.io`."""
    object: Json
    """The object after the change; for a deletion, its last state under the version of the deletion."""
    version: int
    previous: Json | None = None
    """The object before the change."""


class Lagged(Exception):
    """This subscriber read too slowly and lost changes: list everything again and subscribe anew."""


class Subscription:
    """Changes as they happen; ends after `close()`, raises `Lagged` when its queue overflowed."""

    def __init__(self, forget: Callable[[Subscription], None], *, length: int = _QUEUE_LENGTH) -> None:
        self._queue: asyncio.Queue[Change | None] = asyncio.Queue(length + 1)
        self._length = length
        self._forget = forget
        self._lagged = False

    def offer(self, change: Change) -> None:
        """Hand over one change; a full queue ends the subscription."""
        if self._queue.qsize() >= self._length:
            self._lagged = True
            self.close()
        else:
            self._queue.put_nowait(change)

    def close(self) -> None:
        """Stop receiving; what is queued can still be read."""
        self._forget(self)
        if not self._queue.full():
            self._queue.put_nowait(None)

    def __aiter__(self) -> AsyncIterator[Change]:
        return self

    async def __anext__(self) -> Change:
        change = await self._queue.get()
        if change is not None:
            return change
        if self._lagged:
            raise Lagged
        raise StopAsyncIteration


class Store:
    """Versioned objects: one global counter, a bounded event log.

    All methods are synchronous and belong to one event loop. Writes go through admission: defaults are filled in,
    unknown fields of custom kinds dropped, and an object that breaks its schema raises `ApiError` (422).
    """

    def __init__(self, *, log_length: int = 2000) -> None:
        self._objects: dict[str, dict[_Key, Json]] = {resource: {} for resource in BY_RESOURCE}
        self._log: deque[Change] = deque(maxlen=log_length)
        self._subscriptions: list[Subscription] = []
        self.version = 1
        """The newest version handed out."""
        self._forgotten = 1
        for name in ("default", "kube-system"):
            self.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    def scan(self, resource: str, namespace: str | None = None) -> list[Json]:
        """The stored objects of one resource, ordered by namespace and name; not to be changed by the caller."""
        objects = self._objects[resource]
        return [objects[key] for key in sorted(objects) if namespace is None or key[0] == namespace]

    def find(self, resource: str, namespace: str, name: str) -> Json | None:
        """The stored object, not to be changed by the caller."""
        return self._objects[resource].get((namespace, name))

    def list(self, resource: str, namespace: str | None = None) -> list[Json]:
        """Copies of the objects of one resource, in one namespace or in all, ordered by namespace and name."""
        return deepcopy(self.scan(resource, namespace))

    def get(self, resource: str, namespace: str, name: str) -> Json | None:
        """A copy of one object; the namespace of cluster-wide kinds is the empty string."""
        return deepcopy(self.find(resource, namespace, name))

    def put(self, obj: Json, *, manager: str = "playground") -> Json:
        """Create an object, or replace its spec and metadata; returns a copy of the stored object.

        Status, uid and creation time of an existing object stay; a new object keeps the `creationTimestamp` given.
        Writing what is there already changes nothing.

        Raises:
            ApiError: 422, the object breaks its schema.
            UsageError: This kind is not served.
        """
        kind = BY_TYPE.get((obj.get("apiVersion", ""), obj.get("kind", "")))
        if kind is None:
            raise UsageError(f"The playground does not serve {obj.get('kind')} of {obj.get('apiVersion')}")
        metadata = obj.get("metadata", {})
        namespace = metadata.get("namespace", "default") if kind.namespaced else ""
        if kind.namespaced and "namespace" not in metadata:
            obj = obj | {"metadata": metadata | {"namespace": namespace}}
        old = self.find(kind.resource, namespace, metadata.get("name", ""))
        created_at = metadata.get("creationTimestamp", "")
        return deepcopy(self.write(kind, obj, old, manager=manager, created_at=created_at))

    def put_status(
        self, resource: str, namespace: str, name: str, status: Json, *, manager: str = "playground"
    ) -> Json | None:
        """Replace the status of an object; `None` when it is not there. An equal status changes nothing."""
        old = self.find(resource, namespace, name)
        if old is None:
            return None
        new = old | {"status": status}
        return deepcopy(self.write(BY_RESOURCE[resource], new, old, manager=manager, subresource="status"))

    def write(
        self,
        kind: Kind,
        new: Json,
        old: Json | None,
        *,
        manager: str,
        subresource: str = "",
        managed_fields: Iterable[Json] | None = None,
        recorded: Iterable[Json] | None = None,
        created_at: str = "",
        dry_run: bool = False,
    ) -> Json:
        """Admit and store `new` in place of `old`; returns the stored object, which the caller must not change.

        `managed_fields` is given by server-side apply, which computes its own ownership; `recorded` replaces the
        books the update starts from.
        """
        obj = admit(kind, new, old, subresource=subresource, created_at=created_at)
        metadata = obj["metadata"]
        if managed_fields is None:
            managed_fields = track_update(
                obj,
                old,
                schema_of(kind),
                manager=manager,
                subresource=subresource,
                has_status=kind.status,
                recorded=recorded,
            )
        metadata["managedFields"] = list(managed_fields)
        if old is not None and is_same(obj, old) and _owners(obj) == _owners(old):
            return old
        if dry_run:
            return obj
        if metadata.get("deletionTimestamp") and not metadata.get("finalizers"):
            self._remove(kind, obj)
            return obj
        self._commit("MODIFIED" if old else "ADDED", kind, obj, old)
        return obj

    def delete(self, resource: str, namespace: str, name: str) -> bool:
        """Delete an object and what it owns; one held by finalizers is only marked. False when it is not there."""
        old = self.find(resource, namespace, name)
        if old is None:
            return False
        self.remove(BY_RESOURCE[resource], old)
        return True

    def marked(self, kind: Kind, old: Json, policy: str) -> Json | None:
        """The object as it is marked for deletion, not stored; `None` where it goes without being marked."""
        metadata = old["metadata"]
        held = [*metadata.get("finalizers", []), *([_STEPS[policy]] if policy in _STEPS else [])]
        is_namespace = kind.resource == "namespaces"
        if not held and not is_namespace:
            return None
        if metadata.get("deletionTimestamp"):
            return old
        obj = deepcopy(old)
        obj["metadata"] |= {"deletionTimestamp": timestamp()}
        if held:
            obj["metadata"] |= {"finalizers": list(dict.fromkeys(held)), "deletionGracePeriodSeconds": 0}
        if is_namespace:
            obj["status"] = obj.get("status", {}) | {"phase": "Terminating"}
        if kind.generation:
            obj["metadata"]["generation"] = metadata.get("generation", 0) + 1
        return obj

    def remove(self, kind: Kind, old: Json, *, policy: str = "Background") -> Json | None:
        """Delete a stored object, or mark it; returns it as marked, `None` when it went at once.

        A namespace, and an object whose deletion goes in steps, is marked first and gone when this returns, unless
        finalizers hold it.
        """
        obj = self.marked(kind, old, policy)
        if obj is None:
            self._remove(kind, old)
            return None
        if obj is not old:
            self._commit("MODIFIED", kind, obj, old)
        left = [name for name in obj["metadata"].get("finalizers", []) if name not in _STEPS.values()]
        if policy in _STEPS:
            self._release(kind, obj, orphan=policy == "Orphan")
        if not left:
            metadata = {key: value for key, value in obj["metadata"].items() if key != "finalizers"}
            self._remove(kind, obj | {"metadata": metadata})
        return obj

    def subscribe(self) -> Subscription:
        """Every change from now on, of all resources."""
        subscription = Subscription(self._unsubscribe)
        self._subscriptions.append(subscription)
        return subscription

    def since(self, version: int, resource: str) -> Iterable[Change]:
        """The logged changes of one resource after `version`.

        Raises:
            ApiError: 410, the log no longer reaches back that far.
        """
        if version < self._forgotten:
            raise status.expired(f"too old resource version: {version} ({self._forgotten})")
        return [change for change in self._log if change.version > version and change.resource == resource]

    def compact(self) -> None:
        """Forget the event log: watches and pages that start from an older version get 410."""
        self._log.clear()
        self._forgotten = self.version

    @property
    def oldest_version(self) -> int:
        """The oldest version a watch or a continued list may start from."""
        return self._forgotten

    def _unsubscribe(self, subscription: Subscription) -> None:
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)

    def _commit(self, event: str, kind: Kind, obj: Json, old: Json | None) -> None:
        self.version += 1
        metadata = obj["metadata"]
        metadata["resourceVersion"] = str(self.version)
        key = (metadata.get("namespace", ""), metadata["name"])
        if event == "DELETED":
            self._objects[kind.resource].pop(key, None)
        else:
            self._objects[kind.resource][key] = obj
        if len(self._log) == self._log.maxlen:
            self._forgotten = self._log[0].version
        change = Change(event, kind.resource, obj, self.version, old)
        self._log.append(change)
        for subscription in tuple(self._subscriptions):
            subscription.offer(change)

    def _remove(self, kind: Kind, obj: Json) -> None:
        self._commit("DELETED", kind, obj | {"metadata": dict(obj["metadata"])}, obj)
        self._release(kind, obj)
        if kind.resource == "namespaces":
            name = obj["metadata"]["name"]
            for resource, objects in self._objects.items():
                for namespace, held in [key for key in objects if key[0] == name]:
                    self.delete(resource, namespace, held)

    def _release(self, kind: Kind, obj: Json, *, orphan: bool = False) -> None:
        """Take an owner away: what has no other goes with it, unless it is to be orphaned."""
        uid = obj["metadata"]["uid"]
        for resource, objects in self._objects.items():
            for (namespace, name), candidate in list(objects.items()):
                owners = candidate["metadata"].get("ownerReferences", [])
                left = [owner for owner in owners if owner.get("uid") != uid]
                if len(left) < len(owners) and (left or orphan):
                    released = candidate | {"metadata": candidate["metadata"] | {"ownerReferences": left}}
                    self.write(BY_RESOURCE[resource], released, candidate, manager="playground")
                elif len(left) < len(owners):
                    self.delete(resource, namespace, name)


def _owners(obj: Json) -> Json:
    return {
        f"{item.get('manager')}/{item.get('operation')}/{item.get('subresource', '')}": item["fieldsV1"]
        for item in obj["metadata"].get("managedFields", [])
    }
