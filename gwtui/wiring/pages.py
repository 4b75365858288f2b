"""What proxies hold, for the console: each question goes to the inspector of the proxy's own cluster."""

from __future__ import annotations

from gwtui.model.ids import ProxyKey
from gwtui.model.inspection import BoundListener, Build, Certificate, ConfigKind, ConfigResource, Statistic, Upstream
from gwtui.ports import FindInspector

DEADLINE_S = 10.0
"""Seconds one page may take: somebody waits for it, and a large proxy needs a few."""


class SessionPages:
    """The console's `ProxyPages`."""

    def __init__(self, find: FindInspector) -> None:
        self._find = find

    async def build(self, proxy: ProxyKey) -> Build:
        """Version, node and flags."""
        inspector, address = self._find(proxy)
        return await inspector.build(address, deadline_s=DEADLINE_S)

    async def listeners(self, proxy: ProxyKey) -> tuple[BoundListener, ...]:
        """Listeners and where they listen."""
        inspector, address = self._find(proxy)
        return await inspector.listeners(address, deadline_s=DEADLINE_S)

    async def upstreams(self, proxy: ProxyKey) -> tuple[Upstream, ...]:
        """Upstreams with their endpoints."""
        inspector, address = self._find(proxy)
        return await inspector.upstreams(address, deadline_s=DEADLINE_S)

    async def certificates(self, proxy: ProxyKey) -> tuple[Certificate, ...]:
        """Certificates it holds."""
        inspector, address = self._find(proxy)
        return await inspector.certificates(address, deadline_s=DEADLINE_S)

    async def config(self, proxy: ProxyKey, kind: ConfigKind, name: str = "") -> tuple[ConfigResource, ...]:
        """Resources of one kind with their redacted bodies; the one of this name when it is given."""
        inspector, address = self._find(proxy)
        return await inspector.config(address, kind, name=name, deadline_s=DEADLINE_S)

    async def statistics(self, proxy: ProxyKey, pattern: str) -> tuple[Statistic, ...]:
        """Used statistics whose names match an RE2 pattern."""
        inspector, address = self._find(proxy)
        return await inspector.statistics(address, pattern, deadline_s=DEADLINE_S)
