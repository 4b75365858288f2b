"""What is installed is complete: themes, style sheets and scenarios come along."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
QUESTION = """
import gwtui, gwtui.tui.theming as theming, gwtui.playground.launch as launch
from pathlib import Path
print(Path(gwtui.__file__).parent)
print(sorted(theming.theme_names(theming.themes_dir())))
print([name for name, _ in launch.scenario_names()])
print(sorted(path.name for path in Path(gwtui.__file__).parent.rglob("*.tcss")))
"""


def ask(cwd: Path, path: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", QUESTION],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.splitlines()


def test_an_installed_wheel_has_the_same_data_as_a_checkout(tmp_path):
    target = tmp_path / "installed"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--target", str(target), str(ROOT)], check=True, timeout=100)
    installed, checkout = ask(tmp_path, str(target)), ask(ROOT, str(ROOT))
    assert installed[0] == str(target / "gwtui")
    assert checkout[0] == str(ROOT / "gwtui")
    assert installed[1:] == checkout[1:]
    assert "central-ingress" in installed[2]
    assert "dark" in installed[1]
