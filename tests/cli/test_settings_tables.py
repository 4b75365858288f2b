"""The tables of the configuration file: what they say, and one line for everything that is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from gwtui.errors import UsageError
from gwtui.settings import load
from gwtui.settings.prometheus import ALWAYS, FALLBACK, PrometheusSettings, prometheus_for
from gwtui.settings.proxies import StaticProxy

PROMETHEUS = '[[prometheus]]\nurl = "http://prom:9090"\n'
PROXY = '[[proxy]]\nname = "edge-1"\nadmin = "http://10.0.0.7:19000"\n'


def read(tmp_path: Path, text: str):
    path = tmp_path / "config.toml"
    path.write_text(text)
    return load(path)


def test_everything_that_can_be_said(tmp_path: Path):
    settings = read(
        tmp_path,
        "proxy_budget = 0.02\npod_addresses = true\n"
        + PROMETHEUS
        + 'cluster = "prod-eu"\nuse = "always"\nmatch = \'cluster="eu"\'\ntoken_file = "token"\nproxies_above = 50\n'
        + PROXY
        + 'gateway = "edge"\nnamespace = "infra"\n',
    )
    assert (settings.proxy_budget, settings.pod_addresses) == (0.02, True)
    assert settings.prometheus == (
        PrometheusSettings(
            url="http://prom:9090",
            cluster="prod-eu",
            use=ALWAYS,
            match='cluster="eu"',
            token_file=tmp_path / "token",
            proxies_above=50,
        ),
    )
    assert settings.proxies == (
        StaticProxy(name="edge-1", admin="http://10.0.0.7:19000", gateway="edge", namespace="infra"),
    )


def test_a_cluster_takes_its_own_server_else_the_one_for_all(tmp_path: Path):
    tables = read(tmp_path, PROMETHEUS + '[[prometheus]]\nurl = "http://eu:9090"\ncluster = "eu"\n').prometheus
    assert prometheus_for(tables, "eu").url == "http://eu:9090"
    assert prometheus_for(tables, "us").url == "http://prom:9090"
    assert prometheus_for(tables, "us").use == FALLBACK
    assert prometheus_for((), "us") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("proxy_budget = 0", "proxy_budget"),
        ("proxy_budget = 2", "proxy_budget"),
        ("prometheus = 3", "[[prometheus]]"),
        ("[prometheus]\nurl = 'http://x'", "[[prometheus]]"),
        ("[[prometheus]]", "url"),
        ("[[prometheus]]\nurl = 'prom:9090'", "base URL"),
        (PROMETHEUS + "use = 'sometimes'", "fallback"),
        (PROMETHEUS + "match = '{x}'", "match"),
        (PROMETHEUS + "speed = 3", "'speed'"),
        (PROMETHEUS + PROMETHEUS, "table 1 already"),
        ("[[proxy]]\nname = 'x'", "admin"),
        ("[[proxy]]\nname = 'x'\nadmin = 'host:19000'", "base URL"),
        ("[[proxy]]\nname = 'x'\nadmin = 'http://me:pw@h:1'", "base URL"),
        ("[[proxy]]\nname = ''\nadmin = 'http://h:1'", "name is empty"),
        (PROXY + PROXY, "two [[proxy]]"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, text: str, said: str):
    with pytest.raises(UsageError) as caught:
        read(tmp_path, text)
    line = caught.value.line()
    assert said in line
    assert "config.toml" in line
    assert len(line.splitlines()) == 1
    assert "pw" not in line


def test_a_password_in_the_url_is_never_shown(tmp_path: Path):
    settings = read(tmp_path, '[[prometheus]]\nurl = "http://ops:pa55word@prom:9090"\n')
    assert "pa55word" not in repr(settings)


@pytest.mark.parametrize(
    "url", ["10.0.0.7:19000", "ftp://a", "http://", "http://a:x", "http://[::1", "http://a?x=1", "http://a#x", ""]
)
@pytest.mark.parametrize("table", ["[[prometheus]]\nurl = '{}'", "[[proxy]]\nname = 'x'\nadmin = '{}'"])
def test_what_is_no_base_url_is_refused(tmp_path: Path, table: str, url: str):
    with pytest.raises(UsageError) as caught:
        read(tmp_path, table.format(url))
    assert "http://HOST:PORT" in caught.value.line()
