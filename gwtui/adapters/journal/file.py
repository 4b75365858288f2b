"""The journal as a file of JSON lines: one entry each, appended whole and on the disk before `append` returns."""

from __future__ import annotations

import os
import time
from contextlib import AbstractContextManager
from datetime import datetime
from io import FileIO
from pathlib import Path

import msgspec

from gwtui.adapters.journal.claims import claim
from gwtui.adapters.journal.locked import is_at, keep_names, open_private, try_lock
from gwtui.changes.journal import Entry
from gwtui.collector import collector_paused
from gwtui.errors import Refused
from gwtui.ports import Journal

LOCK_ATTEMPTS = 500
LOCK_PAUSE_S = 0.01
"""Another process holds the file for one append, some milliseconds; one that is stopped meanwhile for ever."""


def journal_path() -> Path:
    """Return where the journal is kept: in the user's state folder."""
    from platformdirs import user_state_path  # noqa: PLC0415 - not needed for --help

    return user_state_path("gwtui") / "changes.jsonl"


class FileJournal(Journal):
    """A journal at a path. Several processes may append to it at once.

    Args:
        path: the file; made with the first entry.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._encoder = msgspec.json.Encoder()
        self._decoder: msgspec.json.Decoder[Entry] = msgspec.json.Decoder(Entry)
        self._read: tuple[Entry, ...] = ()
        self._read_to = 0
        """Bytes of the file that were read, all of them whole lines."""
        self._identity = (0, 0)
        """Of the file that was read: it may be replaced."""
        self.unread = 0
        """Lines that a newer gwtui wrote, as far as `entries` saw: what they tell is not known here."""

    def append(self, entry: Entry) -> None:
        """Write an entry and see it on the disk before returning; see `Journal.append`."""
        line = self._encoder.encode(entry) + b"\n"
        try:
            for _ in range(LOCK_ATTEMPTS):
                with open_private(self._path) as file:
                    if try_lock(file) and is_at(file, self._path):
                        self._write(file, line)
                        return
                time.sleep(LOCK_PAUSE_S)
        except OSError as error:
            raise Refused(
                f"the journal {self._path} cannot be written: {error.strerror or error}",
                "nothing is changed without it: make room, or make it yours",
            ) from error
        raise Refused(f"the journal {self._path} is held by another process", "is a gwtui stopped (ctrl-z)?")

    def entries(self) -> tuple[Entry, ...]:
        """Everything that was appended, oldest first; see `Journal.entries`.

        Read before is kept, and only what came since is read: while nothing came the same tuple is returned.

        Raises:
            Refused: it cannot be read.
        """
        try:
            with self._path.open("rb") as file:
                status = os.fstat(file.fileno())
                if (status.st_dev, status.st_ino) != self._identity or status.st_size < self._read_to:
                    self._identity = (status.st_dev, status.st_ino)
                    self._read, self._read_to, self.unread = (), 0, 0
                file.seek(self._read_to)
                fresh = file.read()
        except FileNotFoundError:
            self._identity, self._read, self._read_to, self.unread = (0, 0), (), 0, 0
            return ()
        except OSError as error:
            raise Refused(f"the journal {self._path} cannot be read: {error.strerror}", "make it yours") from error
        whole = fresh[: fresh.rfind(b"\n") + 1]
        with collector_paused():
            came = [entry for line in whole.split(b"\n")[:-1] if (entry := self._decoded(line)) is not None]
        if came:
            self._read = (*self._read, *came)
        self._read_to += len(whole)
        return self._read

    def claim(self, change: str, now: datetime) -> AbstractContextManager[None]:
        """Be the one process that carries out a change, inside the block; see `Journal.claim`."""
        return claim(self._path.with_name("changes-under-way"), change, now)

    def _write(self, file: FileIO, line: bytes) -> None:
        end = file.seek(0, os.SEEK_END)
        if end:
            file.seek(end - 1)
            if file.read(1) != b"\n":
                line = b"\n" + line  # what a crash tore stays alone on its line
        try:
            while line:  # in one piece, unless the disk is full
                line = line[file.write(line) :]
            os.fsync(file)
        except OSError:
            file.truncate(end)
            raise
        if not end:
            keep_names(self._path.parent)
            keep_names(self._path.parent.parent)

    def _decoded(self, line: bytes) -> Entry | None:
        try:
            return self._decoder.decode(line)
        except msgspec.ValidationError:
            self.unread += 1
        except (msgspec.DecodeError, UnicodeDecodeError):
            pass  # torn by a crash
        return None
