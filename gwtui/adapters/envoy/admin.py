"""What an Envoy is made to do by its admin interface: the `ProxyAdmin`."""

from __future__ import annotations

from collections.abc import Mapping

from gwtui.adapters.envoy.decode import printable
from gwtui.adapters.envoy.log_levels import decode_log_levels, read_log_levels
from gwtui.changes.door import Approval
from gwtui.errors import BadPayload, NotServed, Rejected
from gwtui.model.admin_posts import LOGGING
from gwtui.ports import Answer, ProxyActuator, ProxyAddress, ProxyAdmin


class EnvoyAdmin(ProxyAdmin):
    """Sends approved POSTs; a `ProxyAdmin`.

    Args:
        actuator: the way to the admin interfaces.
    """

    def __init__(self, actuator: ProxyActuator) -> None:
        self._actuator = actuator

    async def post(self, approval: Approval, proxy: ProxyAddress, path: str, *, deadline_s: float) -> None:
        """Make the proxy do what a path and its query say; see `ProxyAdmin.post`."""
        answer = await self._actuator.post(approval, proxy, path, deadline_s=deadline_s)
        page = path.partition("?")[0]
        if page == LOGGING:
            decode_log_levels(answer)
        elif answer.status != 200:
            raise _refusal(answer, page)

    async def log_levels(self, approval: Approval, proxy: ProxyAddress, *, deadline_s: float) -> Mapping[str, str]:
        """Return the level of each logger now; see `ProxyAdmin.log_levels`."""
        return await read_log_levels(self._actuator, approval, proxy, deadline_s=deadline_s)


def _refusal(answer: Answer, page: str) -> Rejected | NotServed | BadPayload:
    """Name what an answer other than 200 to a POST means."""
    said = printable(answer.body.partition(b"\n")[0])
    if answer.status == 400:
        return Rejected(f"the proxy is against {page}: {said}", "look at what it offers")
    if answer.status in {403, 404, 405}:
        return NotServed(f"the proxy does not offer {page} ({answer.status})", "its allow_paths may leave it out")
    return BadPayload(f"the proxy answered {answer.status} to {page}: {said}", "look at the proxy")
