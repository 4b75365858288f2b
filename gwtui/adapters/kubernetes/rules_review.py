"""All we may do in one namespace, as one answer of the API server.

*Source:* `authorization.k8s.io/v1 SelfSubjectRulesReview status`.
"""

from __future__ import annotations

from typing import Any

import msgspec

from gwtui.changes.rights import Rule
from gwtui.errors import BadPayload

PATH = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"


class _ResourceRule(msgspec.Struct, rename="camel"):
    verbs: tuple[str, ...] = ()
    api_groups: tuple[str, ...] | None = None
    resources: tuple[str, ...] | None = None
    resource_names: tuple[str, ...] | None = None


class _Status(msgspec.Struct, rename="camel"):
    resource_rules: tuple[_ResourceRule, ...] | None = None
    incomplete: bool = False


class _Review(msgspec.Struct):
    status: _Status


def rules_question(namespace: str) -> dict[str, Any]:
    """Return the body to post to `PATH`."""
    return {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectRulesReview",
        "spec": {"namespace": namespace},
    }


def decode_rules(body: bytes) -> tuple[Rule, ...] | None:
    """Return the rules of an answer; None when the server says that there may be more.

    Raises:
        BadPayload: it is no such answer.
    """
    try:
        status = msgspec.json.decode(body, type=_Review).status
    except msgspec.DecodeError as error:
        raise BadPayload(
            f"the review of rights is no Kubernetes answer: {error}", "check the server address"
        ) from error
    if status.incomplete:
        return None
    return tuple(
        Rule(
            verbs=rule.verbs,
            groups=rule.api_groups or (),
            resources=rule.resources or (),
            names=rule.resource_names or (),
        )
        for rule in status.resource_rules or ()
    )
