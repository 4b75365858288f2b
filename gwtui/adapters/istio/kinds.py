"""Istio kinds.

*Source:* the CustomResourceDefinitions of group `networking.istio.io`, releases 1.2x to 1.32.
"""

from __future__ import annotations

from gwtui.model.istio import ISTIO_NETWORKING, ServiceEntry
from gwtui.model.kinds import KindSpec

KINDS = (
    KindSpec(
        group=ISTIO_NETWORKING,
        versions=("v1", "v1beta1", "v1alpha3"),
        plural="serviceentries",
        kind="ServiceEntry",
        type=ServiceEntry,
    ),
)
