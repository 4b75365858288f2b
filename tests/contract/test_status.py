"""Status beside the spec, and what counts as a new generation."""

from __future__ import annotations

import pytest

MERGE = "application/merge-patch+json"


def condition(state: str = "True", **more) -> dict:
    base = {"type": "Accepted", "status": state, "reason": "Accepted", "message": ""}
    return base | {"lastTransitionTime": "2026-01-01T00:00:00Z"} | more


@pytest.fixture
async def edge(gateways, put, make) -> str:
    """Path of a Gateway."""
    await put(f"{gateways}/gateways", make.gateway())
    return f"{gateways}/gateways/edge"


@pytest.fixture
async def workload(ns, put, make) -> str:
    """Path of a Deployment."""
    base = f"/apis/apps/v1/namespaces/{ns}/deployments"
    await put(base, make.deployment())
    return f"{base}/edge"


def kinds():
    """Kinds of Kubernetes: base path, kind, manifest, generation after creation, whether there is a status."""
    selector, labels = {"matchLabels": {"a": "b"}}, {"labels": {"a": "b"}}
    template = {"metadata": labels, "spec": {"containers": [{"name": "x", "image": "y"}]}}
    backend = {"service": {"name": "x", "port": {"number": 80}}}
    scaled = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "x"}
    return [
        ("/api/v1", "Service", {"spec": {"ports": [{"port": 80}]}}, None, True),
        ("/api/v1", "Pod", {"spec": template["spec"]}, 1, True),
        ("/api/v1", "ConfigMap", {}, None, False),
        ("/api/v1", "Secret", {}, None, False),
        ("/api/v1", "ServiceAccount", {}, None, False),
        ("/api/v1", "Endpoints", {}, None, False),
        ("/apis/apps/v1", "Deployment", {"spec": {"selector": selector, "template": template}}, 1, True),
        ("/apis/apps/v1", "DaemonSet", {"spec": {"selector": selector, "template": template}}, 1, True),
        ("/apis/apps/v1", "ReplicaSet", {"spec": {"selector": selector, "template": template}}, 1, True),
        ("/apis/policy/v1", "PodDisruptionBudget", {"spec": {"minAvailable": 1, "selector": selector}}, 1, True),
        (
            "/apis/autoscaling/v2",
            "HorizontalPodAutoscaler",
            {"spec": {"maxReplicas": 3, "scaleTargetRef": scaled}},
            1,
            True,
        ),
        ("/apis/networking.k8s.io/v1", "Ingress", {"spec": {"defaultBackend": backend}}, 1, True),
        ("/apis/discovery.k8s.io/v1", "EndpointSlice", {"addressType": "IPv4", "endpoints": []}, 1, False),
    ]


@pytest.mark.parametrize(("base", "kind", "body", "generation", "has_status"), kinds(), ids=lambda each: each)
async def test_which_kinds_count_their_generations(api, ns, put, base, kind, body, generation, has_status) -> None:
    plural = kind.lower() if kind.endswith("points") else f"{kind.lower()}{'es' if kind.endswith('ss') else 's'}"
    version = base.removeprefix("/apis/").removeprefix("/api/")
    manifest = {"apiVersion": version, "kind": kind, "metadata": {"name": "x"}} | body
    made = await put(f"{base}/namespaces/{ns}/{plural}", manifest)
    assert made["metadata"].get("generation") == generation
    assert ("status" in made) is has_status
    path = f"{base}/namespaces/{ns}/{plural}/x"
    changed = await put.merge(path, {"metadata": {"labels": {"new": "label"}}})
    # Labels of slices say which service they belong to: of these alone they count.
    assert changed["metadata"].get("generation") == (2 if kind == "EndpointSlice" else generation)


@pytest.mark.parametrize("which", ["edge", "workload"])
async def test_a_change_of_the_spec_is_a_new_generation_and_one_of_the_metadata_is_not(
    edge, workload, put, which
) -> None:
    path = edge if which == "edge" else workload
    spec = {"gatewayClassName": "other"} if which == "edge" else {"replicas": 5}
    assert (await put.merge(path, {"metadata": {"labels": {"a": "b"}}}))["metadata"]["generation"] == 1
    assert (await put.merge(path, {"spec": spec}))["metadata"]["generation"] == 2
    assert (await put.merge(path, {"spec": spec}))["metadata"]["generation"] == 2


@pytest.mark.parametrize(("which", "generation"), [("edge", 1), ("workload", 2)])
async def test_an_annotation_counts_on_deployments_alone(edge, workload, put, which, generation) -> None:
    path = edge if which == "edge" else workload
    made = await put.merge(path, {"metadata": {"annotations": {"a": "b"}}})
    assert made["metadata"]["generation"] == generation


async def test_the_status_is_written_beside_the_spec_of_a_custom_kind(api, edge) -> None:
    current = await api.get(edge)
    both = current | {
        "metadata": current["metadata"] | {"labels": {"not": "taken"}},
        "spec": current["spec"] | {"gatewayClassName": "other"},
        "status": {"conditions": [condition()]},
    }
    code, made, _ = await api.call("PUT", f"{edge}/status", both)
    assert code == 200
    assert made["spec"] == current["spec"]
    assert "labels" not in made["metadata"]
    assert made["metadata"]["generation"] == 1
    assert [item["status"] for item in made["status"]["conditions"]] == ["True"]
    assert (await api.get(edge)) == made
    assert (await api.get(f"{edge}/status")) == made
    entry = made["metadata"]["managedFields"][-1]
    assert (entry["subresource"], entry["fieldsV1"].keys()) == ("status", {"f:status"})


async def test_the_spec_is_written_beside_the_status_of_a_custom_kind(api, edge, put) -> None:
    await put.merge(f"{edge}/status", {"status": {"conditions": [condition()]}})
    made = await put.merge(edge, {"spec": {"gatewayClassName": "other"}, "status": {"conditions": []}})
    assert made["spec"]["gatewayClassName"] == "other"
    assert made["metadata"]["generation"] == 2
    assert [item["status"] for item in made["status"]["conditions"]] == ["True"]


async def test_the_status_of_a_kind_of_kubernetes_is_apart_too(api, workload, put) -> None:
    made = await put.merge(
        f"{workload}/status", {"spec": {"replicas": 9}, "status": {"replicas": 1, "observedGeneration": 1}}
    )
    assert (made["spec"]["replicas"], made["status"]["replicas"]) == (2, 1)
    assert made["metadata"]["generation"] == 1
    made = await put.merge(workload, {"spec": {"replicas": 3}, "status": {"replicas": 7}})
    assert (made["spec"]["replicas"], made["status"]["replicas"]) == (3, 1)


async def test_a_new_object_has_no_status_of_its_author(api, ns, put, make) -> None:
    manifest = make.deployment() | {"status": {"replicas": 7}}
    made = await put(f"/apis/apps/v1/namespaces/{ns}/deployments", manifest)
    assert made["status"].get("replicas", 0) == 0


async def test_a_new_gateway_waits_for_its_controller(api, edge) -> None:
    found = (await api.get(edge))["status"]["conditions"]
    assert [(item["type"], item["status"], item["reason"]) for item in found] == [
        ("Accepted", "Unknown", "Pending"),
        ("Programmed", "Unknown", "Pending"),
    ]


async def test_a_status_that_breaks_its_schema_is_422(api, edge) -> None:
    broken = {"status": {"conditions": [condition("Maybe")]}}
    code, body, _ = await api.call("PATCH", f"{edge}/status", broken, content_type=MERGE)
    assert (code, body["reason"]) == (422, "Invalid")
    found = {(cause["reason"], cause["field"]) for cause in body["details"]["causes"]}
    assert ("FieldValueNotSupported", "status.conditions[0].status") in found


async def test_a_stale_status_is_409(api, edge, put) -> None:
    current = await api.get(edge)
    await put.merge(edge, {"metadata": {"labels": {"a": "b"}}})
    code, body, _ = await api.call("PUT", f"{edge}/status", current | {"status": {"conditions": [condition()]}})
    assert (code, body["reason"]) == (409, "Conflict")


@pytest.mark.parametrize("path", ["configmaps/one/status", "configmaps/one/nothing", "pods/one/nothing"])
async def test_what_is_not_beside_an_object_is_404(api, core, path) -> None:
    code, body, _ = await api.call("GET", f"{core}/{path}")
    assert (code, body["reason"]) == (404, "NotFound")
    assert body["message"] == "the server could not find the requested resource"


@pytest.mark.parametrize("method", ["POST", "DELETE"])
async def test_a_status_is_neither_made_nor_deleted(api, edge, make, method) -> None:
    code, body, _ = await api.call(method, f"{edge}/status", make.gateway() if method == "POST" else None)
    assert (code, body["reason"]) == (405, "MethodNotAllowed")
