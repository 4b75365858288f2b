"""The log file: JSON lines in the user's state folder. Never on the screen, never a secret."""

from __future__ import annotations

import json
import logging
import os
import traceback
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path

STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
MAX_BYTES = 5_000_000


def log_path() -> Path:
    """Return the log file's path; its folder exists and is private."""
    from platformdirs import user_log_path  # noqa: PLC0415 - not needed for --help

    folder = user_log_path("gwtui")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder / "gwtui.log"


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, event and the fields given as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line. Of an exception only type, text and places are kept, never the values of locals."""
        fields = {name: str(value) for name, value in vars(record).items() if name not in STANDARD}
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **fields,
        }
        if record.exc_info and record.exc_info[0]:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def start() -> None:
    """Send gwtui's own log records to the log file. A folder that cannot be written switches logging off."""
    root = logging.getLogger("gwtui")
    root.propagate = False
    root.setLevel(logging.INFO)
    try:
        handler: logging.Handler = RotatingFileHandler(log_path(), maxBytes=MAX_BYTES, backupCount=2, delay=True)
    except OSError:
        handler = logging.NullHandler()
    handler.setFormatter(JsonLines())
    root.addHandler(handler)


def keep_crash(error: BaseException) -> str:
    """Write the traceback of a defect of ours to a file of its own and return the file's path."""
    try:
        path = log_path().with_name("crash.log")
        text = "".join(traceback.format_exception(error))
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8") as file:
            file.write(f"{datetime.now(UTC).isoformat()}\n{text}\n")
    except OSError as refused:
        return f"nothing: the log folder cannot be written ({refused.strerror})"
    return str(path)
