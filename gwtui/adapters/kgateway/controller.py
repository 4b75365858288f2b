"""kgateway's control plane as a source: which gateways' proxies refused what it sent them.

Optional: it needs the right to the controller pod's proxy, and what it does not tell is unknown, not well.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from datetime import datetime

from gwtui.adapters.kgateway.metrics import Page, decode_page, together
from gwtui.backoff import between
from gwtui.errors import BadPayload, SourceError
from gwtui.model.health import SourceHealth, SourceState
from gwtui.model.ids import ProxyKey
from gwtui.model.known import Known, Unknown
from gwtui.model.kubernetes import Pod
from gwtui.model.observations import ControllerTold, Observation, SourceReported
from gwtui.model.snapshot import ClusterView
from gwtui.ports import Clock, ProxyAccess, ProxyAddress, Source

CONTROLLER_SOURCE = "controller"
PODS = "pods"
"""Group resource."""
METRICS_PORT = 9092
PERIOD_S = 15.0
DEADLINE_S = 5.0
MAX_BYTES = 16_000_000
"""Largest answer: a controller of some thousand routes tells a few MB."""

_LOOK_S = 0.25
"""How often it looks where the control plane is."""

_OPTIONAL = "optional: it tells which proxies refused configuration"


class ControllerPods:
    """Where the control plane of a cluster serves its metrics, as its pods come and go.

    *Source:* kgateway 2.1 to 2.4: pods labelled `kgateway: kgateway`, port in annotation `prometheus.io/port`.

    Args:
        look: The cluster as it is known now.
    """

    def __init__(self, look: Callable[[], ClusterView | None]) -> None:
        self._look = look
        self._pods: object = None
        self._found: frozenset[ProxyAddress] | None = None

    def __call__(self) -> frozenset[ProxyAddress] | None:
        """Return the addresses; None while the pods were not read."""
        view = self._look()
        pods: Mapping[tuple[str, str], Pod] | None = view.objects.get(PODS) if view else None
        if view is None or pods is None:
            return None
        if pods is not self._pods:
            self._pods = pods
            self._found = frozenset(
                ProxyAddress(key=ProxyKey(view.name, namespace, name), stats_port=_port(pod))
                for (namespace, name), pod in pods.items()
                if pod.metadata.labels.get("kgateway") == "kgateway" and pod.status.phase == "Running"
            )
        return self._found


class ControllerSource(Source):
    """Asks every replica of the control plane for its metrics, every `PERIOD_S` seconds and when they change.

    Args:
        cluster: Kubeconfig context.
        way: A way to the pods' addresses.
        controllers: Where the control plane is; changes as its pods do. None while that cannot be told.
        clock: All time.
    """

    def __init__(
        self,
        cluster: str,
        way: ProxyAccess,
        controllers: Callable[[], frozenset[ProxyAddress] | None],
        clock: Clock,
    ) -> None:
        self._cluster = cluster
        self._way = way
        self._controllers = controllers
        self._clock = clock

    @property
    def id(self) -> str:
        """Unique name, for logs and task names."""
        return f"{self._cluster}/{CONTROLLER_SOURCE}"

    async def observe(self) -> AsyncGenerator[Observation, None]:
        """Report refusals and health until cancelled."""
        told: SourceHealth | None = None
        await self._changed(None)
        while True:
            asked = self._controllers() or frozenset()
            page, state, detail = await self._ask(asked)
            if page is not None:
                yield ControllerTold(self._cluster, Known(page.refusing, self._clock.now()), page.rejections)
            elif told is None or told.detail != detail:
                yield ControllerTold(self._cluster, Unknown(detail))
            if told is None or (told.state, told.detail) != (state, detail):
                told = _health(state, detail, self._clock.now())
                yield SourceReported(self._cluster, CONTROLLER_SOURCE, told)
            await self._changed(asked)

    async def _changed(self, asked: frozenset[ProxyAddress] | None) -> None:
        """Wait for a period, or until the control plane is elsewhere than where it was asked."""
        end = self._clock.mono() + between(0.8, 1.0) * PERIOD_S
        while self._clock.mono() < end:
            now = self._controllers()
            if now is not None and now != asked:
                return
            await self._clock.sleep(_LOOK_S)

    async def _ask(self, controllers: frozenset[ProxyAddress]) -> tuple[Page | None, SourceState, str]:
        pages: list[Page] = []
        failure = ""
        for each in sorted(controllers, key=lambda address: address.key):
            try:
                answer = await self._way.get(
                    each.key, each.stats_port, "/metrics", deadline_s=DEADLINE_S, max_bytes=MAX_BYTES
                )
                if answer.status != 200:
                    raise BadPayload(f"{each.key} answered {answer.status} to /metrics", "check prometheus.io/port")
                pages.append(decode_page(answer.body, self._cluster))
            except SourceError as error:
                failure = failure or error.line()
        if pages:
            page = together(pages)
            return page, SourceState.READY, "; ".join(filter(None, (failure or f"{len(pages)} answered", _told(page))))
        return None, SourceState.NOT_SERVED, failure or "no running pod of kgateway's control plane is seen"


def _told(page: Page) -> str:
    """What was counted since the control plane started, over all gateways; empty when it was nothing."""
    refused = sum(sum(each.refused.values()) for each in page.rejections.values())
    replaced = sum(sum(each.replaced.values()) for each in page.rejections.values())
    counts = (
        (refused, "update", "updates", "refused"),
        (replaced, "rule", "rules", "replaced by 500"),
        (page.unknown_proxies, "question", "questions", "of proxies not let in"),
    )
    found = ", ".join(f"{number} {one if number == 1 else many} {what}" for number, one, many, what in counts if number)
    return f"counted since it started: {found}" if found else ""


def _health(state: SourceState, detail: str, now: datetime) -> SourceHealth:
    return SourceHealth(state=state, since=now, detail=detail, hint="" if state is SourceState.READY else _OPTIONAL)


def _port(pod: Pod) -> int:
    told = pod.metadata.annotations.get("prometheus.io/port", "")
    return int(told) if told.isdecimal() else METRICS_PORT
