"""What a real Envoy tells of its subscriptions: each refuses and takes by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from delivered_envoy import CDS, CLUSTER, EDS, LDS, SDS, SECRET, AdminAccess, DeliveredEnvoy
from gwtui.adapters.envoy.reader import EnvoyReader
from gwtui.engine.clock import SystemClock
from gwtui.model.observations import ProxySampled
from gwtui.model.reduction import reduce
from gwtui.model.services import Services, refusing
from gwtui.model.snapshot import Snapshot
from gwtui.ports import Part

ROUTES = "rds.listener~8080"
WITHIN_S = 20.0


class Watched:
    """One Envoy, sampled into a snapshot as the console does."""

    def __init__(self, envoy: DeliveredEnvoy, access: AdminAccess) -> None:
        self.envoy = envoy
        self._reader = EnvoyReader((access,), SystemClock())
        self._snapshot = Snapshot()

    async def services(self) -> Services:
        state, sample, way = await self._reader.sample(
            self.envoy.address, deadline_s=10, parts=frozenset({Part.GAUGES})
        )
        self._snapshot = reduce(self._snapshot, [ProxySampled(self.envoy.address.key, state, sample, way)])
        return self._snapshot.proxies[self.envoy.address.key].services

    async def refuses(self, *names: str) -> Mapping[str, datetime]:
        """Sample until exactly these refuse."""
        async with asyncio.timeout(WITHIN_S):
            while refusing(services := await self.services()).keys() != set(names):
                await asyncio.sleep(0.05)
        return refusing(services)

    async def takes(self, name: str, count: int) -> None:
        async with asyncio.timeout(WITHIN_S):
            while (await self.services())[name].accepted != count:
                await asyncio.sleep(0.05)


async def test_each_subscription_tells_what_it_took_and_since_when_it_refuses(start_delivered: Any, admin_access: Any):
    watched = Watched(await start_delivered(), admin_access)
    envoy = watched.envoy
    first = await watched.services()
    assert first.keys() == {"lds", "cds", ROUTES, "sds.shop"}, "endpoints are as many as clusters: not without need"
    assert {each.accepted for each in first.values()} == {1}
    assert all(each.version for each in first.values())

    bad = envoy.routes(SECRET)
    envoy.put("rds.json", "r2", {**bad, "virtual_hosts": bad["virtual_hosts"] * 2})
    since = await watched.refuses(ROUTES)
    refused = (await watched.services())[ROUTES]
    assert (refused.rejected, refused.accepted, refused.version) == (1, 1, first[ROUTES].version)

    envoy.put("cds.json", "c2", *envoy.clusters())
    await watched.takes("cds", 2)
    assert await watched.refuses(ROUTES) == since, "what another subscription took ends nothing"

    envoy.put("rds.json", "r3", envoy.routes("other"))
    await watched.refuses()
    taken = (await watched.services())[ROUTES]
    assert (taken.rejected, taken.accepted) == (1, 2)
    assert taken.version != first[ROUTES].version


async def test_everything_that_can_be_refused_is_told_apart(start_delivered: Any, admin_access: Any):
    watched = Watched(await start_delivered(), admin_access)
    envoy = watched.envoy
    await watched.services()
    pem = {"inline_string": "no certificate"}
    envoy.put("sds.json", "s2", {"@type": SDS, "name": "shop", "tls_certificate": {"certificate_chain": pem}})
    envoy.put("cds.json", "c2", {"@type": CDS, "name": "x", "connect_timeout": "-1s"})
    envoy.put("lds.json", "l2", {"@type": LDS, "name": "x"})
    await watched.refuses("sds.shop", "cds", "lds")


async def test_endpoints_are_followed_where_they_were_refused(start_delivered: Any, admin_access: Any):
    watched = Watched(await start_delivered(), admin_access)
    envoy = watched.envoy
    await watched.services()
    envoy.put("eds.json", "e2", {"@type": EDS, "cluster_name": "another"})
    names = [f"eds.{name}" for name in (CLUSTER, "a.b+c", "a_b+c")]
    since = await watched.refuses(*names)
    await watched.takes(names[0], 1)
    assert await watched.refuses(*names) == since
    assert (await watched.services())[names[1]].version is not None
    envoy.put("eds.json", "e3", envoy.endpoints())
    await watched.refuses()
    assert admin_access.asked[0].count("update_success") == 1
    assert "a%5C.b%5C%2Bc" in [path for path in admin_access.asked if "type=Counters" in path][-1]
