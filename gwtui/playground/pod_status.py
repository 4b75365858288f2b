"""The status of a pod, as a kubelet would report it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from gwtui.playground.world import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerState:
    """What is known of a pod's first container: the one that really runs here, if any does."""

    is_running: bool
    is_ready: bool
    restarts: int
    started_at: datetime
    """Start of the present or last process, aware UTC."""
    exit_code: int | None
    """How the last process ended: an exit code, or a negative signal number; None when none ended yet."""


def stamp(moment: datetime) -> str:
    """A moment as Kubernetes writes it: UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def pod_status(pod: Json, ip: str, state: ContainerState, now: datetime) -> Json:
    """The status of a pod; conditions that did not change keep their transition time.

    Args:
        pod: the pod as stored.
        ip: its address.
        state: its first container; the others are taken to run since that one started first.
        now: time of conditions that change, aware UTC.
    """
    held = pod.get("status", {})
    ready = "True" if state.is_ready else "False"
    wanted = {"PodScheduled": "True", "Initialized": "True", "ContainersReady": ready, "Ready": ready}
    return {
        "phase": "Running" if state.is_running or state.restarts or state.exit_code is not None else "Pending",
        "hostIP": "127.0.0.1",
        "podIP": ip,
        "podIPs": [{"ip": ip}],
        "startTime": held.get("startTime", stamp(now)),
        "conditions": [_condition(held, kind, value, now) for kind, value in wanted.items()],
        "containerStatuses": [
            _container(pod, state, held, now),
            *(_companion(spec, state, held) for spec in pod["spec"]["containers"][1:]),
        ],
    }


def _condition(held: Json, kind: str, value: str, now: datetime) -> Json:
    for each in held.get("conditions", ()):
        if each["type"] == kind and each["status"] == value:
            return dict(each)
    condition = {"type": kind, "status": value, "lastTransitionTime": stamp(now)}
    if value == "False":
        condition |= {"reason": "ContainersNotReady", "message": "the proxy does not answer its readiness check"}
    return condition


def _container(pod: Json, state: ContainerState, held: Json, now: datetime) -> Json:
    spec = pod["spec"]["containers"][0]
    previous: Json = next(iter(held.get("containerStatuses", ())), {})
    found: Json = {
        "name": spec["name"],
        "image": spec.get("image", ""),
        "imageID": "",
        "ready": state.is_ready,
        "started": state.is_running,
        "restartCount": state.restarts,
    }
    if state.is_running:
        found["state"] = {"running": {"startedAt": stamp(state.started_at)}}
    elif state.exit_code is None:
        found["state"] = {"waiting": {"reason": "ContainerCreating"}}
    else:
        found["state"] = {"waiting": {"reason": "CrashLoopBackOff"}}
    if state.exit_code is not None:
        found["lastState"] = _last_state(state, previous, now)
    return found


def _companion(spec: Json, state: ContainerState, held: Json) -> Json:
    """The status of a container that is there in name only."""
    for each in held.get("containerStatuses", ()):
        if each["name"] == spec["name"]:
            return dict(each)
    return {
        "name": spec["name"],
        "image": spec.get("image", ""),
        "imageID": "",
        "ready": True,
        "started": True,
        "restartCount": 0,
        "state": {"running": {"startedAt": stamp(state.started_at)}},
    }


def _last_state(state: ContainerState, previous: Json, now: datetime) -> Json:
    if state.is_running and previous.get("lastState"):
        return dict(previous["lastState"])
    code = state.exit_code or 0
    return {
        "terminated": {
            # A shell and a kubelet report a signal as 128 plus its number.
            "exitCode": 128 - code if code < 0 else code,
            "reason": "Error" if code else "Completed",
            "startedAt": stamp(state.started_at),
            "finishedAt": stamp(now),
        }
    }
