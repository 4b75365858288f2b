"""What happens to a request: who asks, what is asked, may they, and the answer."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import msgspec
from aiohttp import web

from gwtui.playground.api import discovery, status
from gwtui.playground.api.access import Tokens, User, impersonated, require, require_path, review
from gwtui.playground.api.forward import Address, Pod, has_ports, serve_forward
from gwtui.playground.api.kinds import Kind
from gwtui.playground.api.options import delete_options, write_options
from gwtui.playground.api.patches import APPLY, require_patch
from gwtui.playground.api.proxy import serve_proxy
from gwtui.playground.api.reading import Lister, many, one
from gwtui.playground.api.request import Target, flag, missing_document, missing_path, parse_target, wanted_form
from gwtui.playground.api.status import ApiError, Json
from gwtui.playground.api.store import Store
from gwtui.playground.api.watching import Watch
from gwtui.playground.api.writing import Write, decode

log = logging.getLogger(__name__)

_COMPRESS_FROM = 128 * 1024
_EXTRA = "impersonate-extra-"


@dataclass(slots=True)
class Dispatcher:
    """The pipeline of every request."""

    store: Store
    ports: Mapping[tuple[str, str, int], Address]
    tokens: Tokens
    client: aiohttp.ClientSession
    lister: Lister = field(init=False)

    def __post_init__(self) -> None:
        self.lister = Lister(self.store)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer any request; every refusal but that of an unknown path is a `Status` body."""
        try:
            return await self._answered(request)
        except status.Unserved:
            return web.Response(text="404 page not found\n", status=404)
        except ApiError as error:
            return _reply(request, error.body(), code=error.code)
        except web.HTTPException as error:
            body = ApiError(error.status, "RequestEntityTooLarge", error.reason).body()
            return _reply(request, body, code=error.status)
        except (ConnectionError, aiohttp.ClientError):
            raise
        except Exception:
            log.exception("request_failed", extra={"method": request.method, "path": request.path})
            body = ApiError(500, "InternalError", "the playground could not carry out this request").body()
            return _reply(request, body, code=500)

    async def _answered(self, request: web.Request) -> web.StreamResponse:
        user = self._user(request)
        target = parse_target(request.path)
        if target is None:
            return _document(request, user)
        if target.is_review:
            return await self._review(request, target, user)
        for act in target.acts(request.method, watching=flag(request.query, "watch")):
            require(user, act)
        return await self._answer(request, target, target.kind)

    def _user(self, request: web.Request) -> User:
        user = self.tokens.identify(request.headers.get("Authorization", ""))
        extra: dict[str, tuple[str, ...]] = {}
        for name, value in request.headers.items():
            if name.lower().startswith(_EXTRA):
                key = name.lower().removeprefix(_EXTRA)
                extra[key] = (*extra.get(key, ()), value)
        wanted = User(
            name=request.headers.get("Impersonate-User", ""),
            groups=tuple(request.headers.getall("Impersonate-Group", [])),
            uid=request.headers.get("Impersonate-Uid", ""),
            extra=extra,
        )
        return impersonated(user, wanted)

    async def _review(self, request: web.Request, target: Target, user: User) -> web.Response:
        if target.name:
            raise missing_path()
        if request.method != "POST":
            raise status.not_allowed()
        for act in target.acts(request.method, watching=False):
            require(user, act)
        body = decode(request.content_type, await request.read())
        if not isinstance(body, dict) or str(body.get("kind", target.plural)).lower() not in target.plural:
            raise status.bad_request("the body is not the review that this path is for")
        return _reply(request, review(user, target.plural, body), code=201)

    async def _answer(self, request: web.Request, target: Target, kind: Kind) -> web.StreamResponse:
        if target.subresource == "portforward" and "portforward" in kind.subresources:
            return await self._forward(request, target)
        if target.subresource == "proxy" and "proxy" in kind.subresources:
            loopback = getattr(self.ports, "loopback_ports", ())
            return await serve_proxy(
                request, target, self.store, ports=self.ports, loopback_ports=loopback, client=self.client
            )
        if target.subresource and not (target.subresource == "status" and kind.status):
            raise status.not_found(kind.resource, target.name) if kind.custom else missing_path()
        if target.subresource and request.method in {"POST", "DELETE"}:
            raise status.not_allowed()
        if request.method in {"GET", "HEAD"}:
            return await self._read(request, target, kind)
        return await self._write(request, target, kind)

    async def _forward(self, request: web.Request, target: Target) -> web.StreamResponse:
        pod = self.store.find("pods", target.namespace, target.name)
        if pod is None:
            raise status.not_found("pods", target.name)
        if not pod["spec"].get("nodeName") and not has_ports(self.ports, target.namespace, target.name):
            raise status.bad_request(f"pod {target.name} does not have a host assigned")
        return await serve_forward(request, Pod(target.namespace, target.name, pod["metadata"]["uid"], self.ports))

    async def _read(self, request: web.Request, target: Target, kind: Kind) -> web.StreamResponse:
        form, content_type = wanted_form(request.headers.get("Accept", ""))
        include = request.query.get("includeObject", "")
        if target.name:
            obj = self.store.find(kind.resource, target.namespace, target.name)
            if obj is None:
                raise status.not_found(kind.resource, target.name)
            return _reply(request, one(kind, target.version, obj, form, include), content_type=content_type)
        namespace = target.namespace or None
        if flag(request.query, "watch"):
            watch = Watch(self.store, kind, version=target.version, namespace=namespace, query=request.query, form=form)
            return await _stream(request, watch)
        objects, metadata = self.lister.list(kind, namespace, request.query)
        body = many(kind, target.version, objects, metadata, form=form, include=include)
        return _reply(request, body, content_type=content_type)

    async def _write(self, request: web.Request, target: Target, kind: Kind) -> web.Response:
        query = request.query
        form, content_type = wanted_form(request.headers.get("Accept", ""))
        raw = await request.read()
        method = request.method
        if method == "DELETE":
            return self._delete(request, target, kind, decode(request.content_type, raw) if raw else {})
        if method == "PATCH":
            require_patch(request.content_type)
        apply = method == "PATCH" and request.content_type == APPLY
        options = write_options(method, query, agent=request.headers.get("User-Agent", "unknown"), applies=apply)
        write = Write(
            store=self.store,
            kind=kind,
            version=target.version,
            namespace=target.namespace,
            name=target.name,
            subresource=target.subresource,
            manager=options.manager,
            dry_run=options.dry_run,
            strictness=options.strictness,
            force=options.force,
        )
        existed = self.store.find(kind.resource, target.namespace, target.name) is not None
        body = decode(request.content_type, raw)
        if method == "POST" and not target.name:
            obj = write.create(body)
        elif method == "PUT" and target.name:
            obj = write.replace(body)
        elif method == "PATCH" and target.name:
            obj = write.patch(request.content_type, body)
        else:
            raise status.not_allowed()
        response = _reply(
            request,
            one(kind, target.version, obj, form, query.get("includeObject", "")),
            code=201 if method == "POST" or (apply and not existed) else 200,
            content_type=content_type,
        )
        for warning in write.warnings:
            response.headers.add("Warning", f"299 - {msgspec.json.encode(warning).decode()}")
        return response

    def _delete(self, request: web.Request, target: Target, kind: Kind, body: Any) -> web.Response:
        options = delete_options(request.query, body)

        def delete(namespace: str, name: str) -> tuple[Json, bool]:
            write = Write(store=self.store, kind=kind, version=target.version, namespace=namespace, name=name)
            return write.delete(options)

        if not target.name:
            if kind.plural == "namespaces":
                raise status.not_allowed()
            objects, metadata = self.lister.list(kind, target.namespace or None, request.query)
            for obj in objects:
                delete(obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
            return _reply(request, many(kind, target.version, objects, metadata, form=""))
        obj, is_told = delete(target.namespace, target.name)
        if is_told:
            return _reply(request, one(kind, target.version, obj, ""))
        details = {"name": target.name, "group": kind.group, "kind": kind.plural, "uid": obj["metadata"]["uid"]}
        return _reply(request, status.success({key: value for key, value in details.items() if value}))


def _document(request: web.Request, user: User) -> web.Response:
    """The answer to a path that names no resource."""
    require_path(user, request.path, request.method)
    if request.method not in {"GET", "HEAD"}:
        raise status.not_allowed()
    form, content_type = wanted_form(request.headers.get("Accept", ""))
    parts = request.path.strip("/").split("/")
    if parts[0] in {"healthz", "livez", "readyz"}:
        return web.Response(text="ok")
    if form == "APIGroupDiscoveryList" and parts in (["api"], ["apis"]):
        version = "v2beta1" if "v2beta1" in content_type else "v2"
        body = discovery.aggregated(core=parts == ["api"], version=version)
        return _reply(request, body, content_type=content_type)
    document = discovery.document(parts)
    if document is None:
        raise missing_document(request.path)
    return _reply(request, document)


def _reply(
    request: web.Request, body: Json, *, code: int = 200, content_type: str = "application/json"
) -> web.Response:
    encoded = msgspec.json.encode(body)
    response = web.Response(body=encoded, status=code, headers={"Content-Type": content_type})
    if len(encoded) > _COMPRESS_FROM and "gzip" in request.headers.get("Accept-Encoding", ""):
        response.enable_compression(web.ContentCoding.gzip)
    return response


async def _stream(request: web.Request, watch: Watch) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    with suppress(ConnectionResetError):  # whoever watches may leave between two lines
        async for line in watch.lines():
            await response.write(line)
        await response.write_eof()
    return response
