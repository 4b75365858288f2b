"""Every rule of every route, one row each, the worst first."""

from __future__ import annotations

from textual import on

from gwtui.tui.keymap import bindings
from gwtui.tui.screens.sorted_table import SortedTableScreen
from gwtui.tui.widgets.live_table import LiveTable
from gwtui.views.route_facts import RuleKey
from gwtui.views.route_survey import RuleRow, Survey, survey_of
from gwtui.views.routes import SORTS, columns, none_words, row, rows, story
from gwtui.views.scene import Scene
from gwtui.views.spans import BLANK, Line, Role, Span, line
from gwtui.views.tables import Row


class RoutesScreen(SortedTableScreen[RuleKey]):
    """A live table of rules. A row is put into words when it is painted, and once as long as nothing differs."""

    BINDINGS = bindings("routes")
    MODE = "routes"
    SORTS = tuple(SORTS)

    def __init__(self) -> None:
        super().__init__()
        self._by_key: dict[RuleKey, RuleRow] = {}
        self._survey: Survey | None = None
        self._from: tuple[object, ...] = ()
        self._order: list[RuleKey] = []
        self._made: dict[RuleKey, Row] = {}

    def show(self, scene: Scene) -> None:
        """Paint the rows of the scene; their order rests while the cursor moves."""
        survey = survey_of(scene)
        asked = (self.pattern, self._sort)
        if self._survey is not survey or self._from != asked:
            found = rows(survey, pattern=self.pattern, sort=self._sort)
            self._by_key = {each.key: each for each in found}
            self._survey, self._from = survey, asked
        self._order = self._ordered(self._by_key, scene.now)
        cells = (self.size.width or self.app.size.width) - 1  # the first cell of a row marks the selected one
        every = columns(survey, clusters=len(scene.snapshot.clusters), cells=cells)
        self._made = {}

        def row_of(key: RuleKey) -> Row:
            made = self._made.get(key)
            if made is None:
                made = self._made[key] = row(self._by_key[key], survey, every, scene.now)
            return made

        self._table.show(every, self._order, row_of, sorted_by=self._sort)
        if self.is_current:
            gateways = {key for each in self._table.in_window for key in self._by_key[each].place.gateways}
            figures = (scene.fleet.gateways.get(key) for key in gateways)
            self.console_app.attention.turn([proxy for entry in figures if entry for proxy in entry.node.proxies])

    def selection_line(self) -> Line:
        """The selected rule by its full name, and what is to be said of it; cells of the table may be cut."""
        chosen = self._by_key.get(self._table.selected) if self._table.selected else None
        return story(chosen, self._survey) if chosen and self._survey else BLANK

    def scope_line(self) -> Line:
        """Why there is no row, where no rule is known."""
        if self._survey is None or self._survey.rows or not self.console_app.scene.has_gateways:
            return BLANK
        return line(Span(none_words(self.console_app.scene), Role.WARN))

    def action_edit(self) -> None:
        """Edit the route of the selected rule."""
        key = self._table.selected
        if key is not None:
            from gwtui.tui.screens.route_editor import RouteEditorScreen  # noqa: PLC0415 - loaded when it is needed

            self.app.push_screen(RouteEditorScreen(key.route, key.number))

    def action_drain(self) -> None:
        """Plan to take everything away from a backend of the selected rule."""
        key = self._table.selected
        if key is not None:
            self.console_app.drains.wish_of_rule(key)

    def action_explain(self) -> None:
        """Ask where a request goes that the selected rule is for."""
        key = self._table.selected
        if key is not None:
            from gwtui.tui.screens.explain import ExplainScreen  # noqa: PLC0415 - loaded when it is needed

            self.app.push_screen(ExplainScreen(key))

    def action_yaml(self) -> None:
        """Show the route of the selected rule."""
        key = self._table.selected
        if key is not None:
            self.console_app.open_yaml(key.route)

    @on(LiveTable.Opened)
    def _opened(self) -> None:
        from gwtui.tui.screens.rule import RuleScreen  # noqa: PLC0415 - loaded when a rule is opened

        key = self._table.selected
        if key is not None:
            self.app.push_screen(RuleScreen(key))
