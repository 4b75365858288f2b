"""One line to type or paste a request into."""

from __future__ import annotations

import re

from textual import events
from textual.widgets import Input

_BREAKS = re.compile(r"\s*\\?[ \t]*[\r\n]+\s*")
"""The end of a line, with the backslash that lets a command go on. Terminals paste it as a carriage return."""


class RequestLine(Input):
    """A text field that takes a command of several lines: what browsers copy as curl is one."""

    def __init__(self, text: str = "") -> None:
        super().__init__(
            text,
            placeholder="GET https://HOST/PATH -H 'NAME: VALUE', or a pasted curl command",
            select_on_focus=False,
            compact=True,
            id="request",
        )

    def _on_paste(self, event: events.Paste) -> None:
        """Take a whole command in place of what stands here; anything else at the cursor."""
        event.stop()
        event.prevent_default()
        text = _BREAKS.sub(" ", event.text).strip()
        if text.split(" ", 1)[0] in {"curl", "curl.exe", "$"}:
            self.value = text
            self.cursor_position = len(text)
        elif text:
            self.replace(text, *self.selection)
