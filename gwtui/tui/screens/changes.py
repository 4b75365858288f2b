"""What was changed: the journal, live, with what can be taken back or taken up."""

from __future__ import annotations

from textual import on

from gwtui.changes.journal import Change
from gwtui.tui import dialogs
from gwtui.tui.keymap import bindings
from gwtui.tui.screens.console import ConsoleScreen
from gwtui.tui.widgets.live_table import LiveTable
from gwtui.views.changes import COLUMNS, ordered, row, story
from gwtui.views.scene import Scene
from gwtui.views.spans import Line, Role, Span
from gwtui.views.tables import Row


class ChangesScreen(ConsoleScreen):
    """A live table of changes."""

    BINDINGS = bindings("changes")
    MODE = "changes"

    def __init__(self) -> None:
        super().__init__()
        self._changes: dict[str, Change] = {}

    def body(self) -> LiveTable[str]:
        """The table."""
        return LiveTable[str](id="body", moved=self._moved)

    def show(self, scene: Scene) -> None:
        """Paint the changes that are remembered."""
        found = ordered(self.console_app.remembered(), self.pattern)
        self._changes = by_id = {each.id: each for each in found}

        def row_of(id_: str) -> Row:
            return row(by_id[id_], scene.now)

        self._table.show(COLUMNS, list(by_id), row_of, sorted_by="")

    def selection_line(self) -> Line:
        """The selected change by its id and with its reason; the title may be cut in the table."""
        chosen = self._selected
        if chosen is None:
            return (Span("no change is remembered yet", Role.DIM),)
        return story(chosen, self.console_app.scene.now)

    def nothing_matches(self) -> bool:
        """Whether the filter leaves no row."""
        return bool(self.pattern) and not self._table.keys

    def action_undo(self) -> None:
        """Plan to take the selected change back."""
        if self._selected is not None:
            self.console_app.open_undo(self._selected)

    def action_resume(self) -> None:
        """Take up the selected change where it was cut off."""
        chosen = self._selected
        if chosen is None:
            return
        if self.console_app.drains.show(chosen.id):
            return  # it is not cut off: it is carried out here
        if not chosen.is_cut_off:
            self.console_app.say(f"it is {chosen.verdict}: nothing to take up; z takes it back")
            return
        self.console_app.open_resume(chosen)

    def _moved(self) -> None:
        self.paint_selection()

    @on(LiveTable.Opened)
    def _opened(self) -> None:
        if self._selected is not None and not self.console_app.drains.show(self._selected.id):
            self.app.push_screen(dialogs.change(self._selected.id, self.console_app.remembered))

    @property
    def _selected(self) -> Change | None:
        return self._changes.get(self._table.selected or "")

    @property
    def _table(self) -> LiveTable[str]:
        return self.query_one("#body", LiveTable)
