"""How the operator steers a drain that is under way: flags that whoever carries it out looks at."""

from __future__ import annotations

from enum import StrEnum


class OnDeadline(StrEnum):
    """What becomes of a drain whose deadline is over while something is still under way."""

    ASK = "ask"
    """It waits on, and tells that it is overdue, until the operator decides."""
    KEEP = "keep"
    """It ends unverified and stays in force: what is under way runs on."""
    ABORT = "abort"
    """It is taken back."""


class Steering:
    """What the operator wants of a drain that is under way.

    Args:
        on_deadline: what becomes of it when its deadline is over.
    """

    def __init__(self, *, on_deadline: OnDeadline = OnDeadline.KEEP) -> None:
        self.on_deadline = on_deadline
        self.is_held = False
        """Whether nothing goes on for now: no stage ends, no deadline runs."""
        self.is_fast = False
        """Whether no stage is watched for its bake time any more."""
        self.is_aborted = False
        self.extra_s = 0.0
        """Seconds that were added to the deadline."""
        self._goes_on = False

    def hold(self) -> None:
        """Let nothing go on. What is being written is written whole."""
        self.is_held = True

    def go_on(self) -> None:
        """End the hold."""
        self.is_held = False

    def next_stage(self) -> None:
        """Leave the present bake or wait at once, seen or not; while it is held, for this one stage."""
        self._goes_on = True

    def faster(self) -> None:
        """Leave out all bakes from now on."""
        self.is_fast = True

    def abort(self) -> None:
        """Take everything back."""
        self.is_aborted = True

    def extend(self, seconds: float) -> None:
        """Wait longer before the deadline is over.

        Args:
            seconds: how much longer.
        """
        self.extra_s += seconds

    def takes_next(self) -> bool:
        """Whether the present stage is to be left; told once."""
        was, self._goes_on = self._goes_on, False
        return was
