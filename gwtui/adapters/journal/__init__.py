"""The journal of changes, as a file.

Remit
    Keeps entries on the disk before anything they tell of is sent, reads them back after any crash, and says which
    process carries out a change. What a route's headers hold is kept as it is, since taking a change back needs it:
    the file is private, and nothing of it is logged.
Allowed imports
    The standard library, msgspec, platformdirs, `gwtui.changes`, `gwtui.collector`, `gwtui.errors`,
    `gwtui.ports`.
Entry points
    `FileJournal`, `journal_path`.
"""

from gwtui.adapters.journal.file import FileJournal, journal_path

__all__ = ["FileJournal", "journal_path"]
