"""The rules of the house that no linter knows."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from gwtui.tui.keymap import KEYS

PACKAGE = Path(__file__).parents[2] / "gwtui"
FILES = sorted(PACKAGE.rglob("*.py"))
LONGEST_FILE = 400


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_files_stay_small(path):
    assert len(path.read_text().splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_module_says_what_it_is_for(path):
    assert ast.get_docstring(ast.parse(path.read_text()))


def test_the_console_knows_nothing_of_the_playground():
    """The scenarios' names, labels and addresses may not be special-cased anywhere."""
    apart = {PACKAGE / "playground", PACKAGE / "wiring" / "demo.py", PACKAGE / "cli.py"}
    for path in FILES:
        if apart.isdisjoint((path, *path.parents)) and path != PACKAGE / "__init__.py":
            text = path.read_text()
            for word in ("playground", "shard-a", "example.com"):
                code = [line for line in text.splitlines() if word in line and not is_prose(line)]
                assert not code, f"{path}: {code}"


def is_prose(line: str) -> bool:
    """Whether the line documents: it shows an example between backquotes, or is a comment."""
    return "`" in line or line.lstrip().startswith("#")


def test_every_key_has_one_name_and_an_explanation():
    names = [key.id for key in KEYS]
    assert len(names) == len(set(names))
    assert all("." in key.id and key.tooltip and key.label for key in KEYS)


def test_no_key_is_bound_twice_on_one_screen():
    for screen in {key.id.partition(".")[0] for key in KEYS}:
        bound = [each for key in KEYS if key.id.startswith(f"{screen}.") for each in key.keys.split(",")]
        assert len(bound) == len(set(bound)), screen


def test_keys_that_terminals_and_multiplexers_take_are_left_alone():
    taken = {"ctrl+b", "ctrl+a", "ctrl+h", "ctrl+j", "ctrl+k", "ctrl+l", "ctrl+@", "ctrl+i", "ctrl+m"}
    for key in KEYS:
        assert set(key.keys.split(",")) - taken, f"{key.id} can only be reached by a key that others take"
