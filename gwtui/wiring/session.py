"""The clusters of one run and the engine that watches them. Heavy: imported after the first paint, in a thread."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import yaml

from gwtui import logs
from gwtui.adapters.agentgateway import kinds as agentgateway
from gwtui.adapters.aws import kinds as aws
from gwtui.adapters.gateway_api import kinds as gateway_api
from gwtui.adapters.istio import kinds as istio
from gwtui.adapters.kgateway import kinds as kgateway
from gwtui.adapters.kubernetes.api import API_SOURCE
from gwtui.adapters.kubernetes.cluster import KubernetesCluster
from gwtui.adapters.kubernetes.kinds import CORE_KINDS
from gwtui.adapters.kubernetes.kubeconfig import load_kubeconfig
from gwtui.engine.leases import Leases
from gwtui.engine.store import Store
from gwtui.engine.supervisor import supervise
from gwtui.errors import Denied, Unreachable, UsageError
from gwtui.model.health import ProxyState, SourceHealth, SourceState
from gwtui.model.ids import ObjectKey
from gwtui.model.resources import GATEWAYS
from gwtui.ports import Clock
from gwtui.settings import Settings
from gwtui.wiring.changes import SessionChanges
from gwtui.wiring.pages import SessionPages
from gwtui.wiring.reach import ProxyReach

KINDS = (*CORE_KINDS, *gateway_api.KINDS, *kgateway.KINDS, *agentgateway.KINDS, *istio.KINDS, *aws.KINDS)

LISTED_WITHIN_S = 30.0
"""How long the kinds of a cluster that answers may take to be listed."""

FIRST_ANSWER_S = 20.0
"""How long a cluster may take to answer for the first time."""


class Session:
    """Everything one run watches.

    Args:
        settings: which clusters, as whom, and how often proxies are asked.
        store: where the facts go.
        clock: the time of everything.
    """

    def __init__(self, settings: Settings, store: Store, clock: Clock) -> None:
        self._settings = settings
        self.store = store
        self._clock = clock
        self._clusters: dict[str, KubernetesCluster] = {}
        self.reach = ProxyReach(settings, lambda: store.snapshot, clock)
        self.pages = SessionPages(self.reach.find)
        """What proxies hold, on request."""
        self.changes = SessionChanges(
            self._open_cluster, lambda: store.snapshot, self.reach, clock, read_only=settings.read_only
        )
        """What can be changed, and what was."""

    @property
    def clusters(self) -> tuple[KubernetesCluster, ...]:
        """The open clusters, in the order of the command line."""
        return tuple(self._clusters.values())

    async def open(self) -> None:
        """Read the kubeconfig and make the clusters ready to be watched. Nothing is sent yet.

        Raises:
            UsageError: there is no such file or context, or it cannot be used as it stands.
        """
        chosen = self._settings
        try:
            config = load_kubeconfig(chosen.kubeconfig)
        except UsageError:
            # Proxies at fixed addresses need no Kubernetes; who names a file or a context wants it all the same.
            if self.reach.inventory is None or chosen.kubeconfig or chosen.contexts:
                raise
            return
        for name in chosen.contexts or (None,):
            access = config.select(name).acting_as(chosen.as_user or "", chosen.as_groups)
            cluster = await KubernetesCluster.open(access, KINDS, self._clock)
            self._clusters[cluster.context] = cluster
            self.reach.admit(cluster)

    async def run(self) -> None:
        """Watch every cluster until cancelled."""
        sources = [source for cluster in self.clusters for source in cluster.sources(self._settings.namespaces)]
        await supervise((*sources, *self.reach.sources()), self.store, self._clock)

    @asynccontextmanager
    async def watching(self, settle_s: float, *, asked_within_s: float) -> AsyncIterator[None]:
        """Watch, without a console: inside the block everything is listed and asked once, and watched for a while more.

        Args:
            settle_s: seconds to watch once everything was listed.
            asked_within_s: seconds proxies have to answer for the first time.

        Raises:
            GwtuiError: no cluster answered, or nothing may be read.
        """
        async with self.running():
            await self.listed()
            await self.sampled(asked_within_s)
            await asyncio.sleep(settle_s)
            self.store.fold()
            yield

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Watch until the block is left, which begins once every cluster answered or failed to.

        Raises:
            GwtuiError: no cluster answered.
        """
        await self.open()
        engine = asyncio.create_task(self.run())
        try:
            await self.answered()
            yield
        finally:
            engine.cancel()
            await asyncio.gather(engine, return_exceptions=True)
            await self.close()

    async def reached(self) -> None:
        """Wait until one cluster answered. The others may still be silent: they are watched all the same.

        Raises:
            Unreachable: none answered: what was tried first, and how it failed.
        """
        await self._until(lambda: any(map(self._has_answered, self._clusters)) or self._all_spoke(), FIRST_ANSWER_S)
        self._need_an_answer()

    async def answered(self) -> None:
        """Wait until every cluster answered or failed to, `FIRST_ANSWER_S` seconds at most for all of them together.

        Raises:
            Unreachable: as `reached`.
        """
        await self._until(self._all_spoke, FIRST_ANSWER_S)
        self._need_an_answer()

    async def listed(self, within_s: float = LISTED_WITHIN_S) -> None:
        """Wait until every kind was listed or refused, at most `within_s` seconds.

        A cluster that does not answer is not waited for.

        Raises:
            Denied: every cluster spoke, and nothing may be read anywhere.
        """
        await self._until(lambda: all(map(self._has_listed, filter(self._has_answered, self._clusters))), within_s)
        kinds = [entry for name in self._clusters for entry in self._kinds(name).items()]
        refused = {
            source.partition("@")[0]: health for source, health in kinds if health.state is SourceState.FORBIDDEN
        }
        if refused and self._all_spoke() and not any(health.state is SourceState.READY for _, health in kinds):
            first = refused.get(GATEWAYS) or next(iter(refused.values()))
            raise Denied(first.detail, first.hint)

    async def sampled(self, within_s: float) -> None:
        """Wait until every proxy was asked once, at most `within_s` seconds."""
        await self._until(lambda: all(map(self._was_asked, self.reach.clusters)), within_s)

    def _api(self, cluster: str) -> SourceHealth | None:
        """Health of the API server once it said or failed to say something."""
        view = self.store.snapshot.clusters.get(cluster)
        health = view.sources.get(API_SOURCE) if view else None
        return None if health is None or health.state is SourceState.LOADING else health

    def _need_an_answer(self) -> None:
        if self.reach.inventory is not None or any(map(self._has_answered, self._clusters)):
            return
        where = next(iter(self._clusters))
        failed = self._api(where)
        if failed is None:
            raise Unreachable(f"{where}: no answer within {FIRST_ANSWER_S:.0f} s", "check the address and the VPN")
        raise Unreachable(failed.detail, failed.hint)

    def _all_spoke(self) -> bool:
        return all(self._api(name) is not None for name in self._clusters)

    def _has_answered(self, cluster: str) -> bool:
        health = self._api(cluster)
        return health is not None and health.state is not SourceState.FAILED

    def _kinds(self, cluster: str) -> dict[str, SourceHealth]:
        view = self.store.snapshot.clusters.get(cluster)
        return {name: health for name, health in view.sources.items() if name != API_SOURCE} if view else {}

    def _has_listed(self, cluster: str) -> bool:
        health = self._kinds(cluster)
        spoken = {name.partition("@")[0] for name in health}
        loading = any(each.state is SourceState.LOADING for each in health.values())
        return not loading and spoken >= {kind.resource for kind in KINDS}

    def _was_asked(self, cluster: str) -> bool:
        proxies = self.store.snapshot.proxies
        wanted = self.reach.addresses(cluster)
        return all((view := proxies.get(each.key)) and view.state is not ProxyState.UNKNOWN for each in wanted)

    async def fetch_yaml(self, key: ObjectKey) -> str:
        """Return one object as the server has it, as YAML without the bookkeeping of field managers.

        Raises:
            GwtuiError: it could not be read.
        """
        kind = next((kind for kind in KINDS if kind.resource == key.resource), None)
        cluster = self._clusters.get(key.cluster)
        if kind is None or cluster is None:
            raise UsageError(f"{key} is not an object of an open cluster", "choose one from the list")
        found = dict(await cluster.fetch_object(kind, key.namespace, key.name))
        found["metadata"] = {name: v for name, v in found.get("metadata", {}).items() if name != "managedFields"}
        return yaml.safe_dump(found, sort_keys=False, allow_unicode=True, width=120)

    def leases(self, say: Callable[[str], None]) -> Leases:
        """Who takes changes of these clusters back whose lease is over.

        Args:
            say: tells the operator, in one line.
        """
        return self.changes.leases(say, lambda cluster: cluster in self.reach.clusters)

    def _open_cluster(self, name: str) -> KubernetesCluster:
        found = self._clusters.get(name)
        if found is None:
            raise UsageError(f"the cluster {name} is not open", "name it with --context")
        return found

    async def close(self) -> None:
        """Close every connection."""
        await self.reach.close()
        for cluster in self.clusters:
            await cluster.close()

    async def _until(self, claim: Callable[[], bool], within_s: float) -> None:
        woken = asyncio.Event()
        end = self.store.subscribe(woken.set)
        try:
            async with asyncio.timeout(within_s):
                while not claim():
                    woken.clear()
                    await woken.wait()
        except TimeoutError:
            pass
        finally:
            end()


def start(settings: Settings, clock: Clock) -> Session:
    """Return a session with a store of its own, and logging switched on."""
    logs.start()
    return Session(settings, Store(clock), clock)
