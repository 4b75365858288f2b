"""Which proxy stands behind an Ingress."""

from __future__ import annotations

from collections.abc import Mapping

from gwtui.model import resources
from gwtui.model.aws import ALB_INGRESS_CONTROLLER, INGRESS_FINALIZER, INGRESS_GROUP_FINALIZER
from gwtui.model.ids import NamespacedName
from gwtui.model.ingress import CLASS_ANNOTATION, DEFAULT_CLASS_ANNOTATION, Ingress, IngressClass
from gwtui.model.relations.inventory import Inventory

ALB, HAPROXY, OTHER = "ALB", "HAProxy", "Ingress"

HAPROXY_CONTROLLERS = ("haproxy.org/", "haproxy-ingress.github.io/controller")
"""How the controller names of the two HAProxy ingress controllers start."""


def proxy_of_ingress(inventory: Inventory, ingress: Ingress) -> tuple[str, str]:
    """Return the kind of proxy that serves an Ingress, and what says so.

    The finalizer of the AWS controller is proof. Else the controller of the class decides; the name of the class is
    believed only where classes could not be read, or where the annotation form names one without an object.
    """
    for finalizer in ingress.metadata.finalizers:
        if finalizer == INGRESS_FINALIZER or finalizer.startswith(INGRESS_GROUP_FINALIZER):
            return ALB, f"finalizer {finalizer}"
    name = class_of(inventory, ingress)
    if not name:
        return OTHER, "no class"
    classes: Mapping[NamespacedName, IngressClass] = inventory.of(resources.INGRESS_CLASSES)
    found = classes.get(("", name))
    if found is not None:
        return _by_controller(found.spec.controller), f"class {name} of {found.spec.controller or 'no controller'}"
    by_annotation = not ingress.spec.ingress_class_name
    if by_annotation or not inventory.was_read(resources.INGRESS_CLASSES):
        return _by_name(name), f"class {name}"
    return OTHER, f"class {name}, which does not exist"


def class_of(inventory: Inventory, ingress: Ingress) -> str:
    """Return the class of an Ingress: named by it, else the default class of the cluster; empty when neither is."""
    named = ingress.spec.ingress_class_name or ingress.metadata.annotations.get(CLASS_ANNOTATION, "")
    if named:
        return named
    classes: Mapping[NamespacedName, IngressClass] = inventory.of(resources.INGRESS_CLASSES)
    default = (
        name
        for (_, name), found in sorted(classes.items())
        if found.metadata.annotations.get(DEFAULT_CLASS_ANNOTATION) == "true"
    )
    return next(default, "")


def _by_controller(controller: str) -> str:
    if controller == ALB_INGRESS_CONTROLLER:
        return ALB
    return HAPROXY if controller.startswith(HAPROXY_CONTROLLERS) else OTHER


def _by_name(name: str) -> str:
    if name == "alb":
        return ALB
    return HAPROXY if "haproxy" in name else OTHER
