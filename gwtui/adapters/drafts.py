"""Drafts of edits that were not made yet, one file each: they survive a crash and a conflict."""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

import msgspec

from gwtui.changes.plan import Document
from gwtui.errors import Refused
from gwtui.model.ids import ObjectKey


class _Draft(msgspec.Struct):
    key: ObjectKey
    base: Document
    wanted: Document


class FileDrafts:
    """Keeps drafts in a folder, readable by their owner alone.

    Args:
        folder: made when the first draft is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, key: ObjectKey) -> tuple[Document, Document] | None:
        """Return what the draft of an object was made from, and what is wished; None when there is none."""
        try:
            found = msgspec.json.decode(self._path(key).read_bytes(), type=_Draft)
        except (OSError, msgspec.DecodeError):
            return None
        return (found.base, found.wanted) if found.key == key else None

    def keep(self, key: ObjectKey, base: Document, wanted: Document) -> None:
        """Write a draft whole, or leave the one before as it is.

        Raises:
            Refused: it cannot be kept, with the reason.
        """
        path = self._path(key)
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            beside = path.with_suffix(f".{os.getpid()}")
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor with its mode from the start
                file.write(msgspec.json.encode(_Draft(key, base, wanted)))
            beside.replace(path)
        except OSError as error:
            raise Refused(
                f"the draft cannot be kept: {error}", "make room, or mend the rights of the folder"
            ) from error

    def drop(self, key: ObjectKey) -> None:
        """Forget the draft of an object, if there is one."""
        with contextlib.suppress(OSError):
            self._path(key).unlink()

    def _path(self, key: ObjectKey) -> Path:
        return self._folder / f"{hashlib.sha256('/'.join(key).encode()).hexdigest()[:24]}.json"
