"""Who may do what: the demo users, their rules, and the reviews that ask about them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from gwtui.playground.api.kinds import KINDS
from gwtui.playground.api.status import ApiError, Json, bad_request, invalid


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """An authenticated caller."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


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


PUBLIC_PATHS = ("/healthz", "/livez", "/readyz", "/version", "/version/")
"""What everybody may read."""
DISCOVERY_PATHS = (
    "/api",
    "/api/*",
    "/apis",
    "/apis/*",
    "/healthz",
    "/livez",
    "/openapi",
    "/openapi/*",
    "/readyz",
    "/version",
    "/version/",
)
"""What everybody may read who is known."""
_ACCOUNT = "system:serviceaccount:"
_READ = ("get", "list", "watch")
_VIEWED = tuple(kind.plural for kind in KINDS if kind.plural != "secrets")
_AUTHENTICATED = "system:authenticated"
ANONYMOUS = User(name="system:anonymous", groups=("system:unauthenticated",))
"""Who sends no token."""
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
            groups=("authorization.k8s.io",),
            resources=("selfsubjectaccessreviews", "selfsubjectrulesreviews"),
        ),
        Rule(verbs=("create",), groups=("authentication.k8s.io",), resources=("selfsubjectreviews",)),
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
        """The user behind an `Authorization` header; who sends no token is anonymous.

        Raises:
            ApiError: 401, nobody was given this token.
        """
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            return ANONYMOUS
        user = self.users.get(token.strip())
        if user is None:
            raise ApiError(401, "Unauthorized", "Unauthorized")
        return user


def impersonated(user: User, wanted: User) -> User:
    """The identity a request runs under when it asks to act as someone else; an empty name means it does not.

    Raises:
        ApiError: 403 when the caller may not impersonate, 400 for groups or more without a user.
    """
    if wanted == User(name=""):
        return user
    if not wanted.name:
        raise bad_request("requested impersonation of groups, uid or extra without impersonating a user name")
    require(user, Act(verb="impersonate", resource="users", name=wanted.name))
    for group in wanted.groups:
        require(user, Act(verb="impersonate", resource="groups", name=group))
    if wanted.name == ANONYMOUS.name:
        return ANONYMOUS
    groups = wanted.groups
    if wanted.name.startswith(_ACCOUNT) and not groups:
        namespace = wanted.name.removeprefix(_ACCOUNT).partition(":")[0]
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}")
    return replace(wanted, groups=tuple(dict.fromkeys((*groups, _AUTHENTICATED))))


def require_path(user: User, path: str, method: str) -> None:
    """Pass, or refuse a path that names no resource.

    Raises:
        ApiError: 403.
    """
    verb = method.lower()
    if not is_path_allowed(user, path, verb):
        raise ApiError(403, "Forbidden", f'forbidden: User "{user.name}" cannot {verb} path "{path}"', {})


def is_path_allowed(user: User, path: str, verb: str) -> bool:
    """Whether a user may read a path that names no resource."""
    if "system:masters" in user.groups:
        return True
    return verb in {"get", "head"} and any(
        path == each or (each.endswith("/*") and path.startswith(each[:-1])) for each in _paths_of(user)
    )


def _paths_of(user: User) -> tuple[str, ...]:
    return DISCOVERY_PATHS if _AUTHENTICATED in user.groups else PUBLIC_PATHS


def review(user: User, resource: str, body: Json) -> Json:
    """The answer to a self review of access, of rules, or of identity.

    Raises:
        ApiError: 400 for a review of rules that names no namespace, 422 for a question about no right or two.
    """
    spec = body.get("spec")
    spec = spec if isinstance(spec, dict) else {}
    if resource == "selfsubjectreviews":
        who: Json = {"username": user.name, "groups": list(user.groups)}
        who |= {"uid": user.uid} if user.uid else {}
        who |= {"extra": {key: list(values) for key, values in user.extra.items()}} if user.extra else {}
        status: Json = {"userInfo": who}
    elif resource == "selfsubjectrulesreviews":
        if not spec.get("namespace"):
            raise bad_request("no namespace on request")
        status = _rules_status(user, spec["namespace"])
        body = body | {"spec": {}}
    else:
        status = {"allowed": _is_granted(user, spec)}
    return body | {"metadata": body.get("metadata") or {}, "status": status}


def _is_granted(user: User, spec: Json) -> bool:
    path, asked = spec.get("nonResourceAttributes"), spec.get("resourceAttributes")
    if (path is None) is (asked is None):
        problem = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        cause = {"reason": "FieldValueInvalid", "message": f"Invalid value: null: {problem}", "field": "spec"}
        raise invalid("", "authorization.k8s.io", "", [cause])
    if path is not None:
        return is_path_allowed(user, path.get("path", ""), path.get("verb", ""))
    asked = asked or {}
    sub = f"/{asked['subresource']}" if asked.get("subresource") else ""
    act = Act(
        verb=asked.get("verb", ""),
        group=asked.get("group", ""),
        resource=asked.get("resource", "") + sub,
        namespace=asked.get("namespace", ""),
        name=asked.get("name", ""),
    )
    return is_allowed(user, act)


def _rules_status(user: User, namespace: str) -> Json:
    held = [rule for rule in rules_of(user) if rule.namespaces is None or namespace in rule.namespaces]
    rules = [
        {"verbs": list(rule.verbs), "apiGroups": list(rule.groups), "resources": list(rule.resources)}
        for rule in dict.fromkeys(held)
    ]
    paths = [{"verbs": ["get"], "nonResourceURLs": list(each)} for each in (PUBLIC_PATHS, DISCOVERY_PATHS)]
    if "system:masters" in user.groups:
        paths.append({"verbs": ["*"], "nonResourceURLs": ["*"]})
    return {"resourceRules": rules, "nonResourceRules": paths, "incomplete": False}


def _covers(allowed: tuple[str, ...], wanted: str) -> bool:
    return "*" in allowed or wanted in allowed
