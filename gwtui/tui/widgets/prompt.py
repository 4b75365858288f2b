"""One line to type into: a filter while typing, or a command by name."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events, on
from textual.message import Message
from textual.suggester import SuggestFromList
from textual.widgets import Input

PLACEHOLDERS = {
    "filter": "filter: words that must occur, !word that must not; enter keeps, esc clears",
    "command": "command: map, proxies, sources, theme …",
}
"""By kind of prompt."""


class Prompt(Input):
    """A text field at the bottom of a screen. Escape leaves it without effect on anything else."""

    class Edited(Message):
        """The text changed."""

        def __init__(self, kind: str, text: str) -> None:
            super().__init__()
            self.kind = kind
            self.text = text

    class Entered(Edited):
        """The operator pressed enter."""

    class Left(Message):
        """The operator pressed escape."""

        def __init__(self, kind: str) -> None:
            super().__init__()
            self.kind = kind

    def __init__(self, kind: str, text: str = "", *, words: Sequence[str] = (), placeholder: str = "") -> None:
        """Open a prompt.

        Args:
            kind: `filter`, `command`, or what a screen calls its own.
            text: What stands in it at first.
            words: Words that are completed while typing; → takes the proposal.
            placeholder: Shown while nothing is typed, instead of what its kind says.
        """
        self.kind = kind
        super().__init__(
            text,
            placeholder=placeholder or PLACEHOLDERS.get(kind, ""),
            suggester=SuggestFromList(words) if words else None,
            select_on_focus=False,
            compact=True,
            id="prompt",
        )

    def on_key(self, event: events.Key) -> None:
        """Escape belongs to the prompt."""
        if event.key == "escape":
            event.stop()
            event.prevent_default()
            self.post_message(self.Left(self.kind))

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Edited(self.kind, event.value))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Entered(self.kind, event.value))
