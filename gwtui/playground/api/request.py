"""What a request asks for: the path taken apart, the verb, and the form the client wants the answer in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gwtui.playground.api import status
from gwtui.playground.api.access import Act
from gwtui.playground.api.kinds import BY_PATH, KINDS, Kind

_REVIEW_GROUPS = {"authorization.k8s.io", "authentication.k8s.io"}
_OWN_GROUPS = _REVIEW_GROUPS | {kind.group for kind in KINDS if not kind.custom}
"""Groups of Kubernetes itself; what they do not serve is refused in other words than what nobody serves."""
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The resource a path names."""

    group: str
    version: str
    plural: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    @property
    def kind(self) -> Kind:
        """The kind behind the path.

        Raises:
            ApiError: 404, the group does not have it.
            Unserved: Nobody serves the group, or no definition describes the kind.
        """
        kind = BY_PATH.get((self.group, self.version, self.plural))
        if kind is None or kind.namespaced < bool(self.namespace):
            raise missing_path() if self.group in _OWN_GROUPS else status.Unserved
        return kind

    @property
    def is_review(self) -> bool:
        """Whether this asks the server about the caller's own rights or identity."""
        return self.group in _REVIEW_GROUPS and self.plural.startswith("selfsubject")

    def acts(self, method: str, *, watching: bool) -> list[Act]:
        """What the caller must be allowed to do; a forward opened by reading counts as creating it, too."""
        if method in {"GET", "HEAD"}:
            verb = "get" if self.name else "watch" if watching else "list"
        else:
            verb = "deletecollection" if method == "DELETE" and not self.name else _VERBS.get(method, method.lower())
        verbs = ("get", "create") if self.subresource == "portforward" and verb == "get" else (verb,)
        resource = f"{self.plural}/{self.subresource}" if self.subresource else self.plural
        namespace = self.name if self.plural == "namespaces" else self.namespace
        return [Act(verb=v, group=self.group, resource=resource, namespace=namespace, name=self.name) for v in verbs]


def parse_target(path: str) -> Target | None:
    """The resource named by `/api/...` or `/apis/...`, or `None` when the path names none."""
    parts = path.strip("/").split("/")
    if parts[:2] == ["api", "v1"]:
        group, version, rest = "", "v1", parts[2:]
    elif parts[0] == "apis" and len(parts) > 3:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    if not rest or not rest[0]:
        return None
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2 and rest[2] not in {"status", "finalize"}:
        namespace, rest = rest[1], rest[2:]
    plural, name, subresource = (*rest, "", "")[:3]
    return Target(
        group=group,
        version=version,
        plural=plural,
        namespace=namespace,
        name=name,
        subresource=subresource,
    )


def missing_path() -> status.ApiError:
    """404 for what a group of Kubernetes does not have."""
    return status.ApiError(404, "NotFound", "the server could not find the requested resource", {})


def missing_document(path: str) -> Exception:
    """What to raise where no document is: `ApiError` below a group of Kubernetes, otherwise `Unserved`."""
    parts = path.strip("/").split("/")
    is_own = parts[0] == "api" or (parts[0] == "apis" and len(parts) > 1 and parts[1] in _OWN_GROUPS)
    return missing_path() if is_own else status.Unserved()


def wanted_form(accept: str) -> tuple[str, str]:
    """The first form out of an `Accept` header this API can produce, and the content type to answer with.

    The form is `Table`, `PartialObjectMetadata`, `PartialObjectMetadataList`, `APIGroupDiscoveryList`, or empty for
    the objects themselves.

    Raises:
        ApiError: 406 when nothing on the list can be produced.
    """
    for option in (accept or "*/*").split(","):
        media, *parameters = [part.strip() for part in option.split(";")]
        values = dict(part.split("=", 1) for part in parameters if "=" in part)
        form = values.get("as", "")
        served = {
            "Table": ("meta.k8s.io", {"v1", "v1beta1"}),
            "PartialObjectMetadata": ("meta.k8s.io", {"v1", "v1beta1"}),
            "PartialObjectMetadataList": ("meta.k8s.io", {"v1", "v1beta1"}),
            "APIGroupDiscoveryList": ("apidiscovery.k8s.io", {"v2", "v2beta1"}),
        }
        if media in {"application/json", "application/*", "*/*"} and not form:
            return "", "application/json"
        if media == "application/json" and form in served:
            group, versions = served[form]
            if values.get("g") == group and values.get("v") in versions:
                return form, option.strip() if form == "APIGroupDiscoveryList" else media
    message = "only the following media types are accepted: application/json"
    raise status.ApiError(406, "NotAcceptable", message)


def flag(query: Mapping[str, str], name: str) -> bool:
    """A boolean query parameter."""
    return query.get(name, "").lower() in {"true", "1"}


def number(query: Mapping[str, str], name: str) -> int:
    """A query parameter that counts something; 0 where it is absent.

    Raises:
        ApiError: 400, it is no number.
    """
    text = query.get(name, "")
    if text and not text.isdecimal():
        raise status.bad_request(f'Invalid value: "{text}": {name} must be a number')
    return int(text or 0)
