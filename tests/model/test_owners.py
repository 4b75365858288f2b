"""Who writes an object, by what each of them really leaves on it."""

from __future__ import annotations

import pytest

from gwtui.model.meta import OwnerReference
from gwtui.model.owners import Owner, OwnerKind, owners

INSTANCE = "app.kubernetes.io/instance"


def only(**traces: object) -> Owner:
    (found,) = owners(
        traces.get("labels", {}),
        traces.get("annotations", {}),
        traces.get("managers", ()),
        traces.get("references", ()),
    )  # type: ignore[arg-type]
    return found


def test_nobody() -> None:
    managers = ("kubectl-client-side-apply", "kubectl-edit", "kgateway", "Mozilla")
    assert owners({INSTANCE: "shop", "app": "x"}, {"team": "a"}, managers) == ()


def test_argo_cd_by_its_tracking_annotation() -> None:
    found = only(
        annotations={"argocd.argoproj.io/tracking-id": "edge:gateway.networking.k8s.io/HTTPRoute:infra/shop"},
        managers=("argocd-controller",),
    )
    assert (found.kind, found.name) == (OwnerKind.ARGO_CD, "Argo CD app edge")
    assert found.evidence == ("annotation argocd.argoproj.io/tracking-id", "manages fields as argocd-controller")
    assert found.kind.reverts


def test_argo_cd_by_a_label_of_its_own() -> None:
    assert only(labels={"argocd.argoproj.io/instance": "edge"}).name == "Argo CD app edge"


def test_the_usual_instance_label_names_the_app_only_beside_the_manager() -> None:
    found = only(labels={INSTANCE: "edge"}, managers=("argocd-application-controller",))
    assert found.name == "Argo CD app edge"
    assert found.evidence[-1] == f"label {INSTANCE}"


@pytest.mark.parametrize(
    ("group", "what"), [("kustomize.toolkit.fluxcd.io", "Kustomization"), ("helm.toolkit.fluxcd.io", "HelmRelease")]
)
def test_flux_by_its_labels(group: str, what: str) -> None:
    found = only(labels={f"{group}/name": "apps", f"{group}/namespace": "flux-system"})
    assert (found.kind, found.name) == (OwnerKind.FLUX, f"Flux {what} flux-system/apps")


def test_flux_by_its_manager_alone() -> None:
    assert only(managers=("kustomize-controller",)) == Owner(
        "Flux", OwnerKind.FLUX, ("manages fields as kustomize-controller",)
    )


def test_helm_puts_nothing_back_by_itself() -> None:
    found = only(
        labels={"app.kubernetes.io/managed-by": "Helm"},
        annotations={"meta.helm.sh/release-name": "edge", "meta.helm.sh/release-namespace": "infra"},
    )
    assert (found.name, found.kind.reverts) == ("Helm release infra/edge", False)


def test_argo_rollouts_while_a_canary_is_under_way_and_by_its_plugin() -> None:
    label = {"rollouts.argoproj.io/gatewayapi-canary": "in-progress"}
    assert only(labels=label).name == "Argo Rollouts"
    assert only(managers=("gatewayAPI",)).kind is OwnerKind.ARGO_ROLLOUTS
    assert only(managers=("rollouts-plugin-trafficrouter-gatewayapi",)).kind.value == "Rollouts"


def test_flagger_by_the_canary_it_belongs_to() -> None:
    canary = OwnerReference(kind="Canary", name="shop", api_version="flagger.app/v1beta1")
    foreign = OwnerReference(kind="Canary", name="shop", api_version="example.com/v1")
    assert only(references=(canary,)).name == "Flagger canary shop"
    assert owners({}, {}, (), (foreign,)) == ()


def test_who_writes_most_often_comes_first() -> None:
    found = owners(
        {"kustomize.toolkit.fluxcd.io/name": "apps"},
        {"meta.helm.sh/release-name": "edge"},
        ("helm-controller", "flagger", "helm"),
    )
    assert [each.kind for each in found] == [OwnerKind.FLAGGER, OwnerKind.FLUX, OwnerKind.HELM]
