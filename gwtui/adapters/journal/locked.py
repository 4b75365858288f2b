"""Private files that one process at a time may hold."""

from __future__ import annotations

import fcntl
import os
from io import FileIO
from pathlib import Path


def open_private(path: Path) -> FileIO:
    """Open a file to read and append, made where it is missing, readable by its owner alone. Closing it unlocks it.

    Raises:
        OSError: it cannot be had.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    file = FileIO(descriptor, "r+")
    os.fchmod(descriptor, 0o600)
    return file


def try_lock(file: FileIO) -> bool:
    """Lock an open file until it is closed, or its process ends; false when somebody else holds it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_at(file: FileIO, path: Path) -> bool:
    """Whether the path still leads to the open file: it may have been removed or replaced since."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def keep_names(folder: Path) -> None:
    """See to it that the names in a folder survive a loss of power, as its files do."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
