"""Lets the operator edit a text in the editor of their choice."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from gwtui.errors import GwtuiError, UsageError

T = TypeVar("T")

DEFAULT = "vi"


def edit(text: str, read: Callable[[str], T]) -> T:
    """Open a text in `$VISUAL`, `$EDITOR` or vi, wait, and return what `read` makes of the result.

    Args:
        text: what is edited.
        read: takes what was written; raises `GwtuiError` when it cannot be used.

    Raises:
        UsageError: the editor failed, or what was written cannot be used: the file is kept, and named.
    """
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or DEFAULT
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", prefix="gwtui-", delete=False, encoding="utf-8") as draft:
        draft.write(text)
    path = Path(draft.name)
    # By the shell: people write `code --wait` there.
    done = subprocess.run(["/bin/sh", "-c", f'{editor} "$1"', "sh", str(path)], check=False)  # noqa: S603 - the operator's own
    if done.returncode:
        raise UsageError(f"{editor} ended with {done.returncode}", f"what you wrote is in {path}")
    try:
        made = read(path.read_text(encoding="utf-8"))
    except (GwtuiError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}", "what you wrote is kept there") from error
    path.unlink()
    return made
