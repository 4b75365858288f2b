"""The command line: what it accepts, and how it refuses."""

from __future__ import annotations

import pytest

from gwtui import cli
from gwtui.arguments import request
from gwtui.errors import Exit, UsageError
from gwtui.settings import Settings, load, override


def test_no_command_opens_the_console():
    chosen = cli.parser().parse_args(
        ["--context", "a", "--context", "b", "-n", "foo", "--read-only", "--theme", "light"]
    )
    settings = override(Settings(), vars(chosen))
    assert chosen.command == "console"
    assert settings.contexts == ("a", "b")
    assert settings.namespaces == ("foo",)
    assert settings.read_only
    assert settings.theme == "light"


def test_a_log_level_is_asked_for_with_the_options_of_every_write():
    typed = ["proxy", "log", "infra/edge-1", "http=debug", "--lease", "5m", "--yes", "--reason", "503", "--read-only"]
    chosen = cli.parser().parse_args(typed)
    asked = request(chosen)
    assert (asked.action, asked.target, asked.level, asked.lease_s) == ("log", "infra/edge-1", "http=debug", 300.0)
    assert (asked.yes, asked.reason, chosen.read_only, asked.dry_run) == (True, "503", True, False)
    assert request(cli.parser().parse_args(["proxy", "log", "a/b", "debug"])).lease_s is None


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["nonsense"], "nonsense"),
        (["--kubeconfig"], "--kubeconfig"),
        (["snapshot", "-o", "yaml"], "yaml"),
        (["snapshot", "--settle", "soon"], "soon"),
        (["triage", "-o", "svg"], "svg"),
        (["triage", "--settle", "-1"], "-1"),
        (["snapshot", "--settle", "-1"], "-1"),
        (["snapshot", "--settle", "nan"], "nan"),
        (["map", "-o", "png"], "png"),
        (["map", "--settle", "inf"], "inf"),
        (["map", "--width", "12"], "12"),
        (["map", "--width", "wide"], "wide"),
        (["map", "--theme"], "--theme"),
        (["map", "-o", "svg", "--theme", "nonsense"], "nonsense"),
        (["demo", "--duration", "5"], "--headless"),
        (["proxy", "log", "infra/edge-1"], "LOGGER=LEVEL"),
        (["proxy", "log", "infra/edge-1", "http=debug", "--lease", "soon"], "soon"),
    ],
)
def test_wrong_arguments_are_one_line_with_a_hint(arguments, named, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["gwtui", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.run()
    printed = capsys.readouterr()
    assert ended.value.code == Exit.USAGE
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert named in printed.err
    assert "; " in printed.err, "a hint follows the message"


def test_a_defect_of_ours_is_one_line_and_its_traceback_goes_to_a_file(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(cli, "main", lambda: {}["missing"])
    with pytest.raises(SystemExit) as ended:
        cli.run()
    printed = capsys.readouterr()
    assert ended.value.code == Exit.UNREACHABLE
    assert printed.err.count("\n") == 1
    crash = next(tmp_path.rglob("crash.log"))
    assert str(crash) in printed.err
    assert "KeyError" in crash.read_text()
    assert crash.stat().st_mode & 0o077 == 0


def test_the_file_gives_defaults_and_the_command_line_wins(tmp_path):
    file = tmp_path / "config.toml"
    file.write_text('theme = "light"\nread_only = true\nscrape_period_s = 5\n')
    settings = load(file)
    assert settings == Settings(theme="light", read_only=True, scrape_period_s=5.0)
    assert override(settings, {"theme": "dark", "contexts": None}).theme == "dark"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("colour = 'red'", "colour"),
        ("read_only = 'yes'", "read_only"),
        ("scrape_period_s = 0.01", "scrape_period_s"),
        ("theme = ", "TOML"),
    ],
)
def test_a_wrong_file_names_the_key(tmp_path, text, named):
    file = tmp_path / "config.toml"
    file.write_text(text)
    with pytest.raises(UsageError) as refused:
        load(file)
    assert named in refused.value.line()
    assert str(file) in refused.value.line()


def test_a_named_file_must_exist(tmp_path):
    with pytest.raises(UsageError, match="no configuration file"):
        load(tmp_path / "absent.toml")
