"""Attached policies: what all of them have in common."""

from __future__ import annotations

from msgspec import Struct

from gwtui.model.gateway_api import LocalRef, ParentRef
from gwtui.model.kubernetes import Condition
from gwtui.model.meta import AuthoredMeta


class PolicyAncestor(Struct, rename="camel", frozen=True, gc=False):
    """What one controller says about one place the policy takes effect: a Gateway, not the targeted route."""

    ancestor_ref: ParentRef
    controller_name: str = ""
    conditions: tuple[Condition, ...] = ()


class PolicyStatus(Struct, rename="camel", frozen=True, gc=False):
    """*Source:* `status` of any attached policy."""

    ancestors: tuple[PolicyAncestor, ...] = ()


class PolicySpec(Struct, rename="camel", frozen=True, gc=False):
    """Targets, in the namespace of the policy."""

    target_refs: tuple[LocalRef, ...] = ()


class Policy(Struct, rename="camel", frozen=True, gc=False):
    """An attached policy of which targets and status alone are read (BackendTLSPolicy, BackendConfigPolicy, …)."""

    metadata: AuthoredMeta
    spec: PolicySpec = PolicySpec()
    status: PolicyStatus = PolicyStatus()
