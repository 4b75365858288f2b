"""Kinds of the AWS Load Balancer Controller.

*Source:* the CustomResourceDefinitions of group `elbv2.k8s.aws`.
"""

from __future__ import annotations

from gwtui.model.aws import ELBV2, TargetGroupBinding
from gwtui.model.kinds import KindSpec

KINDS = (
    KindSpec(
        group=ELBV2,
        versions=("v1beta1",),
        plural="targetgroupbindings",
        kind="TargetGroupBinding",
        type=TargetGroupBinding,
    ),
)
