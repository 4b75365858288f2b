"""Create, replace, patch, apply and delete, as requests mean them."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import msgspec
import yaml

from gwtui.playground.api import protobuf, status
from gwtui.playground.api.admission import misshapen
from gwtui.playground.api.apply import applied
from gwtui.playground.api.kinds import Kind
from gwtui.playground.api.options import DeleteOptions
from gwtui.playground.api.patches import APPLY, JSON, MERGE, STRATEGIC, patched
from gwtui.playground.api.schema import drop_unknown
from gwtui.playground.api.schemas import schema_of
from gwtui.playground.api.status import ApiError, Json
from gwtui.playground.api.store import Store

_LASTING = frozenset({"default", "kube-system", "kube-public"})
"""Namespaces that cannot be deleted."""
_TOLD = frozenset({"pods", "services", "serviceaccounts"})
"""Kinds whose deletion is answered with the object."""


class _PlainLoader(yaml.SafeLoader):
    """YAML as JSON understands it: timestamps stay text."""


_PlainLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def decode(content_type: str, body: bytes) -> Any:
    """The document in a request body.

    Raises:
        ApiError: 415 for a content type not served here, protobuf of most kinds among them; 400 for a document that
            cannot be read.
    """
    media = content_type.partition(";")[0].strip().lower()
    try:
        if media in {"application/yaml", "text/yaml", APPLY}:
            return yaml.load(body, _PlainLoader)  # noqa: S506 - built on SafeLoader
        if media in {"", "application/json", "application/octet-stream", MERGE, JSON, STRATEGIC}:
            return msgspec.json.decode(body)
        if media == protobuf.MEDIA_TYPE and (obj := protobuf.decode_protobuf(body)):
            return obj
    except (msgspec.DecodeError, yaml.YAMLError, ValueError) as error:
        raise status.bad_request(f"the request body cannot be read: {error}") from error
    raise status.unsupported_media(media, "application/json, application/yaml")


@dataclass(slots=True, kw_only=True)
class Write:
    """One write to one object, or to its status."""

    store: Store
    kind: Kind
    version: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    manager: str = "unknown"
    dry_run: bool = False
    strictness: str = "Warn"
    """What to do about unknown fields: `Strict`, `Warn` or `Ignore`."""
    force: bool = False
    warnings: list[str] = field(default_factory=list)
    """Remarks for the client, filled while writing."""

    def create(self, obj: Any) -> Json:
        """Store a new object.

        Raises:
            ApiError: 400, 404 (no such namespace), 409 (it exists) or 422.
        """
        obj = self._addressed(obj)
        self._refuse_unknown(obj)
        metadata = obj["metadata"]
        if metadata.get("resourceVersion"):
            raise ApiError(500, "", "resourceVersion should not be set on objects to be created")
        if self.kind.namespaced and self.store.find("namespaces", "", self.namespace) is None:
            raise status.not_found("namespaces", self.namespace)
        if self.store.find(self.kind.resource, self.namespace, metadata.get("name", "")):
            raise status.already_exists(self.kind.resource, metadata["name"])
        return self.store.write(self.kind, obj, None, manager=self.manager, dry_run=self.dry_run)

    def replace(self, obj: Any) -> Json:
        """Replace an object, or its status.

        Raises:
            ApiError: 400, 404, 409 (stale resource version) or 422.
        """
        old = self._existing()
        obj = self._addressed(obj)
        self._refuse_unknown(obj)
        version = obj["metadata"].get("resourceVersion", "")
        if not version and self.kind.custom:
            message = "Invalid value: 0x0: must be specified for an update"
            causes = [{"reason": "FieldValueInvalid", "message": message, "field": "metadata.resourceVersion"}]
            raise status.invalid(self.kind.kind, self.kind.group, self.name, causes)
        uid = obj["metadata"].get("uid")
        if uid and uid != old["metadata"]["uid"]:
            why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {old['metadata']['uid']}"
            raise status.conflict(self.kind.resource, self.name, why)
        return self._store_over(obj, old)

    def patch(self, content_type: str, patch: Any) -> Json:
        """Patch an object, or its status, in one of the four formats; apply creates what is not there.

        Raises:
            ApiError: 400, 404, 409, 415 or 422.
        """
        if content_type == APPLY:
            return self._apply(patch)
        if content_type not in {MERGE, JSON, STRATEGIC} or (content_type == STRATEGIC and self.kind.custom):
            accepted = ", ".join([JSON, MERGE, *([] if self.kind.custom else [STRATEGIC]), APPLY])
            raise status.unsupported_media(content_type, accepted)
        old = self._existing()
        shown = old | {"apiVersion": self.kind.api_version(self.version)}
        obj = self._addressed(patched(content_type, patch, shown))
        unknown = self._unknown(obj)
        if unknown and self.strictness == "Strict":
            raise _quoted(obj, f"strict decoding error: {', '.join(unknown)}")
        if problems := misshapen(self.kind, obj):
            raise _quoted(obj, problems[0])
        uid = obj["metadata"].get("uid")
        if uid != old["metadata"]["uid"]:
            message = f'Invalid value: "{uid}": field is immutable'
            cause = {"reason": "FieldValueInvalid", "message": message, "field": "metadata.uid"}
            raise status.invalid(self.kind.kind, self.kind.group, self.name, [cause])
        return self._store_over(obj, old)

    def delete(self, options: DeleteOptions) -> tuple[Json, bool]:
        """Delete an object; returns its last state and whether the writer is told that instead of a mere success.

        Raises:
            ApiError: 403 for a namespace that stays, 404, or 409 when a precondition does not hold.
        """
        old = self._existing()
        if self.kind.plural == "namespaces" and self.name in _LASTING:
            text = f'namespaces "{self.name}" is forbidden: this namespace may not be deleted'
            raise ApiError(403, "Forbidden", text, {"name": self.name, "kind": "namespaces"})
        for key, said in (("uid", "UID"), ("resourceVersion", "ResourceVersion")):
            wanted, found = options.preconditions.get(key), old["metadata"].get(key)
            if wanted and wanted != found:
                text = (
                    f'Operation cannot be fulfilled on {self.kind.kind} "{self.name}": the {said} in the precondition'
                    f" ({wanted}) does not match the {said} in record ({found})"
                )
                raise ApiError(409, "Conflict", text, {"name": self.name, "kind": self.kind.kind})
        marked = self.store.marked(self.kind, old, options.policy)
        if not options.dry_run:
            marked = self.store.remove(self.kind, old, policy=options.policy)
        is_told = marked is not None or self.kind.plural in _TOLD
        return marked or old, is_told

    def _apply(self, config: Any) -> Json:
        if self.manager == "":
            text = "Required value: is required for apply patch"
            raise status.invalid_options("PatchOptions", "fieldManager", "FieldValueRequired", text)
        if isinstance(config, dict) and not config.get("apiVersion"):
            raise status.bad_request(f"invalid object type: /, Kind={config.get('kind', '')}")
        config = self._addressed(config)
        if config["metadata"].get("managedFields"):
            raise status.bad_request("metadata.managedFields must be nil")
        self._refuse_unknown(config)
        old = self.store.find(self.kind.resource, self.namespace, self.name)
        if old is None and self.subresource:
            raise status.not_found(self.kind.resource, self.name)
        if old is None and self.kind.namespaced and self.store.find("namespaces", "", self.namespace) is None:
            raise status.not_found("namespaces", self.namespace)
        if old is not None:
            self._check_version(config, old)
        merged, books = applied(
            self.kind, config, old, manager=self.manager, force=self.force, subresource=self.subresource
        )
        return self.store.write(
            self.kind,
            merged,
            old,
            manager=self.manager,
            subresource=self.subresource,
            managed_fields=books,
            dry_run=self.dry_run,
        )

    def _store_over(self, obj: Json, old: Json) -> Json:
        self._check_version(obj, old)
        books = obj["metadata"].get("managedFields")
        return self.store.write(
            self.kind,
            obj,
            old,
            manager=self.manager,
            subresource=self.subresource,
            recorded=books if isinstance(books, list) else None,
            dry_run=self.dry_run,
        )

    def _existing(self) -> Json:
        old = self.store.find(self.kind.resource, self.namespace, self.name)
        if old is None:
            raise status.not_found(self.kind.resource, self.name)
        return old

    def _addressed(self, obj: Any) -> Json:
        """A copy of the object with its place filled in, after checking that it belongs where it was sent."""
        expected = self.kind.api_version(self.version), self.kind.kind
        if not isinstance(obj, dict) or not isinstance(obj.get("metadata", {}), dict):
            raise status.bad_request("the request body is not an object")
        if not self.kind.custom:
            obj = {"apiVersion": expected[0], "kind": expected[1]} | obj
        found = obj.get("apiVersion"), obj.get("kind")
        if found != expected:
            message = f"the object is {found[1]} in {found[0]}, but the path is for {expected[1]} in {expected[0]}"
            raise status.bad_request(message)
        metadata = deepcopy(obj.get("metadata", {}))
        if self.kind.namespaced and metadata.setdefault("namespace", self.namespace) != self.namespace:
            raise status.bad_request(
                "the namespace of the provided object does not match the namespace sent on the request"
            )
        if self.name and metadata.setdefault("name", self.name) != self.name:
            message = f"the name of the object ({metadata['name']}) does not match the name on the URL ({self.name})"
            raise status.bad_request(message)
        addressed: Json = obj | {"metadata": metadata}
        return addressed

    def _check_version(self, obj: Json, old: Json) -> None:
        wanted = obj["metadata"].get("resourceVersion")
        if wanted and wanted != old["metadata"]["resourceVersion"]:
            why = "the object has been modified; please apply your changes to the latest version and try again"
            raise status.conflict(self.kind.resource, self.name, why)

    def _unknown(self, obj: Json) -> list[str]:
        if self.strictness == "Ignore":
            return []
        dropped = drop_unknown(deepcopy(obj), schema_of(self.kind))
        unknown = [f'unknown field "{path}"' for path in dropped]
        if self.strictness != "Strict":
            self.warnings += unknown
        return unknown

    def _refuse_unknown(self, obj: Json) -> None:
        unknown = self._unknown(obj)
        if unknown and self.strictness == "Strict":
            what = f'{self.kind.kind} in version "{self.version}" cannot be handled as a {self.kind.kind}'
            raise ApiError(400, "BadRequest", f"{what}: strict decoding error: {', '.join(unknown)}")


def _quoted(obj: Json, problem: str) -> ApiError:
    """422 for a patch that makes no object of its kind: the API quotes what came of it whole."""
    quoted = msgspec.json.encode(msgspec.json.encode(obj).decode()).decode()
    cause = {"reason": "FieldValueInvalid", "message": f"Invalid value: {quoted}: {problem}", "field": "patch"}
    return status.invalid("", "", "", [cause])
