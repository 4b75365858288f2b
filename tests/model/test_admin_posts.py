"""What a proxy may be told."""

from __future__ import annotations

import pytest

from gwtui.errors import Refused
from gwtui.model.admin_posts import require_admin_post


@pytest.mark.parametrize(
    "path",
    [
        "/logging",
        "/logging?level=debug",
        "/logging?level=off",
        "/logging?conn_handler=trace",
        "/logging?http2=warning",
        "/logging?paths=admin:info",
        "/logging?paths=admin:info,http2:critical",
        "/healthcheck/fail",
        "/healthcheck/ok",
        "/drain_listeners?graceful",
        "/drain_listeners?graceful&skip_exit",
        "/drain_listeners?graceful&inboundonly&skip_exit",
    ],
)
def test_on_the_list(path):
    require_admin_post(path)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/quitquitquit",
        "/reset_counters",
        "/runtime_modify?a=b",
        "/reopen_logs",
        "/cpuprofiler?enable=y",
        "/tap",
        "/stats/recentlookups/enable",
        "/stats",
        "/logging/",
        "/LOGGING?level=debug",
        "/logging?",
        "/logging?level=loud",
        "/logging?level=debug&level=info",
        "/logging?admin=debug&http=debug",
        "/logging?group=debug",
        "/logging?level=",
        "/logging?paths=",
        "/logging?paths=debug",
        "/logging?paths=admin:loud",
        "/logging?paths=admin:debug,",
        "/logging?paths=../x:debug",
        "/logging?level=debug\n",
        "/logging?level=debug\r\nx: y",
        "/logging?level=debug#x",
        "/logging?adm%69n=debug",
        "/healthcheck/fail?",
        "/healthcheck/fail?x",
        "/healthcheck/ok/",
        "/healthcheck/fail\r\n",
        "/healthcheck/../quitquitquit",
        "//healthcheck/fail",
        "/drain_listeners",
        "/drain_listeners?",
        "/drain_listeners?inboundonly",
        "/drain_listeners?skip_exit",
        "/drain_listeners?inboundonly&graceful",
        "/drain_listeners?graceful&graceful",
        "/drain_listeners?graceful&skip_exit&skip_exit",
        "/drain_listeners?graceful=1",
        "/drain_listeners?graceful&",
        "/drain_listeners?graceful\r\n",
        "/drain_listeners?graceful&now",
        "http://other/healthcheck/ok",
    ],
)
def test_not_on_the_list(path):
    with pytest.raises(Refused) as caught:
        require_admin_post(path)
    assert "\n" not in caught.value.line()
    assert caught.value.hint
