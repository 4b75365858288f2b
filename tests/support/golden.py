"""Comparison with recorded answers. `GWTUI_WRITE_GOLDEN=1` records them anew: read the difference before keeping it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).parents[1] / "golden"


def check(name: str, actual: Any) -> None:
    """Fail unless `actual` is what `tests/golden/<name>` holds; a text file for texts, JSON for everything else."""
    path = GOLDEN / name
    written = actual if isinstance(actual, str) else json.dumps(actual, indent=1, ensure_ascii=False) + "\n"
    if os.environ.get("GWTUI_WRITE_GOLDEN"):
        path.write_text(written, encoding="utf-8")
    assert written == path.read_text(encoding="utf-8")
