"""AWS Load Balancer Controller: what its objects, labels, finalizers and host names say."""

from __future__ import annotations

import re

from msgspec import Struct, field

from gwtui.model.meta import Meta

ELBV2 = "elbv2.k8s.aws"

ALB_INGRESS_CONTROLLER = "ingress.k8s.aws/alb"
"""`spec.controller` of the IngressClass whose Ingresses become application load balancers."""
INGRESS_FINALIZER = "ingress.k8s.aws/resources"
INGRESS_GROUP_FINALIZER = "group.ingress.k8s.aws/"
"""Finalizers of an Ingress that has a load balancer; the second one starts the name of a shared load balancer."""
SERVICE_FINALIZER = "service.k8s.aws/resources"
"""Finalizer of a Service that has a load balancer made by this controller, which for Services is a network one."""

TYPE_ANNOTATION = "service.beta.kubernetes.io/aws-load-balancer-type"
TARGET_TYPE_ANNOTATION = "service.beta.kubernetes.io/aws-load-balancer-nlb-target-type"
NLB_TYPES = frozenset({"external", "nlb", "nlb-ip"})
NLB_CLASS = "service.k8s.aws/nlb"
"""`spec.loadBalancerClass` of a Service for a network load balancer."""

_NLB_HOST = re.compile(r"\.elb\.[a-z0-9-]+\.amazonaws\.com(\.cn)?$")
_ALB_OR_CLASSIC_HOST = re.compile(r"\.[a-z0-9-]+\.elb\.amazonaws\.com(\.cn)?$")


def is_nlb_host(hostname: str) -> bool:
    """Whether this is the DNS name of a network load balancer."""
    return _NLB_HOST.search(hostname) is not None


def is_alb_or_classic_host(hostname: str) -> bool:
    """Whether this is the DNS name of an application or classic load balancer, which look alike."""
    return _ALB_OR_CLASSIC_HOST.search(hostname) is not None


class BindingService(Struct, rename="camel", frozen=True, gc=False):
    """The Service whose endpoints are the targets, in the namespace of the binding."""

    name: str = ""


class TargetGroupBindingSpec(Struct, rename="camel", frozen=True, gc=False):
    """A target group, by ARN or name, and the Service that fills it."""

    service_ref: BindingService = BindingService()
    target_group_arn: str = field(default="", name="targetGroupARN")
    target_group_name: str = ""
    target_group_protocol: str = ""
    """`TCP`, `TLS`, `UDP`, `HTTP`, …; empty in older releases."""


class TargetGroupBinding(Struct, rename="camel", frozen=True, gc=False):
    """*Source:* `elbv2.k8s.aws/v1beta1`."""

    metadata: Meta
    spec: TargetGroupBindingSpec = TargetGroupBindingSpec()

    @property
    def kind_of_balancer(self) -> str:
        """`NLB` or `ALB`, by what the binding was made for, else by protocol; empty when neither tells."""
        labels = self.metadata.labels
        if any(label.startswith(("service.k8s.aws/stack", "gateway.k8s.aws.nlb/stack")) for label in labels):
            return "NLB"
        if any(label.startswith(("ingress.k8s.aws/stack", "gateway.k8s.aws.alb/stack")) for label in labels):
            return "ALB"
        return _BALANCER_OF_PROTOCOL.get(self.spec.target_group_protocol, "")


_BALANCER_OF_PROTOCOL = {
    "HTTP": "ALB",
    "HTTPS": "ALB",
    "TCP": "NLB",
    "TCP_UDP": "NLB",
    "TLS": "NLB",
    "UDP": "NLB",
}
