"""What an API server says against a patch, and what it remarks on one that it takes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from gwtui.adapters.kubernetes.failures import Status, decode_status
from gwtui.errors import Conflict, GwtuiError, Rejected
from gwtui.model.ids import ObjectKey
from gwtui.ports import Operation

MOST_CAUSES = 5
"""More are counted, not told."""

_ANEW = "look at it again and make the change anew"
_IDENTITY = frozenset({"/metadata/resourceVersion", "/metadata/uid"})
_STRICT = re.compile(r'^Invalid value: "(?:[^"\\]|\\.)*": ', re.DOTALL)
"""Before the reason, strict decoding quotes the whole object."""
_LONG = re.compile(r'"((?:[^"\\]|\\.){80})(?:[^"\\]|\\.)+"', re.DOTALL)
_ADMISSION = re.compile(r"admission webhook|AdmissionPolicy|denied the request")
_WARNING = re.compile(r'299 \S+ ("(?:[^"\\]|\\.)*")')


def write_refusal(key: ObjectKey, operations: Sequence[Operation], code: int, body: bytes) -> GwtuiError | None:
    """Return the error a refused patch means; None when it is not about what was to be written.

    Args:
        key: The object.
        operations: The patch.
        code: HTTP status of the answer.
        body: Of the answer.
    """
    status = decode_status(body)
    if status is None:
        return None
    said = " ".join((status.message or "").split())[:500]
    causes = _causes(status)
    error: GwtuiError | None = None
    if code == 409:
        text = f"{key}: {causes}" if causes else f"{key} was changed by somebody else: {said}"
        error = Conflict(text, _ANEW)
    elif code == 422 and not causes and any(map(_is_precondition, operations)):
        # All the API says is that some operation failed. Ours are made for one version of one object.
        error = Conflict(f"{key} was changed or replaced since it was read", _ANEW)
    elif code in {400, 405, 413, 415, 422}:
        error = Rejected(f"{key}: {causes or said}", "correct what it names")
    elif code == 403 and _ADMISSION.search(said):
        error = Rejected(f"{key}: {said}", "a rule of this cluster is against it: ask who keeps it")
    return error


def warnings(headers: Iterable[str]) -> tuple[str, ...]:
    """Return the texts of `Warning` headers; one may hold several."""
    return tuple(re.sub(r"\\(.)", r"\1", quoted[1:-1]) for header in headers for quoted in _WARNING.findall(header))


def _is_precondition(operation: Operation) -> bool:
    return operation.get("op") == "test" and operation.get("path") in _IDENTITY


def _causes(status: Status) -> str:
    """The causes in one line: `spec.rules[0].backendRefs[0].weight: Invalid value: -1: should be at least 0`."""
    causes = (status.details or {}).get("causes")
    told = [_cause(each) for each in causes if isinstance(each, dict)] if isinstance(causes, list) else []
    more = f" (and {len(told) - MOST_CAUSES} more)" if len(told) > MOST_CAUSES else ""
    return "; ".join(told[:MOST_CAUSES]) + more


def _cause(cause: dict[str, Any]) -> str:
    field, text = str(cause.get("field") or ""), str(cause.get("message") or cause.get("reason") or "")
    if field == "patch":
        field, text = "", _STRICT.sub("", text)
    text = " ".join(_LONG.sub(r'"\1…"', text).split())[:500]
    return f"{field}: {text}" if field and field != "<nil>" else text
