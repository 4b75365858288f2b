"""The page of kgateway's control plane that tells which gateways' proxies refuse what it sends them.

*Source:* kgateway 2.2 to 2.4: gauge `kgateway_envoy_xds_rejects_active{gateway_namespace,gateway_name,type_url}` on
`/metrics` of the pods labelled `kgateway: kgateway`. Nothing else of that page is played here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from gwtui.playground.api.server import PodPorts
from gwtui.playground.api.store import Store
from gwtui.playground.fleet.ports import LOOPBACK
from gwtui.playground.fleet.proxies import Refusals
from gwtui.playground.world import PODS, key_of

METRICS_PORT = 9092
_GAUGE = "kgateway_envoy_xds_rejects_active"
_PAGE = "text/plain; version=0.0.4; charset=utf-8"


class ControllerMetrics:
    """Serves the page behind the metrics port of every pod of the control plane, if the cluster has one.

    Args:
        ask: returns for each Gateway's role and type URL how many proxies refuse it at present.
    """

    def __init__(self, ask: Callable[[], Awaitable[Refusals]]) -> None:
        self._ask = ask
        self._seen: set[tuple[str, str]] = set()
        self._runner: web.AppRunner | None = None

    async def start(self, store: Store, pod_ports: PodPorts) -> None:
        """Listen on loopback and enter the port for the pods that are there; without any nothing is started."""
        pods = [pod for pod in store.scan(PODS) if pod["metadata"].get("labels", {}).get("kgateway") == "kgateway"]
        if not pods:
            return
        app = web.Application()
        app.router.add_get("/metrics", self._answer)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, LOOPBACK, 0).start()
        for pod in pods:
            pod_ports[*key_of(pod), METRICS_PORT] = self._runner.addresses[0][:2]

    async def close(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, _: web.Request) -> web.Response:
        now = await self._ask()
        self._seen |= now.keys()
        # As with the real one, a series begins with the first refusal and stays.
        return web.Response(body=page({each: now.get(each, 0) for each in self._seen}), headers={"content-type": _PAGE})


def page(refusals: Mapping[tuple[str, str], int]) -> bytes:
    """Return the page.

    Args:
        refusals: number of refusing proxies by role (`<controller>~<namespace>~<gateway>`) and type URL.
    """
    lines = [f"# HELP {_GAUGE} Proxies that refuse a kind of configuration at present", f"# TYPE {_GAUGE} gauge"]
    for (role, type_url), count in sorted(refusals.items()):
        _, namespace, name = role.split("~")
        lines.append(f'{_GAUGE}{{gateway_name="{name}",gateway_namespace="{namespace}",type_url="{type_url}"}} {count}')
    return ("\n".join(lines) + "\n").encode()
