"""Who may do what: the demo users, their rules, and the reviews that ask about them."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field

from gwtui.playground.api.kinds import KINDS
from gwtui.playground.api.status import ApiError, Json, bad_request


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """An authenticated caller."""

    name: str
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What is allowed: these verbs on these resources, everywhere or in these namespaces only."""

    verbs: tuple[str, ...]
    groups: tuple[str, ...] = ("*",)
    resources: tuple[str, ...] = ("*",)
    namespaces: tuple[str, ...] | None = None
    """`None` means every namespace and the cluster scope."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One thing a caller wants to do to a resource."""

    verb: str
    group: str = ""
    resource: str = ""
    """Plural, with its subresource: `pods/portforward`."""
    namespace: str = ""
    name: str = ""


_READ = ("get", "list", "watch")
_VIEWED = tuple(kind.plural for kind in KINDS if kind.plural != "secrets")
_AUTHENTICATED = "system:authenticated"
ADMIN = User(name="playground-admin", groups=("system:masters", _AUTHENTICATED))
VIEWER = User(name="playground-viewer", groups=("playground:viewers", _AUTHENTICATED))
TEAM = User(name="playground-team", groups=("playground:team", _AUTHENTICATED))
_VIEW = (Rule(verbs=_READ, resources=(*_VIEWED, "pods/proxy")),)
_OWN = (Rule(verbs=("*",), namespaces=("foo", "bar")),)
RULES: dict[str, tuple[Rule, ...]] = {
    "system:masters": (Rule(verbs=("*",)),),
    _AUTHENTICATED: (
        Rule(
            verbs=("create",),
            groups=("authorization.k8s.io", "authentication.k8s.io"),
            resources=("selfsubjectaccessreviews", "selfsubjectrulesreviews", "selfsubjectreviews"),
        ),
    ),
    "playground-viewer": _VIEW,
    "playground:viewers": _VIEW,
    "playground-team": _OWN,
    "playground:team": _OWN,
}
"""Rules by subject, the name of a user or of a group."""


def rules_of(user: User) -> list[Rule]:
    """All rules that hold for a user."""
    return [rule for subject in dict.fromkeys((user.name, *user.groups)) for rule in RULES.get(subject, ())]


def is_allowed(user: User, act: Act) -> bool:
    """Whether one of the user's rules covers the act."""
    return any(
        _covers(rule.verbs, act.verb)
        and _covers(rule.groups, act.group)
        and _covers(rule.resources, act.resource)
        and (rule.namespaces is None or act.namespace in rule.namespaces)
        for rule in rules_of(user)
    )


def require(user: User, act: Act) -> None:
    """Pass, or refuse.

    Raises:
        ApiError: 403.
    """
    if is_allowed(user, act):
        return
    plural = act.resource.partition("/")[0]
    qualified = f"{plural}.{act.group}" if act.group else plural
    named = f' "{act.name}"' if act.name else ""
    where = f'in the namespace "{act.namespace}"' if act.namespace else "at the cluster scope"
    message = (
        f'{qualified}{named} is forbidden: User "{user.name}" cannot {act.verb} resource "{act.resource}"'
        f' in API group "{act.group}" {where}'
    )
    details = {"name": act.name, "group": act.group, "kind": plural}
    raise ApiError(403, "Forbidden", message, {key: value for key, value in details.items() if value})


@dataclass(frozen=True, slots=True)
class Tokens:
    """Bearer tokens, made anew for every server."""

    users: dict[str, User] = field(
        default_factory=lambda: {secrets.token_urlsafe(24): u for u in (ADMIN, VIEWER, TEAM)}
    )

    def of(self, user: User) -> str:
        """The token of a demo user."""
        return next(token for token, owner in self.users.items() if owner == user)

    def identify(self, authorization: str) -> User:
        """The user behind an `Authorization` header.

        Raises:
            ApiError: 401.
        """
        user = self.users.get(authorization.removeprefix("Bearer ").strip())
        if user is None or not authorization.startswith("Bearer "):
            raise ApiError(401, "Unauthorized", "Unauthorized")
        return user


def impersonated(user: User, name: str, groups: Iterable[str]) -> User:
    """The identity a request runs under when it asks to act as someone else; empty `name` means it does not.

    Raises:
        ApiError: 403 when the caller may not impersonate, 400 for groups without a user.
    """
    groups = tuple(groups)
    if not name and groups:
        message = "requested impersonation of groups without impersonating a user"
        raise ApiError(400, "BadRequest", message)
    if not name:
        return user
    require(user, Act(verb="impersonate", resource="users", name=name))
    for group in groups:
        require(user, Act(verb="impersonate", resource="groups", name=group))
    return User(name=name, groups=tuple(dict.fromkeys((*groups, _AUTHENTICATED))))


def review(user: User, resource: str, body: Json) -> Json:
    """The answer to a self review of access, of rules, or of identity.

    Raises:
        ApiError: 400 for a review of rules that names no namespace.
    """
    spec = body.get("spec")
    spec = spec if isinstance(spec, dict) else {}
    if resource == "selfsubjectreviews":
        status: Json = {"userInfo": {"username": user.name, "groups": list(user.groups)}}
    elif resource == "selfsubjectrulesreviews":
        if not spec.get("namespace"):
            raise bad_request("no namespace on request")
        status = _rules_status(user, spec["namespace"])
        body = body | {"spec": {}}
    elif "nonResourceAttributes" in spec:
        asked = spec["nonResourceAttributes"]
        status = {"allowed": asked.get("verb") in {"get", "head"} or "system:masters" in user.groups}
    else:
        asked = spec.get("resourceAttributes") or {}
        sub = f"/{asked['subresource']}" if asked.get("subresource") else ""
        act = Act(
            verb=asked.get("verb", ""),
            group=asked.get("group", ""),
            resource=asked.get("resource", "") + sub,
            namespace=asked.get("namespace", ""),
            name=asked.get("name", ""),
        )
        status = {"allowed": is_allowed(user, act)}
    return body | {"metadata": body.get("metadata") or {}, "status": status}


def _rules_status(user: User, namespace: str) -> Json:
    rules = [
        {"verbs": list(rule.verbs), "apiGroups": list(rule.groups), "resources": list(rule.resources)}
        for rule in rules_of(user)
        if rule.namespaces is None or namespace in rule.namespaces
    ]
    paths = [
        {
            "verbs": ["get"],
            "nonResourceURLs": ["/api", "/api/*", "/apis", "/apis/*", "/healthz", "/openapi/*", "/version"],
        }
    ]
    if "system:masters" in user.groups:
        paths.append({"verbs": ["*"], "nonResourceURLs": ["*"]})
    return {"resourceRules": rules, "nonResourceRules": paths, "incomplete": False}


def _covers(allowed: tuple[str, ...], wanted: str) -> bool:
    return "*" in allowed or wanted in allowed
