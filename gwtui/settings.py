"""What the user chose: command line over configuration file over defaults.

The file is TOML, by default `gwtui/config.toml` in the user's configuration folder. A key that does not exist or has
a wrong type is an error that names the key, never silently ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from gwtui.errors import UsageError


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


FILE_KEYS: Mapping[str, type] = {"theme": str, "read_only": bool, "scrape_period_s": float}
"""Keys of the configuration file and their types."""

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
    settings = Settings()
    for key, value in table.items():
        settings = replace(settings, **{_known(key, path): _typed(key, value, path)})
    if settings.scrape_period_s < SHORTEST_PERIOD_S:
        raise UsageError(f"{path}: scrape_period_s is below {SHORTEST_PERIOD_S}", "proxies would pay for it; use 2")
    return settings


def _known(key: str, path: Path) -> str:
    if key not in FILE_KEYS:
        raise UsageError(f"{path}: unknown key {key!r}", f"known keys: {', '.join(FILE_KEYS)}")
    return key


def _typed(key: str, value: Any, path: Path) -> Any:
    wanted = FILE_KEYS[key]
    if wanted is float and type(value) is int:
        return float(value)
    if type(value) is not wanted:
        raise UsageError(f"{path}: {key} is {value!r}", f"it must be a {wanted.__name__}")
    return value


def override(settings: Settings, choices: Mapping[str, Any]) -> Settings:
    """Return the settings with those choices of the command line that were made (None and empty mean not made)."""
    names = {field.name for field in fields(Settings)}
    made: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in choices.items()
        if name in names and value not in (None, (), [], False)
    }
    return replace(settings, **made)
