"""Drafts on the disk: kept whole, private, and of one object each."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from gwtui.adapters.drafts import FileDrafts
from gwtui.errors import Refused
from gwtui.model.ids import ObjectKey
from gwtui.model.resources import GRPC_ROUTES, HTTP_ROUTES

KEY = ObjectKey("lab", HTTP_ROUTES, "infra", "shop")
BASE, WANTED = {"spec": {"hostnames": ["a"]}}, {"spec": {"hostnames": ["b"]}}


def test_a_draft_outlives_who_kept_it_until_it_is_dropped(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "drafts"
    assert FileDrafts(folder).find(KEY) is None
    FileDrafts(folder).keep(KEY, BASE, BASE)
    FileDrafts(folder).keep(KEY, BASE, WANTED)
    assert FileDrafts(folder).find(KEY) == (BASE, WANTED)
    (file,) = folder.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    FileDrafts(folder).drop(KEY)
    FileDrafts(folder).drop(KEY)
    assert FileDrafts(folder).find(KEY) is None


@pytest.mark.parametrize("other", [KEY._replace(cluster="prod"), KEY._replace(resource=GRPC_ROUTES)])
def test_no_other_object_gets_it(tmp_path: Path, other: ObjectKey) -> None:
    drafts = FileDrafts(tmp_path)
    drafts.keep(KEY, BASE, WANTED)
    assert drafts.find(other) is None


def test_a_file_that_a_crash_tore_is_no_draft(tmp_path: Path) -> None:
    drafts = FileDrafts(tmp_path)
    drafts.keep(KEY, BASE, WANTED)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-5])
    assert drafts.find(KEY) is None


def test_where_it_cannot_be_kept_that_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Refused, match="the draft cannot be kept"):
        FileDrafts(tmp_path / "file" / "drafts").keep(KEY, BASE, WANTED)
