"""Which kinds a server offers, and under which path.

Two requests on servers that aggregate discovery (1.26 and later), one per group and version we know otherwise.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import msgspec

from gwtui.adapters.kubernetes.transport import ApiTransport
from gwtui.errors import BadPayload, GwtuiError, NotServed
from gwtui.model.kinds import KindSpec
from gwtui.ports import Clock

AGGREGATED = (
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,"
    "application/json"
)
REFRESH_S = 60.0
"""How long an answer is believed when it says that a kind is not served: CRDs may be installed later."""


class _Resource(msgspec.Struct):
    resource: str


class _Version(msgspec.Struct):
    version: str
    resources: list[_Resource] | None = None


class _GroupName(msgspec.Struct):
    name: str = ""


class _Group(msgspec.Struct):
    metadata: _GroupName
    versions: list[_Version] | None = None


class _Aggregated(msgspec.Struct):
    kind: str
    items: list[_Group] | None = None


class _OldResource(msgspec.Struct):
    name: str


class _OldResourceList(msgspec.Struct):
    resources: list[_OldResource] | None = None


async def discover(transport: ApiTransport, kinds: Sequence[KindSpec]) -> Mapping[str, str]:
    """Return the base path by group resource, for example `/apis/apps/v1`; a kind that is absent is not served.

    Raises:
        GwtuiError: discovery itself failed.
    """
    served: dict[tuple[str, str], list[str]] = {}
    for root in ("/api", "/apis"):
        answer = decode_aggregated(await transport.get_json_bytes(root, accept=AGGREGATED))
        if answer is None:
            return await _discover_old(transport, kinds)
        for key, versions in answer.items():
            served.setdefault(key, []).extend(versions)
    paths = {}
    for kind in kinds:
        offered = served.get((kind.group, kind.plural), ())
        version = next((version for version in kind.versions if version in offered), None)
        if version is not None:
            paths[kind.resource] = base_path(kind.group, version)
    return paths


def base_path(group: str, version: str) -> str:
    """The path below which a group's version is served."""
    return f"/apis/{group}/{version}" if group else f"/api/{version}"


def decode_aggregated(body: bytes) -> dict[tuple[str, str], list[str]] | None:
    """Decode aggregated discovery into versions by (group, plural); None when the server answered in the old form.

    *Source:* `apidiscovery.k8s.io` v2 and v2beta1, `APIGroupDiscoveryList`.

    Raises:
        BadPayload: not a discovery document.
    """
    try:
        document = msgspec.json.decode(body, type=_Aggregated)
    except msgspec.DecodeError as error:
        raise BadPayload(f"discovery is not a Kubernetes answer: {error}", "check the server address") from error
    if document.kind != "APIGroupDiscoveryList":
        return None
    served: dict[tuple[str, str], list[str]] = {}
    for group in document.items or ():
        for version in group.versions or ():
            for resource in version.resources or ():
                served.setdefault((group.metadata.name, resource.resource), []).append(version.version)
    return served


async def _discover_old(transport: ApiTransport, kinds: Sequence[KindSpec]) -> Mapping[str, str]:
    candidates = {base_path(kind.group, version) for kind in kinds for version in kind.versions}
    offered = dict(
        zip(
            sorted(candidates),
            await asyncio.gather(*(_plurals(transport, path) for path in sorted(candidates))),
            strict=True,
        )
    )
    paths = {}
    for kind in kinds:
        for version in kind.versions:
            path = base_path(kind.group, version)
            if kind.plural in offered[path]:
                paths[kind.resource] = path
                break
    return paths


async def _plurals(transport: ApiTransport, path: str) -> frozenset[str]:
    try:
        body = await transport.get_json_bytes(path)
        resources = msgspec.json.decode(body, type=_OldResourceList).resources or ()
    except NotServed:
        return frozenset()
    except msgspec.DecodeError as error:
        raise BadPayload(f"{path} is not a discovery document: {error}", "check the server address") from error
    return frozenset(resource.name for resource in resources)


class Discovery:
    """The answer of discovery for a fixed set of kinds, asked once and again when a kind is missing for a while."""

    def __init__(self, transport: ApiTransport, kinds: Sequence[KindSpec], clock: Clock) -> None:
        self._transport = transport
        self._kinds = tuple(kinds)
        self._clock = clock
        self._paths: Mapping[str, str] = {}
        self._asked_mono: float | None = None
        self._asking = asyncio.Lock()
        self._attempts = 0
        self._failure: GwtuiError | None = None

    async def path(self, kind: KindSpec) -> str:
        """Return the base path of a kind.

        Raises:
            NotServed: the server does not offer it in a version we read.
            GwtuiError: discovery failed.
        """
        attempt = self._attempts
        async with self._asking:
            if kind.resource not in self._paths and self._is_due():
                if self._failure and attempt != self._attempts:
                    # Asked while we waited for the lock: a dead server is not asked once per kind, one after the other.
                    raise self._failure
                await self._ask()
        if kind.resource not in self._paths:
            versions = ", ".join(kind.versions)
            raise NotServed(
                f"{self._transport.access.context}: {kind.resource} is not served in {versions}",
                f"install the CRD of {kind.kind} if you need it; we look again every {REFRESH_S:.0f} s",
            )
        return self._paths[kind.resource]

    def forget(self) -> None:
        """Ask again before the next answer: a path that was served is served no more."""
        self._paths = {}
        self._asked_mono = None

    async def _ask(self) -> None:
        try:
            self._paths = await discover(self._transport, self._kinds)
            self._failure = None
            self._asked_mono = self._clock.mono()
        except GwtuiError as error:
            self._failure = error
            raise
        finally:
            self._attempts += 1

    def _is_due(self) -> bool:
        return self._asked_mono is None or self._clock.mono() - self._asked_mono >= REFRESH_S
