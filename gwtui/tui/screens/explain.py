"""Where does this request go: a line to type or paste it into, and the answer below."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Callable, Coroutine
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input
from textual.worker import get_current_worker

from gwtui.engine.explaining import with_loaded_answers
from gwtui.errors import GwtuiError
from gwtui.explain.asking import question_of
from gwtui.explain.course import Explanation
from gwtui.explain.entries import Question, explained
from gwtui.explain.request import line_of, request_of
from gwtui.model.snapshot import Snapshot
from gwtui.tui.keymap import bindings
from gwtui.tui.screens.reading import ReadingScreen
from gwtui.tui.widgets.painted import LinesView
from gwtui.tui.widgets.request_line import RequestLine
from gwtui.views import text
from gwtui.views.explain import explanation_lines
from gwtui.views.explain_beginnings import Beginning, first_line
from gwtui.views.explain_terrain import terrains_of
from gwtui.views.failure import failure
from gwtui.views.spans import Role, Span, line, wrapped

NOTHING_ASKED = "type a URL, or paste what a browser copies as curl; enter explains"


class ExplainScreen(ReadingScreen):
    """Asks for a request and tells its way. Everything is found out in threads: no key waits for it."""

    BINDINGS = bindings("explain")
    CSS_PATH = "explain.tcss"
    AUTO_FOCUS = "#request"
    SUBTITLE: ClassVar[str] = "enter explains · tab to the answer and back · esc closes"

    def __init__(self, about: Beginning = "") -> None:
        """Open the window.

        Args:
            about: the line to begin with, or what a request is to be found for.
        """
        super().__init__(" Explain: where does this request go ")
        self._about = about
        self._found: Explanation | None = None
        self._failed: GwtuiError | None = None
        self._state = ""
        """What is being done; empty when nothing is."""

    def compose(self) -> ComposeResult:
        """The frame with the line to type into, and the answer."""
        with Vertical(id="panel") as panel:
            panel.border_title = self._title
            panel.border_subtitle = self.SUBTITLE
            yield RequestLine(self._about if isinstance(self._about, str) else "")
            yield LinesView(id="lines")

    def on_mount(self) -> None:
        """Begin with what it was asked of."""
        if self._about:
            self._work("looking for a request …", self._begin)
        else:
            self._repaint()

    def on_resize(self) -> None:
        """Another width has other lines."""
        self.call_after_refresh(self._repaint)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._ask()

    def action_beside(self) -> None:
        """From the line to the answer, or back."""
        # At once: what is typed after the key belongs to where it leads.
        self.set_focus(self._view if self._line.has_focus else self._line)

    def action_edit(self) -> None:
        """Go to the line with the request."""
        self.set_focus(self._line)

    def action_again(self) -> None:
        """Explain the same request now."""
        self._ask()

    def action_follow(self) -> None:
        """Explain what a client asks for next that follows a redirect."""
        found = self._found
        ends = [end for course in found.courses for _, _, _, end in course.first.ends] if found is not None else []
        location = next((end.location for end in ends if end.location), "")
        if location:
            self._line.value = line_of(request_of(shlex.quote(location)))
            self._ask()
        else:
            self.console_app.say("this request is not redirected")

    def _ask(self) -> None:
        try:
            question = question_of(self._line.value)
        except GwtuiError as error:
            self.workers.cancel_group(self, "explain")
            self._found, self._failed, self._state = None, error, ""
            self._repaint()
            return
        self._work("explaining …", lambda: self._explain(question))

    def _work(self, state: str, job: Callable[[], Coroutine[None, None, None]]) -> None:
        self._state, self._failed = state, None
        self._repaint()
        self.run_worker(self._guarded(job), group="explain", exclusive=True, exit_on_error=False)

    async def _guarded(self, job: Callable[[], Coroutine[None, None, None]]) -> None:
        """Do something, and say so when it fails: a defect of ours is not to look like work under way."""
        try:
            await job()
        except GwtuiError as error:
            self._found, self._failed = None, error
        except Exception as defect:
            self._found, self._failed = None, GwtuiError(f"a defect of ours: {defect!r}", "ask something else")
            raise
        finally:
            if not get_current_worker().is_cancelled:
                self._state = ""
                self._repaint()

    async def _begin(self) -> None:
        """Find a request for what it was asked of, and explain it; what was typed meanwhile stays."""
        snapshot = self.console_app.scene.snapshot
        found = await asyncio.to_thread(lambda: first_line(terrains_of(snapshot), self._about))
        if not self._line.value:
            self._line.value = found
            self._line.cursor_position = len(found)
        if self._line.value:
            await self._explain(question_of(self._line.value))

    async def _explain(self, question: Question) -> None:
        snapshot = self.console_app.scene.snapshot
        self._found = await asyncio.to_thread(lambda: explained(terrains_of(snapshot), question))
        self._state = f"asking {text.plural(self._proxies, 'proxy', 'proxies')} what they hold …"
        self._repaint()
        self._found = await self._loaded(self._found, snapshot)

    async def _loaded(self, found: Explanation, snapshot: Snapshot) -> Explanation:
        """The answer with that of the proxies; as it is where there is nobody to ask them."""
        try:
            pages = self.console_app.attention.pages
        except GwtuiError:
            return found
        return await with_loaded_answers(found, pages.config, snapshot)

    @property
    def _proxies(self) -> int:
        return len({proxy for course in self._found.courses for proxy in course.proxies}) if self._found else 0

    def _repaint(self) -> None:
        if not self.query("#lines"):
            return
        cells = max(30, self._view.size.width - 1)
        self.query_one("#panel").border_subtitle = self._state or self.SUBTITLE
        if self._failed is not None:
            self._view.show([part for each in failure(self._failed) for part in wrapped(each, cells, 4)])
        elif self._found is not None:
            self._view.show(explanation_lines(self._found, cells, asked=self._line.value))
        else:
            self._view.show(() if self._state else (line(Span(NOTHING_ASKED, Role.DIM)),))

    @property
    def _line(self) -> RequestLine:
        return self.query_one("#request", RequestLine)
