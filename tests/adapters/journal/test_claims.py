"""One process at a time carries out a change."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gwtui.adapters.journal import FileJournal
from gwtui.errors import Refused

AT = datetime(2026, 1, 1, 12, 30, tzinfo=UTC)
HOLDER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from gwtui.adapters.journal import FileJournal

with FileJournal(Path(sys.argv[1])).claim("20260101-000000-0001", datetime(2026, 1, 1, 12, 30, tzinfo=UTC)):
    print("held", flush=True)
    sys.stdin.readline()
print("released", flush=True)
"""
CHANGE = "20260101-000000-0001"


@pytest.fixture
def journal(tmp_path: Path) -> FileJournal:
    return FileJournal(tmp_path / "changes.jsonl")


@pytest.fixture
def holder(tmp_path: Path):
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    path = str(tmp_path / "changes.jsonl")
    with subprocess.Popen([sys.executable, "-c", HOLDER, path], text=True, **pipes) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_change_under_way_elsewhere_is_refused_and_its_process_named(journal: FileJournal, holder):
    with pytest.raises(Refused) as caught, journal.claim(CHANGE, AT):
        pass
    assert f"process {holder.pid} since 2026-01-01 12:30:00 UTC" in caught.value.message
    with journal.claim("another", AT):
        pass
    holder.communicate("\n", timeout=30)
    with journal.claim(CHANGE, AT):
        pass


def test_a_claim_ends_with_its_process(journal: FileJournal, holder):
    holder.kill()
    holder.wait(30)
    with journal.claim(CHANGE, AT), pytest.raises(Refused, match="under way"), journal.claim(CHANGE, AT):
        pass


def test_a_claim_ends_with_its_block_and_leaves_no_file(journal: FileJournal, tmp_path: Path):
    with pytest.raises(ZeroDivisionError), journal.claim(CHANGE, AT):
        1 / 0  # noqa: B018
    with journal.claim(CHANGE, AT):
        assert len(list((tmp_path / "changes-under-way").iterdir())) == 1
    assert list((tmp_path / "changes-under-way").iterdir()) == []


def test_a_file_that_is_removed_between_opening_and_locking_is_not_held_twice(
    journal: FileJournal, monkeypatch: pytest.MonkeyPatch
):
    from gwtui.adapters.journal import claims  # noqa: PLC0415

    lock, raced = claims.try_lock, []

    def slow(file):
        if not raced:
            raced.append(True)
            with journal.claim(CHANGE, AT):  # somebody else is quicker, and done
                pass
        return lock(file)

    monkeypatch.setattr(claims, "try_lock", slow)
    with journal.claim(CHANGE, AT), pytest.raises(Refused, match="under way"), journal.claim(CHANGE, AT):
        pass
    assert raced


@pytest.mark.parametrize("change", ["", "..", "../x", "a/b", ".hidden", "a\nb"])
def test_what_is_no_id_makes_no_file(journal: FileJournal, tmp_path: Path, change: str):
    with pytest.raises(Refused), journal.claim(change, AT):
        pass
    assert list(tmp_path.iterdir()) == []


def test_where_nothing_can_be_written_nothing_is_claimed(tmp_path: Path):
    (tmp_path / "file").write_text("")
    journal = FileJournal(tmp_path / "file" / "changes.jsonl")
    with pytest.raises(Refused, match="cannot write"), journal.claim(CHANGE, AT):
        pass
