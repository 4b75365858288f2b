"""`gwtui doctor`: every way in, probed in the order in which it would be used."""

from __future__ import annotations

import asyncio
import json

from gwtui.adapters.direct.inventory import CLUSTER as STATIC
from gwtui.adapters.kubernetes.cluster import KubernetesCluster
from gwtui.engine.clock import SystemClock
from gwtui.engine.targets import proxy_addresses
from gwtui.errors import Denied, Exit, NotServed, SourceError
from gwtui.model.health import SourceHealth, SourceState
from gwtui.model.snapshot import ClusterView
from gwtui.ports import ProxyAccess, ProxyAddress
from gwtui.settings import Settings
from gwtui.views.checkup import Check, Verdict, checkup_document, checkup_text
from gwtui.wiring.session import KINDS, Session, start

PROBE_DEADLINE_S = 5.0
PROBE_BYTES = 4096
PAGE_BYTES = 4_000_000

RIGHTS = (("get", "pods", "proxy"), ("create", "pods", "portforward"))
"""(verb, resource, subresource) of the ways into a proxy."""

VERDICTS = {
    SourceState.READY: Verdict.OK,
    SourceState.PARTIAL: Verdict.PARTIAL,
    SourceState.NOT_SERVED: Verdict.ABSENT,
    SourceState.FORBIDDEN: Verdict.REFUSED,
}


def run(settings: Settings, *, output: str) -> int:
    """Probe everything, print one line each.

    Returns:
        0 when every way works, 1 when something has to be granted or mended.

    Raises:
        GwtuiError: no cluster answered at all.
    """
    clock = SystemClock()
    checks = asyncio.run(_probe(start(settings, clock)))
    print(json.dumps(checkup_document(checks), indent=2) if output == "json" else checkup_text(checks), flush=True)
    return Exit.FINDINGS if any(check.is_trouble for check in checks) else Exit.OK


async def _probe(session: Session) -> tuple[Check, ...]:
    await session.open()
    engine = asyncio.create_task(session.run())
    try:
        await session.answered()
        await session.listed()
        session.store.fold()
        found: list[Check] = []
        for name in session.reach.clusters:
            found += await _prometheus(session, name)
        if session.reach.inventory is not None:
            found += await _fixed(session)
        for cluster in session.clusters:
            view = session.store.snapshot.clusters.get(cluster.context) or ClusterView(name=cluster.context)
            found += await _identity(cluster)
            found += _sources(view)
            found += await _rights(cluster, view)
            found += await _ways(view, session.reach.ways(cluster.context))
        return tuple(found)
    finally:
        engine.cancel()
        await asyncio.gather(engine, return_exceptions=True)
        await session.close()


async def _identity(cluster: KubernetesCluster) -> list[Check]:
    identity = await cluster.identity()
    if identity is None:
        return [Check(cluster=cluster.context, subject="identity", verdict=Verdict.ABSENT, detail="not told")]
    groups = f" ({', '.join(identity.groups)})" if identity.groups else ""
    return [
        Check(cluster=cluster.context, subject="identity", verdict=Verdict.OK, detail=f"{identity.username}{groups}")
    ]


def _sources(view: ClusterView) -> list[Check]:
    order = {kind.resource: position for position, kind in enumerate(KINDS)}

    def place(entry: tuple[str, SourceHealth]) -> tuple[int, str]:
        return order.get(entry[0].partition("@")[0], -1), entry[0]

    checks = []
    for source, health in sorted(view.sources.items(), key=place):
        verdict = VERDICTS.get(health.state, Verdict.FAILED)
        count = len(view.objects.get(source.partition("@")[0], ()))
        seen = f"{count} seen" if source in order and verdict is Verdict.OK else ""
        detail = ", ".join(part for part in (seen, health.detail) if part)
        subject = f"read {source}" if source in order else source
        checks.append(Check(cluster=view.name, subject=subject, verdict=verdict, detail=detail, hint=health.hint))
    return checks


async def _rights(cluster: KubernetesCluster, view: ClusterView) -> list[Check]:
    """Ask for the rights into proxies in each namespace that has some."""
    checks = []
    for namespace in sorted({node.key.namespace for node in view.topology.gateways if node.proxies}):
        for verb, resource, subresource in RIGHTS:
            allowed = await cluster.can(verb, resource, subresource, namespace)
            verdict = {True: Verdict.OK, False: Verdict.REFUSED, None: Verdict.ABSENT}[allowed]
            checks.append(
                Check(
                    cluster=cluster.context,
                    subject=f"right {resource}/{subresource} in {namespace}",
                    verdict=verdict,
                    detail=verb if allowed is not None else "the server does not say",
                    hint=f"grant {verb} on {resource}/{subresource} in namespace {namespace}",
                )
            )
    return checks


async def _ways(view: ClusterView, ways: tuple[ProxyAccess, ...]) -> list[Check]:
    """Try every way into one proxy of each gateway."""
    by_key = {address.key: address for address in proxy_addresses(view)}
    checks = []
    for node in view.topology.gateways:
        first = next((by_key[key] for key in node.proxies if key in by_key), None)
        if first is not None:
            checks += [await _try(view.name, way, first) for way in ways]
            checks += [await _page(view.name, way, first) for way in ways if way.reaches_loopback]
    return checks


async def _page(cluster: str, way: ProxyAccess, proxy: ProxyAddress) -> Check:
    """Ask for a page that only the admin interface has: some set-ups let in `/ready` and the statistics alone."""
    path = "/certs"
    subject = f"{way.name} to {proxy.key}:{proxy.admin_port}{path}"
    try:
        answer = await way.get(proxy.key, proxy.admin_port, path, deadline_s=PROBE_DEADLINE_S, max_bytes=PAGE_BYTES)
    except SourceError as error:
        return Check(cluster=cluster, subject=subject, verdict=Verdict.ABSENT, detail=error.message, hint=error.hint)
    if answer.status != 200:
        detail = f"answered {answer.status}: configuration, certificates and endpoints stay unknown"
        return Check(cluster=cluster, subject=subject, verdict=Verdict.ABSENT, detail=detail, hint="see `allow_paths`")
    return Check(cluster=cluster, subject=subject, verdict=Verdict.OK, detail="offered")


async def _fixed(session: Session) -> list[Check]:
    """Try every proxy at a fixed address."""
    addresses = sorted(session.reach.addresses(STATIC), key=lambda address: address.key)
    (way,) = session.reach.ways(STATIC)
    return [await _try(STATIC, way, address) for address in addresses]


async def _prometheus(session: Session, cluster: str) -> list[Check]:
    """Ask the Prometheus server of a cluster for the time."""
    server = session.reach.server(cluster)
    if server is None:
        return []
    try:
        await server.ask("time()")
    except Denied as error:
        verdict, detail, hint = Verdict.REFUSED, error.message, error.hint
    except SourceError as error:
        verdict, detail, hint = Verdict.FAILED, error.message, error.hint
    else:
        verdict, detail, hint = Verdict.OK, "answers", ""
    return [Check(cluster=cluster, subject=f"prometheus at {server.shown}", verdict=verdict, detail=detail, hint=hint)]


async def _try(cluster: str, way: ProxyAccess, proxy: ProxyAddress) -> Check:
    port = proxy.admin_port if way.reaches_loopback else proxy.stats_port
    subject = f"{way.name} to {proxy.key}" + (f":{port}" if port else "")
    try:
        answer = await way.get(proxy.key, port, "/ready", deadline_s=PROBE_DEADLINE_S, max_bytes=PROBE_BYTES)
    except (Denied, NotServed) as error:
        return Check(cluster=cluster, subject=subject, verdict=Verdict.REFUSED, detail=error.message, hint=error.hint)
    except SourceError as error:
        return Check(cluster=cluster, subject=subject, verdict=Verdict.FAILED, detail=error.message, hint=error.hint)
    said = " ".join(answer.body.decode(errors="replace").split())[:60]
    detail = f"{said} in {answer.took_s * 1000:.0f} ms"
    return Check(cluster=cluster, subject=subject, verdict=Verdict.OK, detail=detail)
