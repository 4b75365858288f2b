"""The editor of one route: a draft that is checked at every change, and becomes a plan; nothing here writes."""

from __future__ import annotations

from collections.abc import Callable

from textual import on
from textual.worker import get_current_worker

from gwtui.changes import drafting, edits
from gwtui.changes.documents import as_yaml, same_content
from gwtui.changes.drafting import TEMPLATES, Part, Spot
from gwtui.changes.plan import Document
from gwtui.errors import GwtuiError
from gwtui.external_editor import edit
from gwtui.model.ids import ObjectKey
from gwtui.tui.keymap import bindings
from gwtui.tui.screens.console import ConsoleScreen
from gwtui.tui.widgets.page_view import PageView
from gwtui.tui.widgets.prompt import Prompt
from gwtui.views.failure import failure
from gwtui.views.proxy.page import Page, text_page
from gwtui.views.route_editor import editor_page
from gwtui.views.scene import Scene
from gwtui.views.spans import BLANK, Line, Role, Span, line

VALUE = "value"
"""The kind of prompt a value is typed into."""

STEP = 10
"""By how much one key shifts a weight."""

ADDED = {
    Part.HOSTNAME: "new.test",
    Part.MATCH: "{path: {type: PathPrefix, value: /}}",
    Part.FILTER: "header",
    Part.BACKEND_FILTER: "header",
    Part.BACKEND: "{name: service, port: 80, weight: 0}",
    Part.TIMEOUT: "10s",
    Part.RULE: "{matches: [{path: {type: PathPrefix, value: /}}], backendRefs: [{name: service, port: 80}]}",
}
"""What the prompt begins with when something is added."""


class RouteEditorScreen(ConsoleScreen):
    """One route as a list of things to change."""

    BINDINGS = bindings("editor")
    MODE = "routes"

    def __init__(self, key: ObjectKey, rule: int = 0) -> None:
        """Open the editor.

        Args:
            key: the route.
            rule: position of the rule the cursor begins at.
        """
        super().__init__()
        self._key = key
        self._rule = rule
        self._base: Document | None = None
        self._wanted: Document | None = None
        self._past: list[Document] = []
        self._keeps_sum = True
        self._failure: GwtuiError | None = None
        self._pending: tuple[Spot, bool] | None = None
        self._shown = Page()
        """The page as it was made last, and what it was made of."""
        self._made_of: tuple[object, ...] = (None, None, None)
        self._looks: tuple[bool, int] | None = None

    def body(self) -> PageView:
        """The list."""
        return PageView(id="body")

    def on_mount(self) -> None:
        """Read the object, or take up the draft that was left."""
        super().on_mount()
        self.run_worker(self._load(), group="editor", exclusive=True, exit_on_error=False)

    def show(self, scene: Scene) -> None:
        """Paint the draft."""
        del scene  # a draft does not follow the fleet
        cells = max(20, self._view.size.width - 2)
        made_of, looks = (self._base, self._wanted, self._failure), (self._keeps_sum, cells)
        # Checking and comparing a large route takes some milliseconds: not with every repaint.
        if looks != self._looks or any(now is not was for now, was in zip(made_of, self._made_of, strict=True)):
            self._shown, self._made_of, self._looks = self._page(cells), made_of, looks
        self._view.show(self._shown, self._key)

    def scope_line(self) -> Line:
        """What is edited."""
        return line(
            Span("editing ", Role.DIM),
            Span(str(self._key), Role.STRONG),
            Span("  nothing is written before its plan is confirmed", Role.DIM),
        )

    def selection_line(self) -> Line:
        """The chosen thing in full, and what is forbidden about it."""
        chosen = self._view.selected
        return self._shown.story_of(chosen) if isinstance(chosen, Spot) and self._wanted else BLANK

    def lift_limit(self) -> bool:
        """There is nothing that limits a draft."""
        return False

    def action_shift(self, by: int) -> None:
        """Shift the weight of the chosen backend."""
        spot = self._spot
        if spot is None or spot.part is not Part.BACKEND:
            self.console_app.say("weights belong to backends: choose one")
            return
        self._edit(
            lambda draft: edits.shift_weight(draft, spot.rule, spot.position, by * STEP, keeps_sum=self._keeps_sum)
        )

    def action_sum(self) -> None:
        """Let shifts keep the sum of a rule's weights, or not."""
        self._keeps_sum = not self._keeps_sum
        self.repaint()

    async def action_value(self) -> None:
        """Type another value for the chosen thing."""
        spot, draft = self._spot, self._wanted
        if spot is not None and draft is not None:
            await self._ask(spot, drafting.typed_form(drafting.value_at(draft, spot)), is_new=False)

    async def action_add(self, part: str = "") -> None:
        """Add one more of what is chosen, or of another kind to the chosen rule."""
        if self._wanted is None:
            return
        spot = self._spot
        wanted = Part(part) if part else spot.part if spot else Part.HOSTNAME
        rule = spot.rule if spot and spot.rule >= 0 else 0
        target = spot if spot and spot.part is wanted else Spot(wanted, rule, 0)
        await self._ask(target, ADDED[wanted], is_new=True)

    def action_remove(self) -> None:
        """Take the chosen thing out."""
        spot = self._spot
        if spot is not None:
            self._edit(lambda draft: drafting.removed(draft, spot))

    def action_shove(self, by: int) -> None:
        """Move the chosen rule or backend among its siblings."""
        spot, draft = self._spot, self._wanted
        if spot is None or draft is None:
            return
        try:
            moved, place = drafting.moved(draft, spot, by)
        except GwtuiError as error:
            self.console_app.say(error.line())
            return
        self._take(moved)
        self._view.select(place)

    def action_copy(self) -> None:
        """Copy the chosen rule."""
        spot = self._spot
        if spot is not None and spot.rule >= 0:
            self._edit(lambda draft: edits.copy_rule(draft, spot.rule))

    def action_undo(self) -> None:
        """Take the last change of the draft back."""
        if self._past:
            self._wanted = self._past.pop()
            self._keep()
            self.repaint()
        else:
            self.console_app.say("nothing to take back in this draft")

    def action_whole(self) -> None:
        """Edit the whole object in the operator's own editor."""
        draft = self._wanted
        if draft is None:
            return
        try:
            with self.app.suspend():
                wanted = edit(as_yaml(draft), lambda typed: drafting.whole(draft, typed))
        except GwtuiError as error:
            self.notify(error.line(), severity="warning", markup=False, timeout=10)
            return
        self._take(wanted)

    def action_plan(self) -> None:
        """Make a plan of the draft."""
        base, wanted = self._base, self._wanted
        if base is None or wanted is None:
            return
        if same_content(base, wanted):
            self.console_app.say("nothing is changed yet")
            return
        changes = self.console_app.changes
        self.console_app.open_plan(
            f" {self._key} ", lambda: changes.plan(self._key, base, wanted), written=self._written
        )

    def action_discard(self) -> None:
        """Forget the draft."""
        if self._base is not None:
            self._past.clear()
            self._wanted = self._base
            self._keep()
            self.repaint()
            self.console_app.say("the draft is forgotten")

    @on(Prompt.Entered)
    def _entered(self, event: Prompt.Entered) -> None:
        pending, self._pending = self._pending, None
        if pending is not None and event.kind == VALUE:
            spot, is_new = pending
            act = drafting.added if is_new else drafting.changed
            self._edit(lambda draft: act(draft, spot, event.text))
            self.call_after_refresh(self.repaint)  # the prompt's keys are gone by then

    @on(Prompt.Left)
    def _given_up(self) -> None:
        self._pending = None

    @on(PageView.Moved)
    def _moved(self) -> None:
        self.paint_foot(self.console_app.scene)

    @on(PageView.Opened)
    async def _opened(self) -> None:
        await self.action_value()

    async def _load(self) -> None:
        changes = self.console_app.changes
        try:
            kept = changes.draft(self._key)
            self._base, self._wanted = kept or (await changes.read(self._key),) * 2
        except GwtuiError as error:
            self._failure = error
        if get_current_worker().is_cancelled:
            return
        self.repaint()
        if self._wanted is not None:
            first = next(
                (
                    spot
                    for spot in drafting.spots(self._wanted)
                    if spot.part is Part.BACKEND and spot.rule == self._rule
                ),
                None,
            )
            if first is not None:
                self._view.select(first)
            if kept is not None:
                self.console_app.say("the draft that was left here; D forgets it")

    async def _ask(self, spot: Spot, typed: str, *, is_new: bool) -> None:
        self._pending = spot, is_new
        words = [*TEMPLATES] if spot.part in (Part.FILTER, Part.BACKEND_FILTER) else []
        placeholder = f"{'new ' if is_new else ''}{spot.part}; enter takes it, esc leaves it"
        await self._open_prompt(Prompt(VALUE, typed, words=words, placeholder=placeholder))

    def _edit(self, change: Callable[[Document], Document]) -> None:
        if self._wanted is None:
            return
        try:
            wanted = change(self._wanted)
        except GwtuiError as error:
            self.notify(error.line(), severity="warning", markup=False)
            return
        self._take(wanted)

    def _take(self, wanted: Document) -> None:
        if self._wanted is not None:
            self._past.append(self._wanted)
        self._wanted = wanted
        self._keep()
        self.repaint()

    def _keep(self) -> None:
        base, wanted = self._base, self._wanted
        if base is None or wanted is None:
            return
        try:
            self.console_app.changes.keep_draft(self._key, base, None if same_content(base, wanted) else wanted)
        except GwtuiError as error:
            self.notify(error.line(), severity="warning", markup=False)

    def _written(self) -> None:
        """The draft became a change: what it was made from is the past."""
        self.console_app.changes.keep_draft(self._key, self._base or {}, None)
        self._past.clear()
        if self.is_mounted and self.is_attached:
            self.run_worker(self._load(), group="editor", exclusive=True, exit_on_error=False)

    def _page(self, cells: int) -> Page:
        if self._failure is not None:
            return text_page(failure(self._failure))
        if self._base is None or self._wanted is None:
            return text_page([line(Span(f"reading {self._key} …", Role.ACCENT))])
        return editor_page(self._base, self._wanted, cells, keeps_sum=self._keeps_sum)

    @property
    def _spot(self) -> Spot | None:
        chosen = self._view.selected
        return chosen if isinstance(chosen, Spot) else None

    @property
    def _view(self) -> PageView:
        return self.query_one("#body", PageView)
