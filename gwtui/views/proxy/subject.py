"""The proxy a page is about, with what surrounds it."""

from __future__ import annotations

from typing import NamedTuple

from gwtui.model.ids import GatewayKey, ProxyKey
from gwtui.model.shape import GatewayNode
from gwtui.model.snapshot import ClusterView, ProxyView
from gwtui.views import judge, text
from gwtui.views.judge import NOTHING_NOTED, Noted, Verdict
from gwtui.views.replicas import odd_words
from gwtui.views.scene import Scene
from gwtui.views.spans import Line, Role, Span, line


class Subject(NamedTuple):
    """One proxy in a scene."""

    view: ProxyView
    gateway: GatewayKey | None
    node: GatewayNode | None
    """The gateway in the topology; None when no gateway owns the proxy any more."""
    cluster: ClusterView | None
    noted: Noted
    verdict: Verdict


def subject(scene: Scene, key: ProxyKey) -> Subject:
    """Look a proxy up; one that is gone has a view in which nothing is known."""
    view = scene.snapshot.proxies.get(key) or ProxyView(key=key)
    gateway = scene.fleet.owners.get(key)
    figures = scene.fleet.gateways.get(gateway) if gateway else None
    noted = figures.noted.get(key, NOTHING_NOTED) if figures else NOTHING_NOTED
    return Subject(
        view=view,
        gateway=gateway,
        node=figures.node if figures else None,
        cluster=scene.snapshot.clusters.get(key.cluster),
        noted=noted,
        verdict=judge.proxy(view, scene.now, noted),
    )


def headline(scene: Scene, key: ProxyKey) -> Line:
    """Which proxy this is and how it is, in one line."""
    found = subject(scene, key)
    verdict = found.verdict
    reason = f" {verdict.reason}" if verdict.reason else ""
    odd = f"  {odd_words(found.noted.odd)}" if found.noted.odd and verdict.word != judge.ODD else ""
    gone = "" if found.gateway or key in scene.snapshot.proxies else f" {text.UNKNOWN_GLYPH} gone from the cluster"
    return line(
        Span(str(key), Role.STRONG),
        Span(f" {key.cluster}  ", Role.DIM),
        Span(gone, Role.UNKNOWN) if gone else Span(f"{verdict.glyph} {verdict.word}", verdict.role),
        Span(reason if not gone else "", Role.DIM),
        Span(odd, Role.WARN),
    )
