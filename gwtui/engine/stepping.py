"""A step that ends the plan it belongs to."""

from __future__ import annotations

from gwtui.changes.plan import Verdict


class StepFailed(Exception):
    """A step could not be carried out, or was not seen in force.

    Args:
        verdict: of the whole plan: `REFUSED` where nothing of the step was done.
        text: why, for the journal.
    """

    def __init__(self, verdict: Verdict, text: str) -> None:
        super().__init__(text)
        self.verdict = verdict
        self.text = text
