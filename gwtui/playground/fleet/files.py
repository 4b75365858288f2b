"""File subscriptions of one Envoy: each update is a rename, in an order that never leaves a reference dangling."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from copy import deepcopy
from pathlib import Path
from urllib.parse import quote

from gwtui.playground.fleet.bootstrap import file_source
from gwtui.playground.fleet.ports import LOOPBACK
from gwtui.playground.fleet.refusals import Subscription
from gwtui.playground.translation.gateway import ProxyConfig
from gwtui.playground.world import Json

Confirm = Callable[[str], Awaitable[None]]
"""Waits until Envoy has taken the CDS version given, or gives up after a while."""


class ConfigFiles:
    """The directory one Envoy reads its listeners, routes, clusters and endpoints from."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._versions: dict[Path, str] = {}
        self._sent: dict[Path, str] = {}
        self._clusters: Mapping[str, Json] = {}
        for folder in ("eds", "rds"):
            (directory / folder).mkdir(parents=True, exist_ok=True)

    async def apply(self, config: ProxyConfig, ports: Mapping[int, int], confirm: Confirm) -> bool:
        """Write a configuration; True when clusters that are no longer needed were kept for requests under way.

        Endpoints, clusters, routes, listeners, in this order: whatever is named exists already. Envoy follows each
        file by itself, so routes wait until it has confirmed the clusters they name.

        Args:
            config: the resources.
            ports: for each listener port of the pod the real port it binds.
            confirm: called with the version of the clusters when there are new ones.
        """
        for name, endpoints in config.endpoints.items():
            self._write(self._endpoints_path(name), [endpoints], [endpoints])
        is_growing = bool(config.clusters.keys() - self._clusters.keys())
        version = self.write_clusters({**self._clusters, **config.clusters})
        if is_growing:
            await confirm(version)
        for name, routes in config.routes.items():
            self._write(self._routes_path(name), [routes], [routes])
        listeners = list(config.listeners.values())
        self._write(self.directory / "lds.json", listeners, [self._bind(each, ports) for each in listeners])
        return bool(self._clusters.keys() - config.clusters.keys())

    def write_clusters(self, clusters: Mapping[str, Json]) -> str:
        """Write the clusters alone; returns their version."""
        self._clusters = clusters
        resources = list(clusters.values())
        local = [each if each["type"] != "EDS" else self._with_endpoints(each) for each in resources]
        return self._write(self.directory / "cds.json", resources, local)

    def sent_version(self, subscription: Subscription) -> str:
        """The version a subscription was sent last; empty when it was sent nothing."""
        match subscription.kind:
            case "rds":
                path = self._routes_path(subscription.name)
            case "eds":
                path = self._endpoints_path(subscription.name)
            case kind:
                path = self.directory / f"{kind}.json"
        return self._sent.get(path, "")

    def _write(self, path: Path, resources: list[Json], local: list[Json]) -> str:
        """Write local resources under a version made of the portable ones: equal replicas show equal versions."""
        portable = json.dumps(resources, sort_keys=True)
        text = json.dumps(local)
        digest = hashlib.sha256(text.encode()).hexdigest()
        version = hashlib.sha256(portable.encode()).hexdigest()[:16]
        if self._versions.get(path) != digest:
            draft = path.with_suffix(".tmp")
            draft.write_text(json.dumps({"version_info": version, "resources": local}))
            draft.rename(path)
            self._versions[path] = digest
            self._sent[path] = version
        return version

    def _endpoints_path(self, name: str) -> Path:
        return self.directory / "eds" / f"{quote(name, safe='~')}.json"

    def _routes_path(self, name: str) -> Path:
        return self.directory / "rds" / f"{quote(name, safe='~')}.json"

    def _with_endpoints(self, cluster: Json) -> Json:
        return {**cluster, "edsClusterConfig": {"edsConfig": file_source(self._endpoints_path(cluster["name"]))}}

    def _bind(self, listener: Json, ports: Mapping[int, int]) -> Json:
        """The listener on its real port, with routes read from files."""
        found = deepcopy(listener)
        port = found["address"]["socketAddress"]["portValue"]
        found["address"] = {"socketAddress": {"address": LOOPBACK, "portValue": ports[port]}}
        for chain in found["filterChains"]:
            for each in chain["filters"]:
                if rds := each["typedConfig"].get("rds"):
                    rds["configSource"] = file_source(self._routes_path(rds["routeConfigName"]))
        return found
