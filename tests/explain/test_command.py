"""What is typed wrong is said before anything is connected to."""

from __future__ import annotations

from pathlib import Path

import pytest

from gwtui import cli
from gwtui.errors import Exit, UsageError


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "the following arguments are required"),
        (["ftp://a.test"], "ftp:// is not what gateways route"),
        (["GET"], "there is no URL"),
        (["a.test", "-H", "novalue"], "is no header"),
        (["a.test", "--entry", "edge"], "does not name a gateway"),
        (["curl -X"], "-X needs a value"),
        (["a.test", "--prove", "--objects-only"], "not allowed with"),
    ],
)
def test_usage(words: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    with pytest.raises(UsageError) as caught:
        cli.main(["explain", *words])
    assert says in caught.value.line()
    assert caught.value.exit_code is Exit.USAGE
