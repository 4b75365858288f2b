"""Requests passed on to a port of a pod, or of a pod behind a service."""

from __future__ import annotations

from collections.abc import Iterable

import aiohttp
from aiohttp import web
from yarl import URL

from gwtui.playground.api import status
from gwtui.playground.api.forward import Address, Ports, has_ports
from gwtui.playground.api.request import Target
from gwtui.playground.api.status import ApiError, Json
from gwtui.playground.api.store import Store

_HOP_HEADERS = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "host",
        "authorization",
        "content-length",
        "accept-encoding",
    }
)
_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=60)
_SLICES = "endpointslices.discovery.k8s.io"


async def serve_proxy(
    request: web.Request,
    target: Target,
    store: Store,
    *,
    ports: Ports,
    loopback_ports: Iterable[int],
    client: aiohttp.ClientSession,
) -> web.StreamResponse:
    """Pass a request on and stream the answer back.

    Ports that listen on the pod's own loopback are refused, as they are out of reach of the pod's address.

    Raises:
        ApiError: 404 no such object, 503 nothing listens there.
    """
    address, port = _address(target, store, ports)
    if address is None or port in loopback_ports:
        raise _unreachable(f"dial tcp: port {port}: connect: connection refused")
    asked = request.rel_url
    path = "/".join(asked.raw_path.split("/")[8:])  # what follows /api/v1/namespaces/*/pods/*/proxy/, still encoded
    query = f"?{asked.raw_query_string}" if asked.raw_query_string else ""
    url = URL(f"http://{address[0]}:{address[1]}/{path}{query}", encoded=True)
    headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP_HEADERS}
    body = request.content if request.can_read_body else None
    try:
        answer = await client.request(
            request.method, url, headers=headers, data=body, allow_redirects=False, timeout=_TIMEOUT
        )
    except (aiohttp.ClientError, TimeoutError) as error:
        raise _unreachable(str(error) or "timed out") from error
    async with answer:
        kept = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP_HEADERS}
        kept.pop("Content-Encoding", None)
        response = web.StreamResponse(status=answer.status, headers=kept)
        await response.prepare(request)
        try:
            async for chunk in answer.content.iter_any():
                await response.write(chunk)
            await response.write_eof()
        except (aiohttp.ClientError, TimeoutError):
            # The status line is gone already: a cut connection is the only way left to say that this is not the end.
            if request.transport is not None:
                request.transport.abort()
        return response


def _unreachable(why: str) -> ApiError:
    return ApiError(503, "ServiceUnavailable", f"error trying to reach service: {why}")


def _address(target: Target, store: Store, ports: Ports) -> tuple[Address | None, int]:
    _, name, wanted = _split(target.name)
    obj = store.find(target.plural, target.namespace, name)
    if obj is None:
        raise status.not_found(target.plural, name)
    if target.plural == "pods":
        port = int(wanted) if wanted.isdecimal() else _first_port(obj, wanted)
        address = ports.get((target.namespace, name, port))
        is_placed = obj.get("status", {}).get("podIP") or has_ports(ports, target.namespace, name)
        if address is None and not is_placed:
            raise status.bad_request("address not allowed")
        return address, port
    backends = _backends(store, obj, wanted)
    if not backends:
        raise ApiError(503, "ServiceUnavailable", f'no endpoints available for service "{name}"')
    for pod, port in backends:
        if address := ports.get((target.namespace, pod, port)):
            return address, port
    return None, 0


def _split(name: str) -> tuple[str, str, str]:
    """Scheme, name and port out of `name`, `name:port` or `scheme:name:port`."""
    parts = name.split(":")
    if len(parts) == 3:
        return parts[0], parts[1], parts[2]
    return "", parts[0], parts[1] if len(parts) == 2 else ""


def _first_port(pod: Json, wanted: str) -> int:
    listed = [port for container in pod.get("spec", {}).get("containers", []) for port in container.get("ports", [])]
    return next((int(port["containerPort"]) for port in listed if wanted in {"", port.get("name")}), 80)


def _backends(store: Store, service: Json, wanted: str) -> list[tuple[str, int]]:
    """Ready pods behind a service with the port the service port leads to."""
    metadata = service["metadata"]
    asked = [p for p in service["spec"].get("ports", []) if wanted in {"", str(p.get("port")), p.get("name")}]
    if not asked:
        text = f'no service port {wanted} found for service "{metadata["name"]}"'
        raise ApiError(503, "ServiceUnavailable", text)
    name = asked[0].get("name")
    found = []
    for piece in store.scan(_SLICES, metadata["namespace"]):
        if (piece["metadata"].get("labels") or {}).get("kubernetes.io/service-name") != metadata["name"]:
            continue
        port = next((p["port"] for p in piece.get("ports", []) if not name or p.get("name") == name), 0)
        for endpoint in piece.get("endpoints", []):
            pod = endpoint.get("targetRef", {}).get("name", "")
            if endpoint.get("conditions", {}).get("ready", True):
                found.append((pod, port))
    return found
