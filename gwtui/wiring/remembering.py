"""`gwtui changes`: the journal, read without connecting to anything."""

from __future__ import annotations

import json

from gwtui.adapters.journal import FileJournal, journal_path
from gwtui.changes.journal import changes
from gwtui.errors import Exit
from gwtui.views.change_document import change_document
from gwtui.views.change_table import changes_table, patch_of_plan, timeline
from gwtui.wiring.changes import one_of


def run(*, change: str, output: str) -> int:
    """Print all changes, or one.

    Raises:
        UsageError: there is no such change.
    """
    found = changes(FileJournal(journal_path()).entries())
    if change:
        found = (one_of(found, change),)
    if output == "json":
        documents = [change_document(each) for each in found]
        print(json.dumps(documents[0] if change else documents, indent=2))
    elif output == "markdown":
        print("\n".join(timeline(each) for each in found), end="")
    elif output == "patch":
        print("".join(patch_of_plan(each.plan) for each in found), end="")
    else:
        print(changes_table(found), end="")
    return Exit.OK
