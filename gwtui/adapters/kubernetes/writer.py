"""Reads single objects of one cluster whole, and writes them: the `ObjectWriter`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from multidict import CIMultiDict

from gwtui.adapters.kubernetes.cluster import KubernetesCluster
from gwtui.adapters.kubernetes.failures import Throttled
from gwtui.adapters.kubernetes.transport import Reply
from gwtui.adapters.kubernetes.write_failures import warnings, write_refusal
from gwtui.changes.door import Approval, require_approval
from gwtui.changes.rights import Rule
from gwtui.errors import BadPayload, Refused, SourceError, Unreachable
from gwtui.model.ids import ObjectKey
from gwtui.ports import ObjectWriter, Operation, Stored

MANAGER = "gwtui"
"""Our name in the books of who set which field."""

LONGEST_WAIT_S = 5.0
"""A server that asks for a longer pause than this is not waited for."""

_PATCH = "application/json-patch+json"
_QUERY = (("fieldManager", MANAGER), ("fieldValidation", "Strict"))
_DRY = ("dryRun", "All")


class KubernetesWriter(ObjectWriter):
    """Writes the objects of one cluster, as JSON patches."""

    def __init__(self, cluster: KubernetesCluster) -> None:
        self._cluster = cluster

    async def read(self, key: ObjectKey) -> dict[str, Any]:
        """Return an object as the server has it; see `ObjectWriter.read`."""
        kind = self._cluster.kind_of(key.resource)
        return dict(await self._cluster.fetch_object(kind, key.namespace, key.name))

    async def rehearse(self, key: ObjectKey, operations: Sequence[Operation]) -> Stored:
        """Return what a patch would make of the object; see `ObjectWriter.rehearse`.

        When the server asks for a short pause it is asked once more after it.
        """
        try:
            return await self._patch(key, operations, None)
        except Throttled as busy:
            if not 0 < busy.retry_after_s <= LONGEST_WAIT_S:
                raise
            await self._cluster.clock.sleep(busy.retry_after_s)
        return await self._patch(key, operations, None)

    async def write(self, approval: Approval, key: ObjectKey, operations: Sequence[Operation]) -> Stored:
        """Patch the object for real; see `ObjectWriter.write`. It is sent once, whatever happens to it."""
        require_approval(approval).require_object(key)
        return await self._patch(key, operations, approval)

    async def rules(self, namespace: str) -> tuple[Rule, ...] | None:
        """Return what we may do in a namespace; see `ObjectWriter.rules`."""
        return await self._cluster.rules(namespace)

    async def _patch(self, key: ObjectKey, operations: Sequence[Operation], approval: Approval | None) -> Stored:
        """Send a patch; a dry run without an approval."""
        if key.cluster != self._cluster.context:
            raise Refused(f"{key} is in cluster {key.cluster}, not {self._cluster.context}", "open that cluster")
        path = await self._cluster.object_path(self._cluster.kind_of(key.resource), key.namespace, key.name)
        query = (*_QUERY, _DRY) if approval is None else _QUERY
        transport = self._cluster.transport
        try:
            reply = await transport.exchange(
                "PATCH", path, query=query, body=list(operations), content_type=_PATCH, approval=approval
            )
            if reply.status < 400:
                return _stored(key, reply)
        except SourceError as error:
            if approval is None or not isinstance(error, Unreachable | BadPayload):
                raise
            raise Unreachable(error.message, "whether it was written is not known: look at the object") from error
        raise write_refusal(key, operations, reply.status, reply.body) or transport.refusal("PATCH", path, reply, query)


class _Metadata(msgspec.Struct):
    name: str


class _Object(msgspec.Struct):
    metadata: _Metadata


def _stored(key: ObjectKey, reply: Reply) -> Stored:
    try:
        msgspec.json.decode(reply.body, type=_Object)
        document = msgspec.json.decode(reply.body, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise BadPayload(f"{key}: the answer is no object: {error}", "a proxy may answer instead") from error
    return Stored(document, warnings(CIMultiDict(reply.headers).getall("Warning", [])))
