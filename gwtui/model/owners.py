"""Who else writes an object, told by what they leave on it: GitOps controllers, package managers, rollouts.

*Source:* Argo CD's resource tracking (2.x, 3.x), Flux' kustomize-controller and helm-controller (v2), Helm 3, the
Gateway API plugin of Argo Rollouts (0.9 and later), Flagger's Gateway API router (1.19 and later).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

from gwtui.model.meta import OwnerReference

INSTANCE = "app.kubernetes.io/instance"
"""Argo CD may track by it, and charts set it too: it proves nothing by itself."""
MANAGED_BY = "app.kubernetes.io/managed-by"


class OwnerKind(StrEnum):
    """What kind of writer it is, in one word or two."""

    ARGO_CD = "Argo CD"
    FLUX = "Flux"
    HELM = "Helm"
    ARGO_ROLLOUTS = "Rollouts"
    FLAGGER = "Flagger"

    @property
    def reverts(self) -> bool:
        """Whether it puts back what it wants by itself; Helm does so at the next upgrade alone."""
        return self is not OwnerKind.HELM


class Owner(NamedTuple):
    """Somebody who writes the object."""

    name: str
    """In full: `Argo CD app edge`, `Helm release infra/edge`, `Flagger`."""
    kind: OwnerKind
    evidence: tuple[str, ...]
    """What says so: `annotation argocd.argoproj.io/tracking-id`, `manages fields as argocd-controller`."""


class _Traces(NamedTuple):
    """What an object carries."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    managers: tuple[str, ...]
    references: tuple[OwnerReference, ...]


Found = tuple[str, list[str]]
"""Name of what owns it, empty when not known, and the evidence; no evidence means that nobody does."""


def owners(
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
    managers: Iterable[str],
    references: Iterable[OwnerReference] = (),
) -> tuple[Owner, ...]:
    """Return who else writes an object; who changes it most often comes first.

    Args:
        labels: Of the object.
        annotations: Of the object.
        managers: Field managers that write more than its status.
        references: Its owner references.
    """
    traces = _Traces(labels, annotations, tuple(managers), tuple(references))
    found: list[Owner] = []
    for kind, look in _LOOKS.items():
        name, evidence = look(traces)
        if evidence:
            found.append(Owner(f"{_TITLES[kind]} {name}".rstrip(), kind, tuple(evidence)))
    return tuple(found)


def _flagger(traces: _Traces) -> Found:
    canaries = [each for each in traces.references if each.kind == "Canary" and "flagger.app" in each.api_version]
    evidence = [f"owner reference Canary {each.name}" for each in canaries]
    return (f"canary {canaries[0].name}" if canaries else "", [*evidence, *_managing(traces, {"flagger"})])


def _argo_rollouts(traces: _Traces) -> Found:
    label = "rollouts.argoproj.io/gatewayapi-canary"
    evidence = [f"label {label}={traces.labels[label]}"] if label in traces.labels else []
    active = "rollouts.argoproj.io/gatewayapi-active-rollouts"
    evidence += [f"annotation {active}"] if active in traces.annotations else []
    # A plugin writes under the name of its file, which is that of its place in the configuration.
    plugin = {name for name in traces.managers if name == "gatewayAPI" or name.startswith("rollouts-plugin-")}
    return "", [*evidence, *_managing(traces, {"rollouts-controller", "argo-rollouts", *plugin})]


def _argo_cd(traces: _Traces) -> Found:
    tracking, instance = "argocd.argoproj.io/tracking-id", "argocd.argoproj.io/instance"
    evidence = _managing(traces, {"argocd-controller", "argocd-application-controller", "argocd-server"})
    app = ""
    if tracking in traces.annotations:
        app = traces.annotations[tracking].partition(":")[0]
        evidence.insert(0, f"annotation {tracking}")
    elif instance in traces.labels:
        app = traces.labels[instance]
        evidence.insert(0, f"label {instance}")
    elif evidence and INSTANCE in traces.labels:
        app = traces.labels[INSTANCE]
        evidence.append(f"label {INSTANCE}")
    return (f"app {app}" if app else "", evidence)


def _flux(traces: _Traces) -> Found:
    evidence: list[str] = []
    names: list[str] = []
    for group, what in (("kustomize.toolkit.fluxcd.io", "Kustomization"), ("helm.toolkit.fluxcd.io", "HelmRelease")):
        name = traces.labels.get(f"{group}/name", "")
        if name:
            space = traces.labels.get(f"{group}/namespace", "")
            names.append(f"{what} {space}/{name}" if space else f"{what} {name}")
            evidence.append(f"label {group}/name")
    return (names[0] if names else "", [*evidence, *_managing(traces, {"kustomize-controller", "helm-controller"})])


def _helm(traces: _Traces) -> Found:
    release = traces.annotations.get("meta.helm.sh/release-name", "")
    space = traces.annotations.get("meta.helm.sh/release-namespace", "")
    evidence = ["annotation meta.helm.sh/release-name"] if release else []
    if traces.labels.get(MANAGED_BY) == "Helm":
        evidence.append(f"label {MANAGED_BY}=Helm")
    name = f"{space}/{release}" if space and release else release
    return (f"release {name}" if name else "", [*evidence, *_managing(traces, {"helm", "Helm"})])


def _managing(traces: _Traces, names: Iterable[str]) -> list[str]:
    wanted = set(names)
    return [f"manages fields as {manager}" for manager in traces.managers if manager in wanted]


_TITLES = {kind: kind.value for kind in OwnerKind} | {OwnerKind.ARGO_ROLLOUTS: "Argo Rollouts"}

_LOOKS: Mapping[OwnerKind, Callable[[_Traces], Found]] = {
    OwnerKind.ARGO_ROLLOUTS: _argo_rollouts,
    OwnerKind.FLAGGER: _flagger,
    OwnerKind.ARGO_CD: _argo_cd,
    OwnerKind.FLUX: _flux,
    OwnerKind.HELM: _helm,
}
"""In the order of how often they write."""
