"""The journal on real files: nothing that was acknowledged is lost, whatever happens to its writers."""

from __future__ import annotations

import json
import logging
import os
import random
import select
import signal
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from approved import plan_of, posting, writing
from gwtui.adapters.journal import FileJournal, journal_path
from gwtui.changes.journal import Ended, Entry, Opened, Seen, Writing, Written, changes
from gwtui.changes.plan import Caution, Guard, ObjectEdit, Plan, Refusal, Verdict
from gwtui.errors import Refused
from gwtui.model.ids import ObjectKey, ProxyKey

AT = datetime(2026, 1, 1, 12, 30, 15, 123456, tzinfo=UTC)
KEY = ObjectKey("lab", "httproutes.gateway.networking.k8s.io", "infra", "edge")


def note(number: int, text: str = "") -> Seen:
    return Seen(change="c", at=AT, step=number, truth="stored", is_met=True, text=text)


def every_kind() -> list[Entry]:
    edit = ObjectEdit(
        key=KEY,
        object_kind="HTTPRoute",
        before={
            "metadata": {"name": "edge"},
            "spec": {"rules": [{"set": [{"name": "x", "value": "s3cr3t\nü\u2028"}]}]},
        },
        after={"metadata": {"name": "edge"}, "spec": {"rules": None, "number": 1.5, "large": 2**53}},
    )
    plan = Plan(
        id="20260101-000000-0001",
        title="a title",
        made_at=AT,
        cluster="lab",
        steps=(edit, writing(KEY), posting(ProxyKey("lab", "infra", "gw-1"), "/healthcheck/fail", "/healthcheck/ok")),
        cautions=(Caution(code="owner", text="x"),),
        refusals=(Refusal(code="stale", text="x", safe_way="y"),),
        guard=Guard(bake_s=30, max_error_ratio=0.01),
        lease_s=60.5,
    )
    return [
        Opened(change=plan.id, at=AT, plan=plan, who="jane"),
        Writing(change=plan.id, at=AT, step=0),
        Written(change=plan.id, at=AT, step=0, generation=3, resource_version="77"),
        Seen(change=plan.id, at=AT, step=0, truth="loaded", is_met=None, text="nobody tells"),
        Ended(change=plan.id, at=AT + timedelta(seconds=9), verdict=Verdict.ROLLED_BACK, text="worse"),
    ]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "gwtui" / "changes.jsonl"


def test_what_is_appended_comes_back_equal_and_in_order(path: Path):
    journal = FileJournal(path)
    assert journal.entries() == ()
    assert not path.parent.exists(), "reading makes nothing"
    entries = every_kind()
    for number, entry in enumerate(entries, 1):
        journal.append(entry)
        assert journal.entries() == tuple(entries[:number])
    assert FileJournal(path).entries() == tuple(entries)
    assert journal.unread == 0
    assert [change.verdict for change in changes(FileJournal(path).entries())] == [Verdict.ROLLED_BACK]


def test_each_entry_is_one_line_of_json_that_names_its_kind(path: Path):
    journal = FileJournal(path)
    for entry in every_kind():
        journal.append(entry)
    lines = path.read_bytes().split(b"\n")
    assert lines.pop() == b""
    assert [json.loads(line)["type"] for line in lines] == ["opened", "writing", "written", "seen", "ended"]


def test_it_is_private_and_not_logged(path: Path, caplog: pytest.LogCaptureFixture):
    old = os.umask(0)
    try:
        with caplog.at_level(logging.DEBUG):
            FileJournal(path).append(every_kind()[0])
            FileJournal(path).entries()
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert caplog.records == []
    path.chmod(0o644)
    FileJournal(path).append(note(1))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_it_is_in_the_state_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert journal_path() == tmp_path / "gwtui" / "changes.jsonl" or sys.platform != "linux"


def test_every_entry_is_on_the_disk_before_append_returns(path: Path, monkeypatch: pytest.MonkeyPatch):
    synced = []
    fsync = os.fsync

    def watched(file):
        number = file if isinstance(file, int) else file.fileno()
        synced.append((os.fstat(number).st_ino, os.fstat(number).st_size))
        fsync(file)

    monkeypatch.setattr(os, "fsync", watched)
    journal = FileJournal(path)
    journal.append(note(0))
    of_file = [size for inode, size in synced if inode == path.stat().st_ino]
    assert of_file == [path.stat().st_size]
    assert {path.parent.stat().st_ino, path.parent.parent.stat().st_ino} <= {inode for inode, _ in synced}
    journal.append(note(1))
    assert (path.stat().st_ino, path.stat().st_size) == synced[-1]


def test_a_journal_that_cannot_be_written_is_refused_in_one_line(path: Path, monkeypatch: pytest.MonkeyPatch):
    journal = FileJournal(path)
    journal.append(note(0))
    before = path.read_bytes()

    def full(_file):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(Refused, match="No space left") as caught:
            journal.append(note(1))
    assert caught.value.hint
    assert path.read_bytes() == before, "what was not acknowledged is not there"
    journal.append(note(2))
    assert journal.entries() == (note(0), note(2))
    path.parent.joinpath("file").write_text("")
    with pytest.raises(Refused, match="cannot be written"):
        FileJournal(path.parent / "file" / "changes.jsonl").append(note(0))
    with pytest.raises(Refused, match="cannot be read"):
        FileJournal(path.parent).entries()


def test_a_process_that_holds_the_file_for_ever_is_named(path: Path, monkeypatch: pytest.MonkeyPatch):
    import fcntl  # noqa: PLC0415

    FileJournal(path).append(note(0))
    monkeypatch.setattr("gwtui.adapters.journal.file.LOCK_ATTEMPTS", 3)
    with path.open() as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(Refused, match="held by another process"):
            FileJournal(path).append(note(1))
    FileJournal(path).append(note(2))
    assert FileJournal(path).entries() == (note(0), note(2))


def test_what_a_newer_gwtui_wrote_is_skipped_and_counted(path: Path):
    journal = FileJournal(path)
    journal.append(note(0))
    with path.open("ab") as file:
        file.write(b'{"type":"approved","change":"c","at":"2026-01-01T00:00:00Z"}\n')
        file.write(b'{"type":"ended","change":"c","at":"2026-01-01T00:00:00Z","verdict":"forgotten"}\n')
    journal.append(note(1))
    more = json.loads(path.read_bytes().split(b"\n")[0]) | {"step": 2, "colour": "red"}
    with path.open("ab") as file:
        file.write(json.dumps(more).encode() + b"\n")
    assert journal.entries() == (note(0), note(1), note(2))
    assert journal.unread == 2
    assert journal.entries() == (note(0), note(1), note(2))
    assert journal.unread == 2


def test_a_file_that_was_replaced_or_removed_is_read_anew(path: Path):
    journal = FileJournal(path)
    for number in range(5):
        journal.append(note(number))
    assert len(journal.entries()) == 5
    kept = path.read_bytes()
    path.unlink()
    assert journal.entries() == ()
    path.write_bytes(kept[: len(kept) // 5])
    assert journal.entries() == (note(0),)
    journal.append(note(9))
    assert journal.entries() == (note(0), note(9))


NUMBERS = count()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(st.text(max_size=40), min_size=1, max_size=5),
    cut=st.integers(min_value=0),
    tail=st.sampled_from([b"", b"\0" * 7, b"\xff\xfe", b'{"type":"se', b"}{"]),
)
def test_a_torn_end_loses_nothing_before_it_and_is_healed(tmp_path: Path, texts: list[str], cut: int, tail: bytes):
    path = tmp_path / f"{next(NUMBERS)}.jsonl"
    journal = FileJournal(path)
    entries, ends = [], [0]
    for number, text in enumerate(texts):
        entries.append(note(number, text))
        journal.append(entries[-1])
        ends.append(path.stat().st_size)
    left = cut % (ends[-1] + 1)
    os.truncate(path, left)
    with path.open("ab") as file:
        file.write(tail)
    whole = [entry for entry, end in zip(entries, ends[1:], strict=True) if end <= left]
    assert FileJournal(path).entries() == tuple(whole)
    FileJournal(path).append(note(99))
    found = FileJournal(path).entries()
    # A line that lost nothing but its end of line is whole again.
    assert found[: len(whole)] == tuple(whole)
    assert found[-1] == note(99)
    assert found[len(whole) : -1] in ((), tuple(entries[len(whole) : len(whole) + 1]))
    journal.append(note(100))
    assert journal.entries() == (*found, note(100)), "also for who read it before"


WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from gwtui.adapters.journal import FileJournal
from gwtui.changes.journal import Seen

journal, name, count = FileJournal(Path(sys.argv[1])), sys.argv[2], int(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
for number in range(count):
    journal.append(Seen(change=name, at=datetime.now(UTC), step=number, truth="stored", is_met=True, text="x" * 5000))
    print(number, flush=True)
"""


def start_writer(path: Path, name: str, number: int) -> subprocess.Popen[str]:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    return subprocess.Popen([sys.executable, "-c", WRITER, str(path), name, str(number)], text=True, **pipes)


def go(writer: subprocess.Popen[str]) -> None:
    assert writer.stdout is not None
    assert writer.stdin is not None
    assert writer.stdout.readline() == "ready\n"
    writer.stdin.write("\n")
    writer.stdin.flush()


def test_kill_9_of_writers_leaves_every_acknowledged_entry(path: Path):
    """Three writers at once, each killed at a random moment, one after the other."""
    writers = {name: start_writer(path, name, 100_000) for name in "abc"}
    for writer in writers.values():
        go(writer)
    for name, writer in writers.items():
        assert writer.stdout is not None
        told = []
        for _ in range(random.randrange(1, 20)):
            assert select.select([writer.stdout], [], [], 30)[0]
            told.append(writer.stdout.readline())
        writer.send_signal(signal.SIGKILL)
        told += writer.stdout.readlines()
        writer.communicate()
        acknowledged = [int(line) for line in told if line.endswith("\n")]
        seen = [entry.step for entry in FileJournal(path).entries() if entry.change == name]
        assert seen == list(range(len(seen)))
        assert seen[: len(acknowledged)] == acknowledged
    journal = FileJournal(path)
    before = journal.entries()
    journal.append(note(1))
    assert FileJournal(path).entries() == (*before, note(1))
    assert journal.unread == 0


def test_two_processes_may_append_at_once(path: Path):
    writers = {name: start_writer(path, name, 60) for name in "ab"}
    for writer in writers.values():
        go(writer)
    for writer in writers.values():
        writer.communicate(timeout=60)
        assert writer.returncode == 0
    entries = FileJournal(path).entries()
    assert len(entries) == 120
    for name in writers:
        assert [entry.step for entry in entries if entry.change == name] == list(range(60))


def test_a_long_journal_is_read_once(path: Path):
    FileJournal(path).append(every_kind()[0])
    line = path.read_bytes()
    path.write_bytes(line * 10_000)
    journal = FileJournal(path)
    assert len(journal.entries()) == 10_000
    first = journal.entries()[0]
    journal.append(note(1))
    assert len(journal.entries()) == 10_001
    assert journal.entries()[0] is first, "what was read is kept"


def test_plans_are_kept_under_their_id(path: Path):
    journal = FileJournal(path)
    plan = plan_of(writing(KEY))
    journal.append(Opened(change=plan.id, at=AT, plan=plan, who="jane"))
    assert changes(journal.entries())[0].plan == plan


def test_while_nothing_is_appended_nothing_is_made_anew(path: Path):
    journal = FileJournal(path)
    journal.append(note(0))
    read = journal.entries()
    assert journal.entries() is read
    FileJournal(path).append(note(1))
    assert journal.entries() == (*read, note(1))
