"""What accompanies a write, checked: who writes, whether for real, what becomes of unknown fields, how to delete."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from multidict import MultiMapping

from gwtui.playground.api.request import flag
from gwtui.playground.api.status import bad_request, invalid_options

_LONGEST_MANAGER = 128
_KINDS = {"POST": "CreateOptions", "PUT": "UpdateOptions", "PATCH": "PatchOptions", "DELETE": "DeleteOptions"}
_POLICIES = ("Foreground", "Background", "Orphan")


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOptions:
    """Options of one creation, replacement or patch."""

    manager: str
    dry_run: bool
    strictness: str
    """What to do about unknown fields: `Strict`, `Warn` or `Ignore`."""
    force: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteOptions:
    """Options of one deletion."""

    dry_run: bool = False
    policy: str = "Background"
    """What becomes of what the object owns: `Foreground`, `Background` or `Orphan`."""
    preconditions: dict[str, str] = field(default_factory=dict)
    """`uid` and `resourceVersion` the object must have."""


def write_options(method: str, query: MultiMapping[str], *, agent: str, applies: bool) -> WriteOptions:
    """Options out of a query.

    Args:
        method: HTTP method.
        query: Of the request.
        agent: The `User-Agent` header, which names the manager where the query does not.
        applies: Whether this is a server-side apply, whose manager has to be named.

    Raises:
        ApiError: 422 for one that means nothing.
    """
    kind = _KINDS.get(method, "UpdateOptions")
    strictness = query.get("fieldValidation", "") or "Warn"
    if strictness not in {"Strict", "Warn", "Ignore"}:
        text = f'Unsupported value: "{strictness}": supported values: "", "Ignore", "Strict", "Warn"'
        raise invalid_options(kind, "fieldValidation", "FieldValueNotSupported", text)
    named = query.get("fieldManager", "")
    if len(named) > _LONGEST_MANAGER:
        text = f"Too long: may not be more than {_LONGEST_MANAGER} bytes"
        raise invalid_options(kind, "fieldManager", "FieldValueTooLong", text)
    if flag(query, "force") and not applies:
        text = "Forbidden: may not be specified for non-apply patch"
        raise invalid_options(kind, "force", "FieldValueForbidden", text)
    return WriteOptions(
        manager=named or ("" if applies else agent.partition("/")[0]),
        dry_run=_is_dry(kind, query.getall("dryRun", [])),
        strictness=strictness,
        force=flag(query, "force"),
    )


def delete_options(query: MultiMapping[str], body: Any) -> DeleteOptions:
    """Options out of a query and a body, if any.

    Raises:
        ApiError: 400 for a body that is something else, 422 for an option that means nothing.
    """
    body = body if isinstance(body, dict) else {}
    if body.get("kind", "DeleteOptions") != "DeleteOptions":
        raise bad_request(f"{body['kind']} in the body of a deletion: its options go there")
    policy = query.get("propagationPolicy", "") or body.get("propagationPolicy") or ""
    if policy and body.get("orphanDependents") is not None:
        text = f'Invalid value: "{policy}": orphanDependents and deletionPropagation cannot be both set'
        raise invalid_options("DeleteOptions", "propagationPolicy", "FieldValueInvalid", text)
    if policy and policy not in _POLICIES:
        text = f'Unsupported value: "{policy}": supported values: "Foreground", "Background", "Orphan", "nil"'
        raise invalid_options("DeleteOptions", "propagationPolicy", "FieldValueNotSupported", text)
    wanted = body.get("preconditions") or {}
    return DeleteOptions(
        dry_run=_is_dry("DeleteOptions", [*query.getall("dryRun", []), *(body.get("dryRun") or [])]),
        policy=policy or ("Orphan" if body.get("orphanDependents") else "Background"),
        preconditions={key: wanted[key] for key in ("uid", "resourceVersion") if wanted.get(key)},
    )


def _is_dry(kind: str, values: list[str]) -> bool:
    if any(value != "All" for value in values):
        shown = ", ".join(f'"{value}"' for value in values)
        text = f'Unsupported value: [{shown}]: supported values: "All"'
        raise invalid_options(kind, "dryRun", "FieldValueNotSupported", text)
    return bool(values)
