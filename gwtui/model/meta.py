"""`metadata` of Kubernetes objects, cut down to what the console reads, with who wrote them and when."""

from __future__ import annotations

from functools import lru_cache
from sys import intern

from msgspec import Struct, field
from msgspec.structs import force_setattr

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
"""Annotation that repeats the whole object as text."""


class OwnerReference(Struct, rename="camel", frozen=True, gc=False):
    """*Source:* `metadata.ownerReferences[]`."""

    kind: str
    name: str
    uid: str = ""
    api_version: str = ""
    controller: bool = False


class Meta(Struct, rename="camel", frozen=True, gc=False):
    """*Source:* `metadata` of any object. Times are RFC 3339 texts as served."""

    name: str
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: str = ""
    deletion_timestamp: str | None = None
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    owner_references: tuple[OwnerReference, ...] = ()
    finalizers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        force_setattr(self, "namespace", intern(self.namespace))
        if LAST_APPLIED in self.annotations:
            # As large as the object itself, and read by nobody here: not worth holding for every object.
            kept = {key: value for key, value in self.annotations.items() if key != LAST_APPLIED}
            force_setattr(self, "annotations", kept)


class FieldManager(Struct, rename="camel", frozen=True, gc=False):
    """Who writes a part of an object. *Source:* `metadata.managedFields[]`; which fields is not decoded."""

    manager: str = ""
    subresource: str = ""
    """`status` for who writes that alone."""
    time: str = ""
    """When it wrote last, RFC 3339."""

    def __post_init__(self) -> None:
        force_setattr(self, "manager", intern(self.manager))
        force_setattr(self, "time", intern(self.time))


@lru_cache(maxsize=1024)
def _shared(managers: tuple[FieldManager, ...]) -> tuple[FieldManager, ...]:
    """The first of equal tuples: thousands of objects are written by the same few."""
    return managers


class AuthoredMeta(Meta, rename="camel", frozen=True, gc=False):
    """`metadata` of what people and their tools write, with who wrote it.

    Pods and what else only the cluster itself writes do without: there are many of them.
    """

    managed_fields: tuple[FieldManager, ...] = ()

    def __post_init__(self) -> None:
        Meta.__post_init__(self)
        force_setattr(self, "managed_fields", _shared(self.managed_fields))

    @property
    def managers(self) -> tuple[str, ...]:
        """Names of those who write more than the status, each once."""
        return tuple(dict.fromkeys(each.manager for each in self.managed_fields if each.subresource != "status"))
