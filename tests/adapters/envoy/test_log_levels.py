"""Log levels of a real Envoy: changed and put back by approved POSTs, and read from their answers."""

from __future__ import annotations

from typing import Any

import pytest

from approved import approved, posting
from delivered_envoy import AdminAccess
from gwtui.adapters.envoy.admin import EnvoyAdmin
from gwtui.adapters.envoy.inspector import EnvoyInspector
from gwtui.adapters.envoy.log_levels import decode_log_levels, read_log_levels
from gwtui.engine.clock import SystemClock
from gwtui.errors import BadPayload, NotServed, Refused, Rejected
from gwtui.model.admin_posts import LOG_LEVELS, LOGGING
from gwtui.model.ids import ProxyKey
from gwtui.model.loggers import LOGGERS
from gwtui.ports import Answer, ProxyAddress


def address(port: int) -> ProxyAddress:
    return ProxyAddress(ProxyKey("c", "infra", f"gw-{port}"), stats_port=1, admin_port=port)


async def test_a_level_is_changed_and_put_back(start_envoy: Any, admin_access: AdminAccess):
    proxy = address((await start_envoy()).admin)

    async def levels():
        return await read_log_levels(admin_access, approved(posting(proxy.key, LOGGING)), proxy, deadline_s=5)

    async def told(path: str, reverse: str = ""):
        change = approved(posting(proxy.key, path, reverse))
        return decode_log_levels(await admin_access.post(change, proxy, path, deadline_s=5))

    before = await levels()
    assert before.keys() == LOGGERS
    assert set(before.values()) == {"off"}, "as it was started"
    change = approved(posting(proxy.key, "/logging?conn_handler=debug", "/logging?conn_handler=off"))
    for path, level in (("/logging?conn_handler=debug", "debug"), ("/logging?conn_handler=off", "off")):
        await admin_access.post(change, proxy, path, deadline_s=5)
        assert await levels() == {**before, "conn_handler": level}
    assert await told("/logging?paths=admin:error,http2:info") == {**before, "admin": "error", "http2": "info"}
    for level in LOG_LEVELS:
        assert set((await told(f"/logging?level={level}")).values()) == {level}
    with pytest.raises(Rejected, match="unknown logger"):
        await told("/logging?nobody=info")


async def test_reading_needs_an_approval_as_well(start_envoy: Any, admin_access: AdminAccess):
    proxy = address((await start_envoy()).admin)
    with pytest.raises(Refused):
        await read_log_levels(admin_access, None, proxy, deadline_s=5)  # type: ignore[arg-type]
    with pytest.raises(Refused):
        await read_log_levels(admin_access, approved(posting(proxy.key, "/healthcheck/fail")), proxy, deadline_s=5)
    other = approved(posting(ProxyKey("c", "infra", "another"), "/logging?level=debug"))
    with pytest.raises(Refused):
        await read_log_levels(admin_access, other, proxy, deadline_s=5)
    with pytest.raises(Refused):
        await EnvoyAdmin(admin_access).post(other, proxy, "/logging?level=debug", deadline_s=5)


async def test_what_a_plan_changes_it_may_read_again(start_envoy: Any, admin_access: AdminAccess):
    proxy, admin = address((await start_envoy()).admin), EnvoyAdmin(admin_access)
    change = approved(
        posting(proxy.key, "/logging?paths=http:debug,router:trace", "/logging?paths=http:off,router:off")
    )
    before = await admin.log_levels(change, proxy, deadline_s=5)
    await admin.post(change, proxy, "/logging?paths=http:debug,router:trace", deadline_s=5)
    assert await admin.log_levels(change, proxy, deadline_s=5) == {**before, "http": "debug", "router": "trace"}
    with pytest.raises(Rejected, match="unknown logger"):
        await admin.post(
            approved(posting(proxy.key, "/logging?htpt=debug")), proxy, "/logging?htpt=debug", deadline_s=5
        )
    build = await EnvoyInspector((admin_access,), SystemClock()).build(proxy, deadline_s=5)
    assert (build.log_level, dict(build.component_log_levels)) == ("off", {}), "as it was started, whatever it has now"


async def test_other_pages_are_acted_on_by_their_status(start_delivered: Any, admin_access: AdminAccess):
    admin = EnvoyAdmin(admin_access)
    proxy = (await start_delivered()).address
    change = approved(posting(proxy.key, "/healthcheck/fail", "/healthcheck/ok"))
    for path in ("/healthcheck/fail", "/healthcheck/ok"):
        await admin.post(change, proxy, path, deadline_s=5)
    closed = (await start_delivered(allow_paths="/ready")).address
    with pytest.raises(NotServed, match="403"):
        await admin.post(approved(posting(closed.key, "/healthcheck/fail")), closed, "/healthcheck/fail", deadline_s=5)


async def test_where_envoy_is_told_not_to_offer_it(start_delivered: Any, admin_access: AdminAccess):
    proxy = (await start_delivered(allow_paths="/ready")).address
    with pytest.raises(NotServed, match="403"):
        await read_log_levels(admin_access, approved(posting(proxy.key, LOGGING)), proxy, deadline_s=5)


@pytest.mark.parametrize(
    "body", [b"", b"OK\n", b"active loggers:\n", b"active loggers:\n  \x1b[31m: info\n", b"\xff\xfe", b"a: info\n"]
)
def test_what_is_no_list(body: bytes):
    with pytest.raises(BadPayload):
        decode_log_levels(Answer(200, body, 0.0))


def test_a_refusal_cannot_steer_a_terminal():
    with pytest.raises(Rejected) as caught:
        decode_log_levels(Answer(400, b"error: \x1b[2Junknown\nusage", 0.0))
    assert "\x1b" not in caught.value.line()
