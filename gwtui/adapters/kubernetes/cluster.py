"""One kubeconfig context, opened: its sources, its transport, and what we may do there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from gwtui.adapters.kubernetes.api import ApiSource
from gwtui.adapters.kubernetes.discovery import Discovery
from gwtui.adapters.kubernetes.kubeconfig import Access
from gwtui.adapters.kubernetes.rules_review import PATH as RULES_PATH
from gwtui.adapters.kubernetes.rules_review import decode_rules, rules_question
from gwtui.adapters.kubernetes.source import KindSource
from gwtui.adapters.kubernetes.transport import ApiTransport
from gwtui.changes.rights import Rule
from gwtui.errors import BadPayload, GwtuiError, NotServed
from gwtui.model.kinds import KindSpec
from gwtui.ports import Clock, Source

REVIEW_FRESH_S = 60.0
"""How long the answers to `can` and `rules` are believed, in seconds."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the API server takes us for. *Source:* `authentication.k8s.io/v1 SelfSubjectReview status.userInfo`."""

    username: str
    groups: tuple[str, ...] = ()


class _UserInfo(msgspec.Struct):
    username: str = ""
    groups: tuple[str, ...] | None = None


class _SelfStatus(msgspec.Struct, rename="camel"):
    user_info: _UserInfo


class _SelfReview(msgspec.Struct):
    status: _SelfStatus


class _AccessStatus(msgspec.Struct):
    allowed: bool


class _AccessReview(msgspec.Struct):
    status: _AccessStatus


_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]*").fullmatch
"""What may stand in a path as the name of an object."""


class KubernetesCluster:
    """One open context."""

    def __init__(self, access: Access, kinds: Sequence[KindSpec], clock: Clock, transport: ApiTransport) -> None:
        self.transport = transport
        self._access = access
        self._kinds = tuple(kinds)
        self.clock = clock
        self._discovery = Discovery(transport, self._kinds, clock)
        self._answers: dict[tuple[str, str, str, str], tuple[float, bool]] = {}
        self._rules: dict[str, tuple[float, tuple[Rule, ...] | None]] = {}

    @classmethod
    async def open(cls, access: Access, kinds: Sequence[KindSpec], clock: Clock) -> KubernetesCluster:
        """Prepare everything to read `kinds`. Sends nothing, so a dead cluster opens too and reports itself."""
        return cls(access, kinds, clock, await ApiTransport.open(access, clock))

    @property
    def context(self) -> str:
        """Name of the kubeconfig context, the cluster in every key."""
        return self._access.context

    @property
    def namespace(self) -> str:
        """The context's default namespace; empty when it names none."""
        return self._access.namespace

    def sources(self, namespaces: Sequence[str] = ()) -> tuple[Source, ...]:
        """Return a source for each kind and one for the API server.

        Args:
            namespaces: Read these only; empty means all, with the context's namespace as the fallback when that is
                refused.
        """
        fallback = (self.namespace,) if self.namespace else ()
        kinds = (
            KindSource(self.transport, self._discovery, kind, self.clock, namespaces=namespaces, fallback=fallback)
            for kind in self._kinds
        )
        return (ApiSource(self.transport, self.clock), *kinds)

    async def identity(self) -> Identity | None:
        """Who the server takes us for, impersonation included; None when it does not say (before 1.28) or not now."""
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        try:
            reply = await self.transport.request("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", body=body)
            user = msgspec.json.decode(reply.body, type=_SelfReview).status.user_info
        except (GwtuiError, msgspec.DecodeError):
            return None
        return Identity(user.username, user.groups or ())

    async def can(self, verb: str, resource: str, subresource: str = "", namespace: str = "") -> bool | None:
        """Whether we have a right, believed for `REVIEW_FRESH_S` seconds; None when the server cannot say.

        Args:
            verb: `get`, `create`, ….
            resource: Group resource, for example `httproutes.gateway.networking.k8s.io`.
            subresource: For example `portforward`.
            namespace: Empty means in all namespaces.
        """
        question = (verb, resource, subresource, namespace)
        if (known := self._answers.get(question)) and self.clock.mono() - known[0] < REVIEW_FRESH_S:
            return known[1]
        plural, _, group = resource.partition(".")
        attributes = {
            "verb": verb,
            "resource": plural,
            "group": group,
            "subresource": subresource,
            "namespace": namespace,
        }
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {name: value for name, value in attributes.items() if value}},
        }
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        try:
            reply = await self.transport.request("POST", path, body=body)
            allowed = msgspec.json.decode(reply.body, type=_AccessReview).status.allowed
        except (GwtuiError, msgspec.DecodeError):
            return None
        self._answers[question] = (self.clock.mono(), allowed)
        return allowed

    async def rules(self, namespace: str) -> tuple[Rule, ...] | None:
        """Return all we may do in a namespace, believed for `REVIEW_FRESH_S` seconds; None when it is not known whole.

        Some authorizers (webhooks) cannot list what they would allow: then the server's list is incomplete.
        """
        if (known := self._rules.get(namespace)) and self.clock.mono() - known[0] < REVIEW_FRESH_S:
            return known[1]
        try:
            found = decode_rules(
                (await self.transport.request("POST", RULES_PATH, body=rules_question(namespace))).body
            )
        except GwtuiError:
            return None
        self._rules[namespace] = (self.clock.mono(), found)
        return found

    async def fetch_object(self, kind: KindSpec, namespace: str, name: str) -> Mapping[str, Any]:
        """Return one object whole, as the server has it, for the YAML view.

        Raises:
            SourceError: as `ApiTransport.get_json_bytes`; `NotServed` when the object is gone.
        """
        path = await self.object_path(kind, namespace, name)
        try:
            found: dict[str, Any] = msgspec.json.decode(await self.transport.get_json_bytes(path), type=dict[str, Any])
        except msgspec.DecodeError as error:
            raise BadPayload(
                f"{self.context}: {path} is not an object: {error}", "a proxy may answer instead"
            ) from error
        return found

    async def object_path(self, kind: KindSpec, namespace: str, name: str) -> str:
        """Return the path of one object, in the version we read.

        Raises:
            NotServed: the kind is not served, or no object can have such a name.
            SourceError: discovery failed.
        """
        for each in (namespace, name) if kind.namespaced else (name,):
            if not _NAME(each):
                raise NotServed(
                    f"{self.context}: no {kind.kind} is called {each!r}", "names are letters, digits, - and ."
                )
        base = await self._discovery.path(kind)
        scope = f"/namespaces/{namespace}" if kind.namespaced else ""
        return f"{base}{scope}/{kind.plural}/{name}"

    def kind_of(self, resource: str) -> KindSpec:
        """Return the kind of a group resource, out of those this cluster was opened for.

        Raises:
            NotServed: it is none of them.
        """
        found = next((kind for kind in self._kinds if kind.resource == resource), None)
        if found is None:
            raise NotServed(f"{self.context}: {resource} is not read here", "choose an object from the list")
        return found

    async def close(self) -> None:
        """Close every connection."""
        await self.transport.close()
