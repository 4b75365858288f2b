"""What one proxy holds, as it tells when asked: build, listeners, endpoints, certificates, configuration.

Asked for on a change or while somebody looks, never with every sample. Bodies of configuration are redacted before they
get here: private keys, and the values of headers that carry credentials.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from gwtui.model.known import Known, Unknown


class ConfigKind(StrEnum):
    """Kinds of configuration a proxy can be asked for."""

    LISTENER = "listener"
    ROUTES = "routes"
    """A route configuration (RDS), all its virtual hosts included."""
    CLUSTER = "cluster"
    SECRET = "secret"  # noqa: S105 - the name of a kind


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigDigest:
    """One resource of configuration without its body: enough to compare proxies with each other."""

    kind: ConfigKind
    name: str
    """As the control plane named it; unique within its kind."""
    digest: str
    """SHA-256 (hex) of what the resource says. What may differ between equal replicas is left out: the address a
    listener binds, and where a resource is delivered from. Values that are redacted in bodies do count. Empty when
    the proxy holds none: it refused the only update there was."""
    version: str = ""
    """`version_info` of the update it came with; empty for static resources."""
    error: str = ""
    """Why the newest update of this resource was refused, in the proxy's own words; empty when none was.
    *Source:* `error_state.details`, which Envoy fills for listeners only."""
    is_warming: bool = False
    """Taken, but not in force yet: it waits for something it needs, such as a secret or endpoints."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigResource:
    """One resource of configuration with its body."""

    digest: ConfigDigest
    is_static: bool = False
    """From the bootstrap, not from the control plane."""
    updated_at: datetime | None = None
    """When the proxy took it; None when it does not tell."""
    body: Mapping[str, Any] = field(default_factory=dict)
    """As the proxy writes it (proto3 JSON), redacted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """What runs. *Source:* Envoy `/server_info`."""

    version: str
    """`1.38.1`."""
    revision: str = ""
    flavour: str = ""
    """`Clean/RELEASE/BoringSSL`."""
    node_id: str = ""
    node_cluster: str = ""
    uptime_s: int | None = None
    concurrency: int | None = None
    """Worker threads."""
    flags: Mapping[str, str] = field(default_factory=dict)
    """Command line options that tell how it drains and restarts: `drain_time`, `drain_strategy`, …."""
    log_level: str = ""
    """Level of its loggers at start, as `model.admin_posts.LOG_LEVELS` names it; empty when it does not tell. What they
    have now may be another: that is told in answer to a POST alone."""
    component_log_levels: Mapping[str, str] = field(default_factory=dict)
    """Loggers that started with a level of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """One certificate the proxy holds in memory. *Source:* Envoy `/certs` `certificates[].cert_chain[]`."""

    path: str
    """Where it came from; `<inline>` when it came with the configuration."""
    serial: str
    names: tuple[str, ...] = ()
    """Subject alternative names: hosts, addresses, URIs."""
    valid_from: datetime | None = None
    expires_at: datetime | None = None
    is_authority: bool = False
    """A CA certificate to verify others with (`ca_cert[]`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One host of an upstream as the proxy sees it. *Source:* Envoy `/clusters?format=json` `host_statuses[]`."""

    address: str
    """`10.0.0.7:8080`, or the path of a socket."""
    hostname: str = ""
    zone: str = ""
    weight: int = 1
    priority: int = 0
    troubles: tuple[str, ...] = ()
    """Why it gets no traffic, in the proxy's keys (`failed_active_health_check`, `failed_outlier_check`,
    `eds_unhealthy`, `eds_draining`, …); empty means healthy."""
    requests: int = 0
    """Since the proxy knows it: `rq_total`."""
    errors: int = 0
    """`rq_error`."""
    timeouts: int = 0
    active: int = 0
    """Requests in flight."""
    connections: int = 0
    """Open now."""
    connect_failures: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """One Envoy cluster with its endpoints."""

    name: str
    endpoints: tuple[Endpoint, ...] = ()
    is_from_control_plane: bool = False
    limits: Mapping[str, int] = field(default_factory=dict)
    """Circuit breaker thresholds of default priority: `max_connections`, `max_pending_requests`, `max_requests`,
    `max_retries`; 4294967295 means none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundListener:
    """One listener and where it listens. *Source:* Envoy `/listeners?format=json`, which lists stopped ones too."""

    name: str
    address: str
    """`0.0.0.0:8080`; as in the names of its statistics but for the punctuation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistic:
    """One raw statistic by its full name."""

    name: str
    value: int | str | None
    """Counters and gauges are integers up to 2^64, text readouts are strings; None is a histogram."""
    detail: str = ""
    """Of a histogram: its quantiles in words."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Inspection:
    """Everything that is compared between the proxies of one gateway. Each part may be unknown for its own reason."""

    taken_at: datetime
    build: Known[Build] | Unknown
    certificates: Known[tuple[Certificate, ...]] | Unknown
    config: Known[tuple[ConfigDigest, ...]] | Unknown
    """Without static resources: those are the bootstrap's."""
    listeners: Known[tuple[BoundListener, ...]] | Unknown
    cost_ms: float = 0.0
    """Time the proxy needed to answer all of it, as we saw it."""
    cost_bytes: int = 0
    questions: int = 0
    """HTTP requests it took."""


def config_digest(config: Iterable[ConfigDigest]) -> str:
    """Return one short name (8 hex digits) for all of a proxy's configuration: equal replicas have equal ones."""
    lines = sorted(f"{each.kind} {each.name} {each.digest}{' warming' if each.is_warming else ''}" for each in config)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:8]
