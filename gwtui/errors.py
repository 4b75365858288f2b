"""Errors an operator may meet, each with a hint and an exit code.

GwtuiError                  message, hint, exit_code
├── UsageError              2   wrong arguments, unknown context, unreadable configuration
├── SourceError             3   a system we read from
│   ├── Unreachable         3   refused, timed out, TLS failure, gone
│   ├── Denied              4   401 or 403
│   ├── NotServed           3   404: this path or kind is not offered
│   └── BadPayload          3   truncated, too large, not what the protocol promises
├── Conflict                4   somebody else changed the object
├── Rejected                4   the server's validation is against it
└── Refused                 4   policy, rights or a known trap
"""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of every command, part of the command line contract."""

    OK = 0
    FINDINGS = 1
    USAGE = 2
    UNREACHABLE = 3
    REFUSED = 4
    UNVERIFIED = 5


class GwtuiError(Exception):
    """An error that is shown as one line: `message`, then what to try (`hint`)."""

    exit_code = Exit.UNREACHABLE

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def line(self) -> str:
        """The error as one line for stderr; line breaks in third-party texts become spaces."""
        text = f"{self.message}; {self.hint}" if self.hint else self.message
        return " ".join(text.split())


class UsageError(GwtuiError):
    """The command cannot be carried out as typed."""

    exit_code = Exit.USAGE


class SourceError(GwtuiError):
    """A system we read from did not answer as needed."""


class Unreachable(SourceError):
    """No answer: refused, timed out, reset, TLS failure."""


class Denied(SourceError):
    """The answer was 401 or 403."""

    exit_code = Exit.REFUSED

    def __init__(self, message: str, hint: str = "", *, status: int = 403) -> None:
        super().__init__(message, hint)
        self.status = status
        """401 (who are you) or 403 (you may not)."""


class NotServed(SourceError):
    """The server does not offer this path or kind (404), or the object is gone."""


class BadPayload(SourceError):
    """The answer was truncated, over the size limit, or not in the promised format."""


class Conflict(GwtuiError):
    """Somebody else changed the object since it was read, or owns the field. Nothing was written."""

    exit_code = Exit.REFUSED


class Rejected(GwtuiError):
    """The server's validation is against a write. Nothing was written."""

    exit_code = Exit.REFUSED


class Refused(GwtuiError):
    """We will not do this: policy, rights or a known trap."""

    exit_code = Exit.REFUSED
