"""Ingress objects (`networking.k8s.io/v1`), cut down to what says which Services stand behind which proxy."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from gwtui.model.kubernetes import LoadBalancerStatus
from gwtui.model.meta import AuthoredMeta

NETWORKING = "networking.k8s.io"

CLASS_ANNOTATION = "kubernetes.io/ingress.class"
"""The class by annotation, older than `spec.ingressClassName` and still obeyed."""
DEFAULT_CLASS_ANNOTATION = "ingressclass.kubernetes.io/is-default-class"

ACTIONS_ANNOTATION = "alb.ingress.kubernetes.io/actions."
"""Start of the annotation that stands in for a backend whose port is named `use-annotation`."""
USE_ANNOTATION = "use-annotation"


class IngressClassSpec(Struct, rename="camel", frozen=True, gc=False):
    """Who serves the Ingresses of this class."""

    controller: str = ""


class IngressClass(Struct, rename="camel", frozen=True, gc=False):
    """*Source:* `networking.k8s.io/v1`, cluster-scoped."""

    metadata: AuthoredMeta
    spec: IngressClassSpec = IngressClassSpec()


class IngressServicePort(Struct, rename="camel", frozen=True, gc=False):
    """Only its name matters here: `use-annotation` says that the Service is none."""

    name: str = ""


class IngressService(Struct, rename="camel", frozen=True, gc=False):
    """A Service in the namespace of the Ingress."""

    name: str
    port: IngressServicePort = IngressServicePort()


class IngressBackend(Struct, rename="camel", frozen=True, gc=False):
    """A Service, or a resource that is of no interest here."""

    service: IngressService | None = None


class IngressPath(Struct, rename="camel", frozen=True, gc=False):
    """One path of a rule."""

    backend: IngressBackend = IngressBackend()


class IngressPaths(Struct, rename="camel", frozen=True, gc=False):
    """*Source:* `spec.rules[].http`."""

    paths: tuple[IngressPath, ...] = ()


class IngressRule(Struct, rename="camel", frozen=True, gc=False):
    """What is served under one host name."""

    http: IngressPaths | None = None


class IngressSpec(Struct, rename="camel", frozen=True, gc=False):
    """The class and the backends."""

    ingress_class_name: str = ""
    default_backend: IngressBackend | None = None
    rules: tuple[IngressRule, ...] = ()


class IngressStatus(Struct, rename="camel", frozen=True, gc=False):
    """The addresses it is served under."""

    load_balancer: LoadBalancerStatus = LoadBalancerStatus()


class _TargetGroup(Struct, rename="camel", frozen=True, gc=False):
    service_name: str = ""


class _Forward(Struct, rename="camel", frozen=True, gc=False):
    target_groups: tuple[_TargetGroup, ...] = ()


class _Action(Struct, rename="camel", frozen=True, gc=False):
    """*Source:* the JSON value of an `actions.<name>` annotation."""

    forward_config: _Forward = _Forward()


class Ingress(Struct, rename="camel", frozen=True, gc=False):
    """*Source:* `networking.k8s.io/v1`."""

    metadata: AuthoredMeta
    spec: IngressSpec = IngressSpec()
    status: IngressStatus = IngressStatus()

    @property
    def services(self) -> frozenset[str]:
        """Names of the Services it sends requests to, in its own namespace."""
        backends = [path.backend for rule in self.spec.rules if rule.http for path in rule.http.paths]
        if self.spec.default_backend is not None:
            backends.append(self.spec.default_backend)
        names: set[str] = set()
        for backend in backends:
            if backend.service is None:
                continue
            if backend.service.port.name == USE_ANNOTATION:
                names.update(self._acted_on(backend.service.name))
            else:
                names.add(backend.service.name)
        return frozenset(names)

    def _acted_on(self, action: str) -> set[str]:
        """The Services of a weighted forward; none when the annotation is missing, malformed or no forward."""
        try:
            found = msgspec.json.decode(self.metadata.annotations.get(ACTIONS_ANNOTATION + action, ""), type=_Action)
        except msgspec.DecodeError:
            return set()
        return {group.service_name for group in found.forward_config.target_groups} - {""}
