"""The switches of the control plane, as its Deployment sets them.

*Source:* environment of the container `controller` of Deployment `kgateway-system/kgateway`, kgateway 2.3 and later.
"""

from __future__ import annotations

from gwtui.playground.world import DEPLOYMENTS, World

_ISTIO_INTEGRATION = "KGW_ENABLE_ISTIO_INTEGRATION"
_ISTIO_AUTO_MTLS = "KGW_ENABLE_ISTIO_AUTO_MTLS"


def reads_service_entries(world: World) -> bool:
    """Whether routes may send to Istio's ServiceEntries."""
    return _is_on(world, _ISTIO_INTEGRATION)


def speaks_mesh_tls(world: World) -> bool:
    """Whether proxies get the two containers that hold a sidecar mesh's certificates."""
    return _is_on(world, _ISTIO_AUTO_MTLS)


def _is_on(world: World, switch: str) -> bool:
    deployment = world.get(DEPLOYMENTS, "kgateway-system", "kgateway")
    containers = deployment["spec"]["template"]["spec"]["containers"] if deployment else ()
    return any(
        setting["name"] == switch and str(setting.get("value", "")).lower() == "true"
        for container in containers
        for setting in container.get("env", ())
    )
