"""Failures as the API reports them: an exception that carries a `Status` body."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


class Unserved(Exception):
    """Nothing is behind this path; unlike other refusals the answer is a line of text (404)."""


class ApiError(Exception):
    """A request the API refuses; `body()` is the `Status` object sent to the client.

    An empty reason and absent details are left out of it.
    """

    def __init__(self, code: int, reason: str, message: str, details: Json | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.details = details

    def body(self) -> Json:
        """The `Status` object for this failure."""
        status = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": str(self),
            "code": self.code,
        }
        return (
            status
            | ({"reason": self.reason} if self.reason else {})
            | ({"details": self.details} if self.details is not None else {})
        )


def success(details: Json) -> Json:
    """The `Status` object that answers a completed deletion."""
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}


def bad_request(message: str) -> ApiError:
    """The request cannot be understood (400)."""
    return ApiError(400, "BadRequest", message)


def not_found(resource: str, name: str) -> ApiError:
    """No such object (404); `resource` is qualified, such as `gateways.gateway.networking.k8s.io`."""
    plural, _, group = resource.partition(".")
    details = {"name": name, "group": group, "kind": plural}
    return ApiError(404, "NotFound", f'{resource} "{name}" not found', {k: v for k, v in details.items() if v})


def already_exists(resource: str, name: str) -> ApiError:
    """An object of that name is there already (409)."""
    plural, _, group = resource.partition(".")
    details = {"name": name, "kind": plural} | ({"group": group} if group else {})
    return ApiError(409, "AlreadyExists", f'{resource} "{name}" already exists', details)


def conflict(resource: str, name: str, why: str) -> ApiError:
    """The object is not in the state the writer assumed (409)."""
    plural, _, group = resource.partition(".")
    details = {"name": name, "kind": plural} | ({"group": group} if group else {})
    return ApiError(409, "Conflict", f'Operation cannot be fulfilled on {resource} "{name}": {why}', details)


def invalid(kind: str, group: str, name: str, causes: list[Json]) -> ApiError:
    """The object breaks its schema (422); each cause has `reason`, `message` and `field`."""
    lines = [f"{cause['field']}: {cause['message']}" for cause in causes]
    text = lines[0] if len(lines) == 1 else f"[{', '.join(lines)}]"
    what = f"{kind}.{group}" if group else kind
    details = {"name": name, "group": group, "kind": kind, "causes": causes}
    told = {key: value for key, value in details.items() if value}
    return ApiError(422, "Invalid", f'{what} "{name}" is invalid: {text}', told)


def invalid_options(kind: str, field: str, reason: str, message: str) -> ApiError:
    """An option of a request means nothing (422); `kind` is such as `CreateOptions`."""
    return invalid(kind, "meta.k8s.io", "", [{"reason": reason, "message": message, "field": field}])


def not_allowed(message: str = "the server does not allow this method on the requested resource") -> ApiError:
    """The method means nothing here (405)."""
    return ApiError(405, "MethodNotAllowed", message, {})


def expired(message: str) -> ApiError:
    """The requested resource version or continue token is too old (410)."""
    return ApiError(410, "Expired", message)


def unsupported_media(content_type: str, accepted: str) -> ApiError:
    """The body's content type is not served here (415)."""
    message = f"the body of the request was in an unknown format - accepted media types include: {accepted}"
    return ApiError(415, "UnsupportedMediaType", message, {"causes": [{"message": content_type}]})
