"""The way in to proxies at fixed URLs, as a configuration file would name them."""

from __future__ import annotations

from collections.abc import Mapping

from gwtui.adapters.direct.access import DirectAccess
from gwtui.engine.clock import SystemClock
from gwtui.model.ids import ProxyKey


def static_access(bases: Mapping[ProxyKey, str]) -> DirectAccess:
    """GETs from base URLs, each the admin or stats interface of one proxy."""
    return DirectAccess("static", lambda key, _port: bases.get(key), reaches_loopback=True, clock=SystemClock())
