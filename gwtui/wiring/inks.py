"""The colours of a theme for pictures: the same roles look the same on paper and in the console."""

from __future__ import annotations

from textual.color import Color

from gwtui.errors import UsageError
from gwtui.tui import theming
from gwtui.tui.widgets.painted import LOOKS
from gwtui.views.map_svg import Inks
from gwtui.views.spans import Role


def theme_inks(name: str) -> Inks:
    """Return the colours of a theme.

    Raises:
        UsageError: there is no such theme, or it cannot be used.
    """
    directory = theming.themes_dir()
    try:
        theme = theming.load_theme(name, directory)
    except theming.ThemeError as error:
        known = ", ".join(theming.theme_names(directory))
        raise UsageError(str(error), f"choose one with --theme: {known}") from error
    colours = {
        **theme.variables,
        "foreground": theme.foreground,
        "accent": theme.accent,
        "background": theme.background,
        "surface": theme.surface,
    }
    # Words in alarm stand on a ground of their own in the console; on paper they take its colour.
    names = {**{role: variable for role, (variable, _) in LOOKS.items()}, Role.ALARM: "alarm-background"}
    return Inks(
        paper=_hex(colours["background"]),
        card=_hex(colours["surface"]),
        roles={role: _hex(colours[variable]) for role, variable in names.items()},
    )


def _hex(colour: str | None) -> str:
    return Color.parse(colour or "black").hex6
