"""What an installation leaves in the cluster: the objects of a scenario with their owners, status and pods.

What cannot run here (ztunnel, agentgateway, HAProxy, the controllers of clouds and meshes) is in the scenario as a
Deployment or DaemonSet. Its pods are reported Running, as a kubelet would, and nothing listens behind their ports, the
metrics of kgateway's control plane apart.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from gwtui.errors import GwtuiError
from gwtui.playground import mesh, workloads
from gwtui.playground.api.kinds import BY_TYPE
from gwtui.playground.api.store import Store
from gwtui.playground.pod_status import ContainerState, pod_status, stamp
from gwtui.playground.world import DAEMONSETS, NAMESPACES, PODS, Json, key_of, owner_reference

AUTHOR = "scenario"
"""Field manager of the objects of a scenario."""

NODE = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {"name": workloads.NODE, "labels": {"kubernetes.io/hostname": workloads.NODE}},
    "status": {
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}, {"type": "Hostname", "address": workloads.NODE}],
        "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "ready"}],
    },
}
"""The one node on which all pods are."""


def install(store: Store, objects: Iterable[Json], now: datetime) -> list[Json]:
    """Write objects together with their status; returns those that have pods, as stored.

    An owner is named by kind and name and must come first. Conditions without a time became what they are at `now`.

    Raises:
        GwtuiError: an owner is not there.
        ApiError: an object breaks its schema.
    """
    with_pods = []
    for obj in (NODE, *objects):
        kind = BY_TYPE[obj["apiVersion"], obj["kind"]]
        stored = store.put(_with_owners(store, obj), manager=AUTHOR)
        if status := obj.get("status"):
            store.put_status(kind.resource, *key_of(stored), _dated(status, stamp(now)), manager=AUTHOR)
        if kind.group == "apps":
            with_pods.append(stored)
    return with_pods


def populate(store: Store, owner: Json) -> list[Json]:
    """Write the pods of a Deployment or DaemonSet, as its controller would; returns them."""
    namespace = store.find(NAMESPACES, "", owner["metadata"]["namespace"]) or {"metadata": {}}
    replicas, maker = 1, "daemonset-controller"
    if owner["kind"] == "Deployment":
        replicas, maker = owner["spec"]["replicas"], "replicaset-controller"
        owner = store.put(workloads.replica_set(owner), manager="deployment-controller")
    serials = itertools.count(1)
    pods = (mesh.injected(workloads.new_pod(owner, next(serials)), namespace) for _ in range(replicas))
    return [store.put(pod, manager=maker) for pod in pods]


def report_running(store: Store, pod: Json, address: str) -> None:
    """Write the status of a pod whose containers run and are ready."""
    now = datetime.now(UTC)
    state = ContainerState(is_running=True, is_ready=True, restarts=0, started_at=now, exit_code=None)
    store.put_status(PODS, *key_of(pod), pod_status(pod, address, state, now), manager="kubelet")


def stand_in(store: Store, owners: Iterable[Json], address_of: Callable[[tuple[str, str]], str]) -> None:
    """Give Deployments and DaemonSets pods that are reported Running and do nothing."""
    for owner in owners:
        pods = populate(store, owner)
        for pod in pods:
            report_running(store, pod, address_of(key_of(pod)))
        if owner["kind"] == "DaemonSet":
            store.put_status(DAEMONSETS, *key_of(owner), workloads.daemon_set_status(owner, len(pods)))


def _with_owners(store: Store, obj: Json) -> Json:
    metadata = obj["metadata"]
    named = metadata.get("ownerReferences")
    if not named:
        return obj
    owners = []
    for ref in named:
        kind = BY_TYPE[ref["apiVersion"], ref["kind"]]
        owner = store.find(kind.resource, metadata["namespace"] if kind.namespaced else "", ref["name"])
        if owner is None:
            owned = f"{obj['kind']} {metadata['name']}"
            raise GwtuiError(f"{owned}: its owner {ref['kind']} {ref['name']} is not there", "name the owner first")
        owners.append(owner_reference(owner))
    return {**obj, "metadata": {**metadata, "ownerReferences": owners}}


def _dated(status: Any, now: str) -> Any:
    """A status in which every condition has a time."""
    if isinstance(status, list):
        return [_dated(each, now) for each in status]
    if not isinstance(status, dict):
        return status
    found = {name: _dated(value, now) for name, value in status.items()}
    is_condition = {"type", "status"} <= status.keys()
    return {"lastTransitionTime": now, **found} if is_condition else found
