"""The API over HTTPS on loopback."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import aiohttp
import trustme
from aiohttp import web

from gwtui.playground.api.access import Tokens
from gwtui.playground.api.definitions import definitions
from gwtui.playground.api.dispatch import Dispatcher
from gwtui.playground.api.forward import Address
from gwtui.playground.api.kubeconfig import write_kubeconfig
from gwtui.playground.api.store import Store

_MAX_BODY = 3 << 20
_SHUTDOWN_S = 0.5


class PodPorts(dict[tuple[str, str, int], Address]):
    """Where the ports of pods really are: (namespace, pod, port) to a loopback (host, port).

    A port that is absent refuses connections. A port out of `loopback_ports` is bound to the pod's own loopback:
    port-forward reaches it, the pod proxy does not.
    """

    loopback_ports: ClassVar[frozenset[int]] = frozenset({15000, 19000})


@dataclass(slots=True, kw_only=True)
class ApiServer:
    """A running server."""

    url: str
    kubeconfig: Path
    context: str
    _runner: web.AppRunner
    _client: aiohttp.ClientSession

    async def close(self) -> None:
        """Stop listening, end every watch and forward."""
        await self._client.close()
        await self._runner.cleanup()


async def serve(
    store: Store, pod_ports: Mapping[tuple[str, str, int], Address], *, state_dir: Path, context: str = "playground"
) -> ApiServer:
    """Serve a store on an ephemeral port of 127.0.0.1 and write `state_dir/kubeconfig`.

    The kubeconfig has three contexts: `context` may do everything, `context-readonly` may look at everything but
    secrets and may not port-forward, `context-team` has all rights in the namespaces foo and bar and none elsewhere.
    """
    for definition in definitions():
        store.put(definition)
    tokens = Tokens()
    client = aiohttp.ClientSession(auto_decompress=True)
    app = web.Application(client_max_size=_MAX_BODY)
    app.router.add_route("*", "/{path:.*}", Dispatcher(store, pod_ports, tokens, client).handle)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=_SHUTDOWN_S)
    await runner.setup()
    authority = trustme.CA()
    context_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context_tls)
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context_tls).start()
    host, port = runner.addresses[0][:2]
    url = f"https://{host}:{port}"
    path = state_dir / "kubeconfig"
    write_kubeconfig(path, url=url, authority=authority.cert_pem.bytes(), tokens=tokens, context=context)
    return ApiServer(url=url, kubeconfig=path, context=context, _runner=runner, _client=client)
