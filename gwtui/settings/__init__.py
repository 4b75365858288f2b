"""What the user chose: command line over configuration file over defaults.

The file is TOML, by default `gwtui/config.toml` in the user's configuration folder. A key that does not exist or has
a wrong type is an error that names the key, never silently ignored. Each kind of table has a file of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from gwtui.errors import UsageError
from gwtui.settings.prometheus import PrometheusSettings, check_clusters, decode_prometheus
from gwtui.settings.proxies import StaticProxy, check_names, decode_proxy
from gwtui.settings.tables import Key, Place, decode_keys, decode_tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Choices of one run."""

    kubeconfig: Path | None = None
    """None: `KUBECONFIG`, else `~/.kube/config`."""
    contexts: tuple[str, ...] = ()
    """Empty: the current context."""
    namespaces: tuple[str, ...] = ()
    """Empty: all namespaces, or the context's namespace where listing all is refused."""
    as_user: str | None = None
    as_groups: tuple[str, ...] = ()
    read_only: bool = False
    theme: str = "dark"
    scrape_period_s: float = 2.0
    """Seconds between two samples of a proxy; longer where a proxy needs more than its budget to answer."""
    proxy_budget: float = 0.05
    """Longest share of a proxy's time that answering us may take, 0 to 1."""
    pod_addresses: bool = False
    """Whether proxies may be asked on their pods' addresses, where the ways through the API server are refused."""
    proxies: tuple[StaticProxy, ...] = ()
    """Proxies at fixed addresses."""
    prometheus: tuple[PrometheusSettings, ...] = ()
    """Servers that know the proxies' statistics as well; see `prometheus.prometheus_for`."""


FILE_KEYS: Mapping[str, Key] = {
    "theme": Key(str),
    "read_only": Key(bool),
    "scrape_period_s": Key(float),
    "proxy_budget": Key(float),
    "pod_addresses": Key(bool),
}
"""Keys of the configuration file outside its tables."""

TABLES: Mapping[str, tuple[str, Callable[[Mapping[str, Any], Place], Any]]] = {
    "prometheus": ("prometheus", decode_prometheus),
    "proxy": ("proxies", decode_proxy),
}
"""Arrays of tables of the configuration file: the field of `Settings` each fills, and what reads one of its tables."""

SHORTEST_PERIOD_S = 0.5


def config_path() -> Path:
    """Return where the configuration file is looked for."""
    from platformdirs import user_config_path  # noqa: PLC0415 - costs 13 ms that --help need not pay

    return user_config_path("gwtui") / "config.toml"


def load(path: Path | None) -> Settings:
    """Return the settings of the configuration file; defaults when there is none at the default place.

    Raises:
        UsageError: a named file does not exist, is not TOML, or holds an unknown key or a wrong type.
    """
    wanted = path or config_path()
    try:
        text = wanted.read_text(encoding="utf-8")
    except FileNotFoundError:
        if path is None:
            return Settings()
        raise UsageError(f"no configuration file {path}", "name an existing file with --config") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {wanted}: {error}", "check the file, or name another with --config") from error
    return _decode(text, wanted)


def _decode(text: str, path: Path) -> Settings:
    import tomllib  # noqa: PLC0415 - only when there is a file

    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is not valid TOML: {error}", "correct the line it names") from error
    tables: dict[str, Any] = {
        field: decode_tables(table.pop(name), name, path, decode)
        for name, (field, decode) in TABLES.items()
        if name in table
    }
    for name in table:
        if name not in FILE_KEYS:
            raise UsageError(f"{path}: unknown key {name!r}", f"known keys: {', '.join((*FILE_KEYS, *TABLES))}")
    settings = Settings(**decode_keys(table, FILE_KEYS, Place(path)), **tables)
    if settings.scrape_period_s < SHORTEST_PERIOD_S:
        raise UsageError(f"{path}: scrape_period_s is below {SHORTEST_PERIOD_S}", "proxies would pay for it; use 2")
    if not 0 < settings.proxy_budget <= 1:
        raise UsageError(f"{path}: proxy_budget is {settings.proxy_budget:g}", "it is a share of a proxy's time: 0.05")
    check_clusters(settings.prometheus, path)
    check_names(settings.proxies, path)
    return settings


def override(settings: Settings, choices: Mapping[str, Any]) -> Settings:
    """Return the settings with those choices of the command line that were made (None and empty mean not made)."""
    names = {field.name for field in fields(Settings)}
    made: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in choices.items()
        if name in names and value not in (None, (), [], False)
    }
    return replace(settings, **made)
