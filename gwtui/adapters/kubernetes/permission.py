"""What may leave for an API server: reads, questions about ourselves, dry runs, and what was approved."""

from __future__ import annotations

import re

from gwtui.adapters.kubernetes.failures import Query
from gwtui.changes.door import Approval, require_approval
from gwtui.errors import Refused

_REVIEW = re.compile(
    r"/apis/(authentication\.k8s\.io/v\w+/selfsubjectreviews"
    r"|authorization\.k8s\.io/v\w+/selfsubject(access|rules)reviews)"
).fullmatch
"""Questions that have to be asked by POST. They store nothing."""

_SEGMENT = r"[A-Za-z0-9][A-Za-z0-9._:-]*"
_OBJECT = re.compile(
    rf"/(api|apis/{_SEGMENT})/{_SEGMENT}/(namespaces/{_SEGMENT}/)?(?!namespaces/{_SEGMENT}/){_SEGMENT}(/{_SEGMENT})?"
).fullmatch
"""An object or a collection, no subresource: a pod's proxy, exec and port-forward act whatever `dryRun` says."""


def require_permission(method: str, path: str, query: Query, approval: Approval | None) -> None:
    """Let a request pass that changes nothing, or that was approved.

    Args:
        method: HTTP method.
        path: Absolute path, without the query.
        query: Name and value pairs.
        approval: Of the plan the request carries out; None for none.

    Raises:
        Refused: it would write, and nobody approved it.
    """
    if approval is not None:
        require_approval(approval)
        return
    if method == "GET" or (method == "POST" and _REVIEW(path)):
        return
    asked = [value for name, value in query if name == "dryRun"]
    if asked == ["All"] and _OBJECT(path):
        return
    raise Refused(f"{method} {path} would write without an approved plan", "make a plan and confirm it")
