"""Log levels of an Envoy. They are told in answer to a POST alone, so reading them takes an approved plan.

*Source:* `POST /logging` of the admin interface, with or without a change (Envoy 1.38 to 1.40); GET is answered 405.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from gwtui.adapters.envoy.decode import printable
from gwtui.changes.door import Approval
from gwtui.errors import BadPayload, NotServed, Rejected
from gwtui.model.admin_posts import LOGGING
from gwtui.ports import Answer, ProxyActuator, ProxyAddress

_LINE = re.compile(r" +([\w./*-]+): (\w+)").fullmatch


async def read_log_levels(
    actuator: ProxyActuator, approval: Approval, proxy: ProxyAddress, *, deadline_s: float
) -> Mapping[str, str]:
    """Return the level of each logger.

    Raises:
        Refused: the approval's plan changes no log levels of this proxy.
        SourceError: as `ProxyActuator.post`.
    """
    return decode_log_levels(await actuator.post(approval, proxy, LOGGING, deadline_s=deadline_s))


def decode_log_levels(answer: Answer) -> Mapping[str, str]:
    """Return the level of each logger after a POST to `/logging`.

    Raises:
        Rejected: the proxy knows no such logger or level, in its own words.
        NotServed: it does not offer this page.
        BadPayload: it is no such list.
    """
    if answer.status == 400:
        said = printable(answer.body.partition(b"\n")[0])
        raise Rejected(f"the proxy did not change its log levels: {said}", "look at the names it knows")
    if answer.status in {403, 404}:
        raise NotServed(f"the proxy does not offer {LOGGING} ({answer.status})", "its allow_paths may leave it out")
    first, *lines = answer.body.decode(errors="replace").split("\n")
    levels = {found[1]: found[2] for line in lines if (found := _LINE(line))}
    if answer.status != 200 or not first.startswith("active loggers") or not levels:
        raise BadPayload(f"the answer to {LOGGING} is no list of log levels ({answer.status})", "is this an Envoy?")
    return levels
