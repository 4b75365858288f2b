"""Which POSTs a proxy's admin interface may get: those that change little, and say what is done to whom.

Left out for good: `/quitquitquit`, `/reset_counters` (ruins everyone's rates), `/runtime_modify`, profilers, `/tap`,
and `/drain_listeners` without `graceful`, which refuses clients at once.
"""

from __future__ import annotations

import re

from gwtui.errors import Refused

LOGGING = "/logging"
"""Tells the log levels in answer to a POST without a query, and changes some with one."""

LOG_LEVELS = ("trace", "debug", "info", "warning", "error", "critical", "off")
"""As Envoy names them, the most talkative first."""

_LOGGER = r"[a-z0-9_]+"
_LEVEL = "|".join(LOG_LEVELS)
_LOGGING = re.compile(
    rf"level=({_LEVEL})|paths={_LOGGER}:({_LEVEL})(,{_LOGGER}:({_LEVEL}))*|(?!(level|paths|group)=){_LOGGER}=({_LEVEL})"
).fullmatch
"""The query of `/logging`: one parameter, as Envoy takes no more. Which loggers there are depends on the build."""

_DRAIN_OPTIONS = frozenset({"skip_exit", "inboundonly"})


def require_admin_post(path: str) -> None:
    """Let a POST pass that is on the list: path and query.

    `/logging` without a query changes nothing: it is how Envoy tells its log levels.

    Raises:
        Refused: it is not on the list.
    """
    bare, mark, query = path.partition("?")
    match bare:
        case "/logging":
            is_listed = not mark or _LOGGING(query) is not None
        case "/healthcheck/fail" | "/healthcheck/ok":
            is_listed = not mark
        case "/drain_listeners":
            first, *options = query.split("&")
            is_listed = first == "graceful" and set(options) <= _DRAIN_OPTIONS and len(options) == len(set(options))
        case _:
            is_listed = False
    if not is_listed:
        raise Refused(
            f"POST {path!r} is not on the list of what a proxy may be told",
            "it may change log levels, fail or pass its health check, and drain gracefully",
        )
