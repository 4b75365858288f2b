"""Themes are TOML files: a palette, and one colour for every state we know. A broken one never stops the console."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from textual.color import Color, ColorParseError
from textual.theme import Theme

PALETTE = (
    "primary",
    "secondary",
    "accent",
    "foreground",
    "background",
    "surface",
    "panel",
    "success",
    "warning",
    "error",
)
"""Colours a theme must define under `[palette]`: what every Textual widget is built from."""

DOMAIN = {
    "health-ok": "#5fd787",
    "health-degraded": "#ffd75f",
    "health-failing": "#ff5f5f",
    "health-unknown": "#9e9e9e",
    "draining": "#5fd7ff",
    "stale": "#d7af87",
    "figure": "#eeeeee",
    "faint": "#8a8a8a",
    "spark": "#87afff",
    "link": "#6c8ebf",
    "key": "#ffd75f",
    "tab-background": "#3a4a63",
    "tab-foreground": "#ffffff",
    "alarm-background": "#d70000",
    "alarm-foreground": "#ffffff",
    "cursor-background": "#30405a",
    "cursor-foreground": "#ffffff",
}
"""Colours a theme must define under `[states]`; the values here are those of the fallback."""

FALLBACK = Theme(
    name="fallback",
    primary="#5f87d7",
    secondary="#5f87af",
    accent="#87afff",
    foreground="#d0d0d0",
    background="#121212",
    surface="#1c1c1c",
    panel="#262626",
    success="#5fd787",
    warning="#ffd75f",
    error="#ff5f5f",
    variables=dict(DOMAIN),
)
"""Used when no theme file can be read."""


class ThemeError(Exception):
    """A theme file that cannot be used; the text says why."""


def themes_dir() -> Path:
    """Where the theme files are: inside an installed package, beside it in a checkout."""
    package = Path(__file__).parents[1]
    installed = package / "themes"
    return installed if installed.is_dir() else package.parent / "themes"


def theme_names(directory: Path) -> list[str]:
    """The names of all theme files, sorted."""
    return sorted(path.stem for path in directory.glob("*.toml"))


def load_theme(name: str, directory: Path) -> Theme:
    """Read and check one theme.

    Raises:
        ThemeError: there is no such file, it is no TOML, or a colour is missing or not a colour.
    """
    path = directory / f"{name}.toml"
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        known = ", ".join(theme_names(directory)) or "none"
        raise ThemeError(f"no theme {name}; there are: {known}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ThemeError(f"theme {name} is not valid TOML: {error}") from error
    palette = _colours(name, document, "palette", PALETTE)
    states = _colours(name, document, "states", tuple(DOMAIN))
    return Theme(
        name=name,
        dark=document.get("dark", True) is True,
        variables=states,
        primary=palette["primary"],
        secondary=palette["secondary"],
        accent=palette["accent"],
        foreground=palette["foreground"],
        background=palette["background"],
        surface=palette["surface"],
        panel=palette["panel"],
        success=palette["success"],
        warning=palette["warning"],
        error=palette["error"],
    )


def choose(name: str, directory: Path, *, keep: bool) -> tuple[Theme | None, str]:
    """Return the theme to use and what is wrong with the one wanted, which is empty when nothing is.

    Args:
        name: The theme wanted.
        directory: Where the theme files are.
        keep: Whether the present theme stays when the one wanted cannot be used; then there is none to use.
    """
    try:
        return load_theme(name, directory), ""
    except ThemeError as broken:
        return (None, str(broken)) if keep else (FALLBACK, f"{broken}; built-in colours are used")


def _colours(name: str, document: dict[str, Any], table: str, wanted: tuple[str, ...]) -> dict[str, str]:
    given = document.get(table)
    if not isinstance(given, dict):
        raise ThemeError(f"theme {name} has no [{table}]")
    missing = [key for key in wanted if key not in given]
    if missing:
        raise ThemeError(f"theme {name} lacks {', '.join(missing)} in [{table}]")
    unknown = [key for key in given if key not in wanted]
    if unknown:
        raise ThemeError(f"theme {name} has an unknown {', '.join(unknown)} in [{table}]")
    for key in wanted:
        try:
            Color.parse(str(given[key]))
        except ColorParseError as error:
            raise ThemeError(f"theme {name}: {table}.{key} = {given[key]!r} is not a colour") from error
    return {key: str(given[key]) for key in wanted}
