"""The closed union of facts a source may report. Everything the console knows arrives as one of these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gwtui.model.health import ProxyState, SourceHealth
from gwtui.model.ids import ProxyKey
from gwtui.model.traffic import ProxySample

NamespacedName = tuple[str, str]
"""(namespace, name); the namespace is empty for cluster-scoped objects."""


@dataclass(frozen=True, slots=True)
class KindListed:
    """A complete list of one kind (within one namespace when `namespace` is set): what is not in it is gone."""

    cluster: str
    resource: str
    objects: Mapping[NamespacedName, Any]
    namespace: str | None = None


@dataclass(frozen=True, slots=True)
class KindChanged:
    """A burst of watch events of one kind, latest state per object; None means deleted."""

    cluster: str
    resource: str
    changes: Mapping[NamespacedName, Any | None]


@dataclass(frozen=True, slots=True)
class SourceReported:
    """The health of one source changed."""

    cluster: str
    source: str
    """The group resource for kinds (with `@namespace` when namespaced), or a name such as `api` or `pod proxy`."""
    health: SourceHealth


@dataclass(frozen=True, slots=True)
class ProxySampled:
    """One proxy answered."""

    proxy: ProxyKey
    state: ProxyState
    sample: ProxySample
    way: str
    """The way in that answered: `pod proxy`, `port-forward`."""


@dataclass(frozen=True, slots=True)
class ProxyFailed:
    """One proxy did not answer, or may not be asked."""

    proxy: ProxyKey
    state: ProxyState
    """FAILING or FORBIDDEN."""
    at: datetime
    reason: str
    """One line for the operator."""
    hint: str = ""


Observation = KindListed | KindChanged | SourceReported | ProxySampled | ProxyFailed
