"""Istio's objects, labels and annotations, cut down to what shapes the gateway tier.

*Source:* the API definitions of Istio up to 1.32; the served versions of ServiceEntry agree in what is read.
"""

from __future__ import annotations

from msgspec import Struct

from gwtui.model.gateway_api import ConditionsStatus
from gwtui.model.meta import AuthoredMeta

ISTIO_NETWORKING = "networking.istio.io"

DATAPLANE_MODE = "istio.io/dataplane-mode"
"""Label of a namespace or pod: the wish to join (`ambient`) or to leave (`none`) the ambient mesh; the pod's wins."""
REDIRECTION = "ambient.istio.io/redirection"
"""Annotation the CNI leaves on a pod: `enabled` traffic is captured, `pending` captured and carried by nobody."""

INJECTION = "istio-injection"
REVISION = "istio.io/rev"
"""Labels of a namespace that ask for sidecars."""
INJECT = "sidecar.istio.io/inject"
"""Label (annotation in older releases) of a pod that overrules its namespace."""
INJECTED = "sidecar.istio.io/status"
"""Annotation that injection leaves on a pod."""
MANAGED = "gateway.istio.io/managed"
"""Label of pods that Istio made for a Gateway: its controller, with the first `/` written as `-`."""

USE_WAYPOINT = "istio.io/use-waypoint"
USE_WAYPOINT_NAMESPACE = "istio.io/use-waypoint-namespace"
"""Labels of a namespace, Service or ServiceEntry: the waypoint its traffic takes; `none` opts out."""
INGRESS_USE_WAYPOINT = "istio.io/ingress-use-waypoint"
"""Label of a Service or its namespace: `true` sends what comes from ingress gateways through the waypoint as well."""
WAYPOINT_FOR = "istio.io/waypoint-for"
"""Label of a Gateway or GatewayClass: what kinds of traffic a waypoint takes."""
WAYPOINT_BOUND = "istio.io/WaypointBound"
"""Condition of a Service or ServiceEntry: whether its waypoint really takes its traffic."""

DRAINING_WEIGHT = "solo.io/draining-weight"
"""Annotation of a Gateway that joins clusters: percent of what other clusters send that is kept away, `0` to `100`."""

MESH_EXTERNAL = "MESH_EXTERNAL"


class ServiceEntrySpec(Struct, rename="camel", frozen=True, gc=False):
    """Names the mesh learns beside those of Services."""

    hosts: tuple[str, ...] = ()
    location: str = MESH_EXTERNAL
    """`MESH_EXTERNAL` (what the API takes for unset) or `MESH_INTERNAL`."""


class ServiceEntry(Struct, rename="camel", frozen=True, gc=False):
    """*Source:* `networking.istio.io`, v1, v1beta1 and v1alpha3."""

    metadata: AuthoredMeta
    spec: ServiceEntrySpec = ServiceEntrySpec()
    status: ConditionsStatus = ConditionsStatus()
