"""The one door to a write: a plan is made, reviewed, confirmed by the name of what it changes, and followed."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from msgspec.structs import replace
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input
from textual.worker import get_current_worker

from gwtui.changes.guards import suggested
from gwtui.changes.journal import Change, Counted, Entry, Told, changes
from gwtui.changes.leasing import with_next_lease
from gwtui.changes.plan import Plan, Verdict
from gwtui.errors import GwtuiError
from gwtui.tui.keymap import bindings
from gwtui.tui.widgets.painted import LinesView
from gwtui.views.change_table import patch_of_plan
from gwtui.views.change_words import progress
from gwtui.views.failure import failure
from gwtui.views.plan_review import confirmation, confirms, plan_review
from gwtui.views.spans import Line, Role, Span, line

if TYPE_CHECKING:
    from gwtui.engine.steering import Steering
    from gwtui.tui.app import GwtuiApp


class PlanScreen(ModalScreen[None]):
    """Shows a plan and, once it is confirmed, what becomes of it."""

    BINDINGS = bindings("plan")
    CSS_PATH = "plan.tcss"
    SUBTITLE: ClassVar[str] = "esc cancel · tab reason · ctrl-t lease · ctrl-g guard · ctrl-s patch"

    def __init__(
        self,
        make: Callable[[], Awaitable[Plan]],
        run: Callable[[Plan, Steering | None], AsyncGenerator[Told, None]],
        *,
        title: str,
        written: Callable[[], None] = lambda: None,
    ) -> None:
        """Open the review.

        Args:
            make: makes the plan; asks the server for it.
            run: carries a confirmed plan out; one in stages is steered.
            title: shown until there is a plan.
            written: called once a change is in force, whether this screen is still open or not.
        """
        super().__init__()
        self._make = make
        self._run_plan = run
        self._title = title
        self._written = written
        self._plan: Plan | None = None
        self._entries: list[Entry] = []
        self._is_running = False

    def compose(self) -> ComposeResult:
        """The frame, the review, and the two fields."""
        with Vertical(id="panel") as panel:
            panel.border_title = self._title.replace("[", "\\[")
            panel.border_subtitle = self.SUBTITLE
            yield LinesView(id="lines")
            yield Input(placeholder="reason, kept with the change", id="reason", compact=True)
            yield Input(placeholder="…", id="confirm", compact=True, disabled=True)

    def on_mount(self) -> None:
        """Make the plan beside the keys."""
        self._show((line(Span("making the plan: reading the object, asking the server …", Role.ACCENT)),))
        self.run_worker(self._load(), group="plan", exclusive=True, exit_on_error=False)

    def on_resize(self) -> None:
        """Another width has other lines."""
        if not self._is_running:
            self.call_after_refresh(self._review)

    def action_lease(self) -> None:
        """Keep the change for another span of time."""
        if self._plan is not None and not self._is_running:
            self._plan = with_next_lease(self._plan)
            self._review()

    def action_guard(self) -> None:
        """Watch the affected gateways afterwards, or do not."""
        if self._plan is not None and not self._is_running:
            snapshot = cast("GwtuiApp", self.app).scene.snapshot
            self._plan = replace(self._plan, guard=None if self._plan.guard else suggested(snapshot, self._plan))
            self._review()

    def action_save(self) -> None:
        """Write the plan as a patch file for a pull request."""
        if self._plan is None:
            return
        patch = patch_of_plan(self._plan)
        if not patch:
            self._note("it changes no object: there is no patch to write")
            return
        path = Path(f"gwtui-{self._plan.id}.patch").absolute()
        try:
            path.write_text(patch, encoding="utf-8")
        except OSError as error:
            self._note(f"cannot write {path.name}: {error.strerror}")
            return
        self._note(f"written to {path.name}")

    def action_scroll(self, direction: int) -> None:
        """Scroll the review."""
        self._view.scroll_relative(y=3 * direction, animate=False)

    def action_leave(self) -> None:
        """Close; a change that is under way goes on."""
        self.dismiss()

    @on(Input.Submitted, "#confirm")
    def _confirmed(self, event: Input.Submitted) -> None:
        event.stop()
        plan = self._plan
        if plan is None or self._is_running or not plan.can_run:
            return
        if not confirms(plan, event.value):
            self._note(f"that is not {confirmation(plan)}: nothing was written")
            return
        self._plan = plan = replace(plan, reason=self.query_one("#reason", Input).value.strip())
        self._is_running = True
        if plan.stages:
            self._conduct(plan)
            return
        self._only_read()
        self._note("esc closes this window")
        # It belongs to the console, not to this window: closing the window does not stop it.
        self.app.run_worker(self._run(plan), group="changes", exit_on_error=False)

    @on(Input.Submitted, "#reason")
    def _reasoned(self, event: Input.Submitted) -> None:
        event.stop()
        self.query_one("#confirm", Input).focus()

    async def _load(self) -> None:
        try:
            plan = await self._make()
        except GwtuiError as error:
            self._show(failure(error))
            self._only_read()
            return
        if get_current_worker().is_cancelled:
            return
        self._plan = plan
        if plan.can_run:
            confirm = self.query_one("#confirm", Input)
            confirm.placeholder = f"type  {confirmation(plan)}  to apply"
            confirm.disabled = False
            confirm.focus()
        else:
            self._only_read()
        self._review()

    def _conduct(self, plan: Plan) -> None:
        """Follow a plan in stages in the window made for that."""
        from gwtui.tui.screens.conductor import ConductorScreen  # noqa: PLC0415 - loaded when it is needed

        console = cast("GwtuiApp", self.app)
        running = console.drains.start(plan, self._run_plan, self._written)
        self.dismiss()
        console.call_later(console.push_screen, ConductorScreen(running))

    async def _run(self, plan: Plan) -> None:
        try:
            async with aclosing(self._run_plan(plan, None)) as events:
                async for event in events:
                    if not isinstance(event, Counted):
                        self._entries.append(event)
                        self._follow()
        except GwtuiError as error:
            if self._is_open:
                self._show(failure(error))
            self._tell(f"{plan.title}: {error.line()}", is_bad=True)
            return
        change = self._change()
        if change is not None:
            told = f"{plan.title}: {change.verdict}{': ' if change.text else ''}{change.text}"
            self._tell(told, is_bad=change.verdict is not Verdict.VERIFIED)
            if change.applied:
                self._written()

    def _tell(self, told: str, *, is_bad: bool) -> None:
        """Say how it ended, where this window does not."""
        if not self._is_open:
            console = cast("GwtuiApp", self.app)
            console.notify(told, severity="warning" if is_bad else "information", timeout=15, markup=False)

    def _follow(self) -> None:
        change = self._change()
        if change is not None and self._is_open:
            self._show(progress(change, self._cells))

    def _change(self) -> Change | None:
        plan = self._plan
        return next((each for each in changes(self._entries) if plan is not None and each.id == plan.id), None)

    def _only_read(self) -> None:
        """There is nothing to type any more."""
        for field in self.query(Input):
            field.display = False
        self.set_focus(self._view)

    def _review(self) -> None:
        plan = self._plan
        if plan is not None:
            panel = self.query_one("#panel")
            review = plan_review(plan, self._cells)
            more = " · ↓ more below" if len(review) > self._view.size.height else ""
            panel.border_title = f" {plan.title} · {plan.cluster}{more} ".replace("[", "\\[")
            self._show(review)

    def _note(self, words: str) -> None:
        """Say something where the keys stand, until the next thing is to be said."""
        self.query_one("#panel").border_subtitle = words.replace("[", "\\[")

    def _show(self, lines: tuple[Line, ...]) -> None:
        self._view.show(lines)

    @property
    def _is_open(self) -> bool:
        return self.is_mounted and self.is_attached and bool(self.query("#lines"))

    @property
    def _cells(self) -> int:
        return max(40, self._view.size.width - 1)

    @property
    def _view(self) -> LinesView:
        return self.query_one("#lines", LinesView)
