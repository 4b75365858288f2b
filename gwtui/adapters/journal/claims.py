"""Who carries out which change: one locked file per change, gone when it is done or its process is."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from io import FileIO
from pathlib import Path

import msgspec

from gwtui.adapters.journal.locked import is_at, open_private, try_lock
from gwtui.errors import Refused

ATTEMPTS = 20
"""How often a file that was removed between opening and locking it is opened anew."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*").fullmatch


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """The process that carries out a change."""

    pid: int
    since: datetime


@contextmanager
def claim(folder: Path, change: str, now: datetime) -> Iterator[None]:
    """Be the one who carries out a change, inside the block.

    Args:
        folder: where the files are.
        change: its id.
        now: told to whoever else wants to.

    Raises:
        Refused: another process carries it out, or the folder cannot be written.
    """
    if not _ID(change):
        raise Refused(f"{change!r} is no id of a change", "`gwtui changes` lists them")
    path = folder / f"{change}.lock"
    for _ in range(ATTEMPTS):
        with _open(path) as file:
            if not try_lock(file):
                raise Refused(_busy(change, file), "wait until it ends, or end that process")
            if not is_at(file, path):
                continue
            file.truncate(0)
            file.write(msgspec.json.encode(Holder(pid=os.getpid(), since=now)))
            try:
                yield
            finally:
                path.unlink(missing_ok=True)  # while it is locked: whoever opened it before looks again
            return
    raise Refused(f"change {change} is taken up again and again", "is another gwtui running?")


def _open(path: Path) -> FileIO:
    try:
        return open_private(path)
    except OSError as error:
        raise Refused(f"cannot write {path}: {error.strerror}", "make its folder yours") from error


def _busy(change: str, file: FileIO) -> str:
    try:
        holder = msgspec.json.decode(file.read(1000), type=Holder)
    except msgspec.DecodeError:  # it is about to say so
        return f"change {change} is under way in another process"
    return f"change {change} is under way in process {holder.pid} since {holder.since:%Y-%m-%d %H:%M:%S} UTC"
