from __future__ import annotations

from pathlib import Path

import pytest

from gwtui.tui import theming
from gwtui.tui.widgets.painted import LOOKS
from gwtui.views.spans import Role
from tests.tui import fleet
from tests.tui.looking import until_seen


@pytest.mark.parametrize("name", theming.theme_names(theming.themes_dir()))
def test_every_shipped_theme_defines_every_colour(name: str) -> None:
    theme = theming.load_theme(name, theming.themes_dir())
    assert set(theme.variables) == set(theming.DOMAIN)


def test_the_promised_themes_are_there() -> None:
    assert {"dark", "light", "high-contrast"} <= set(theming.theme_names(theming.themes_dir()))


def test_every_role_has_a_look_from_a_theme_variable() -> None:
    known = {*theming.DOMAIN, *theming.PALETTE}
    assert set(LOOKS) == set(Role)
    assert {name for name, _ in LOOKS.values()} <= known


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("health-ok = ", "health-fine = "), "lacks health-ok"),
        (('health-ok = "#6fd08c"', 'health-ok = "greenish"'), "'greenish' is not a colour"),
        (("[states]", "[other]"), r"has no \[states\]"),
        (("[palette]", "[palette"), "not valid TOML"),
        (('key = "', 'quay = "#ffffff"\nkey = "'), "unknown quay"),
    ],
)
def test_a_broken_theme_says_what_is_wrong(tmp_path: Path, change: tuple[str, str], why: str) -> None:
    text = (theming.themes_dir() / "dark.toml").read_text("utf-8")
    assert change[0] in text
    (tmp_path / "mine.toml").write_text(text.replace(*change), "utf-8")
    with pytest.raises(theming.ThemeError, match=why):
        theming.load_theme("mine", tmp_path)


async def test_a_broken_theme_does_not_stop_the_console(make_app, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("", "utf-8")
    app = make_app(theme="mine", themes_dir=tmp_path)
    async with app.run_test(size=(140, 45), notifications=True) as pilot:
        await until_seen(pilot, "infra/edge", "theme mine has no [palette]; built-in colours are used")
        assert app.theme == "fallback"


async def test_states_are_told_apart_without_colour(make_app, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = make_app(fleet.central_ingress())
    async with app.run_test(size=(140, 45)) as pilot:
        await pilot.press("2")
        await until_seen(pilot, "✖ no answer", "✖ errors", "○ forbidden", "◐ errors", "● ok", "▌infra/edge")
