"""One proxy in full, in tabs."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from textual import on
from textual.timer import Timer

from gwtui.model.ids import ObjectKey, ProxyKey
from gwtui.model.inspection import ConfigResource
from gwtui.model.known import Known
from gwtui.tui.keymap import bindings
from gwtui.tui.page_reader import PageReader
from gwtui.tui.screens.console import ConsoleScreen
from gwtui.tui.widgets.page_view import PageView
from gwtui.tui.widgets.prompt import Prompt
from gwtui.views.proxies import PODS
from gwtui.views.proxy import config
from gwtui.views.proxy.about import about
from gwtui.views.proxy.certificates import certificates
from gwtui.views.proxy.config import ResourceKey
from gwtui.views.proxy.listeners import listeners
from gwtui.views.proxy.log_levels import PROMPT, completions
from gwtui.views.proxy.page import Page, note
from gwtui.views.proxy.routes import routes
from gwtui.views.proxy.statistics import statistics
from gwtui.views.proxy.subject import headline, subject
from gwtui.views.proxy.tabs import beside, tab_line
from gwtui.views.proxy.traffic import traffic
from gwtui.views.proxy.tree import Tree
from gwtui.views.proxy.upstreams import EndpointKey, upstreams
from gwtui.views.scene import Scene
from gwtui.views.spans import BLANK, Line, crop

LEVEL = "level"
"""The kind of prompt that asks for a log level."""

TYPING_PAUSE_S = 0.6
"""Seconds without a change after which a pattern for statistics counts as typed."""

_PLACEHOLDERS = {
    "tree": "search: enter keeps, esc ends; n and N step through the matches",
    "stats": "RE2 pattern, applied by the proxy: asked once typing pauses; enter keeps, esc ends asking",
}


class ProxyScreen(ConsoleScreen):
    """The detail of one proxy. What it shows beyond the snapshot is asked for while its tab is open."""

    BINDINGS = bindings("proxy")
    MODE = "proxies"

    def __init__(self, key: ProxyKey) -> None:
        super().__init__()
        self.key = key
        self._tab = "traffic"
        self._patterns: dict[Hashable, str] = {}
        self._unfolded: set[str] = set()
        self._resource: ResourceKey | None = None
        self._tree: tuple[ConfigResource, Tree] | None = None
        self._compared: ResourceKey | None = None
        self._shown = Page()
        self._reader: PageReader | None = None
        self._typing: Timer | None = None

    def body(self) -> PageView:
        """The open tab."""
        return PageView(id="body")

    def show(self, scene: Scene) -> None:
        """Paint the open tab, and ask for what it needs."""
        if self.is_current:
            self.console_app.attention.turn((self.key,), self.key)
            self._reading.refresh(self._tab, subject(scene, self.key))
        cells = max(20, (self.size.width or self.app.size.width) - 1)
        page = self._page(scene, cells)
        nothing = (note(f"nothing matches {self.pattern}"),) if self._is_filtered and not page.keys else ()
        self._shown = Page(
            head=(tab_line(self._tab, cells), *page.head, *nothing),
            keys=page.keys,
            line_of=page.line_of,
            story_of=page.story_of,
        )
        self._view.show(self._shown, self._part)

    def selection_line(self) -> Line:
        """What the chosen row has no room for."""
        chosen = self._view.selected
        return BLANK if chosen is None else self._shown.story_of(chosen)

    def scope_line(self) -> Line:
        """Which proxy this is, and how it is."""
        cells = self.size.width or self.app.size.width
        room = cells - (len(self.pattern) + 23 if self.pattern else 2)
        return crop(headline(self.console_app.scene, self.key), max(20, room))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys do what the open tab offers; while the prompt is open, they are text."""
        is_tree = self._tab == "config" and self._tree is not None and self._compared is None
        offered = {
            "open": self._tab in ("upstreams", "config"),
            "fold": self._tab == "upstreams" or is_tree,
            "compare": self._tab == "config",
            "match": is_tree and bool(self.pattern),
            "filter": self._tab not in ("traffic", "about") and self._compared is None,
        }
        if action in ("tab", "beside", "log_level", *offered) and self.query(Prompt):
            return False
        return offered.get(action, True) and super().check_action(action, parameters)

    def lift_limit(self) -> bool:
        """One step back within the tab; whether there was one."""
        if self._compared is not None:
            self._go(self._tab, resource=self._resource)
        elif self.pattern:
            self.pattern = ""
            self._pattern_typed()
        elif self._resource is not None:
            self._go(self._tab)
        else:
            return False
        return True

    async def action_filter(self) -> None:
        """Open the filter of the tab."""
        prompt = Prompt("filter", self.pattern)
        prompt.placeholder = _PLACEHOLDERS.get("tree" if self._resource else self._tab, prompt.placeholder)
        await self._open_prompt(prompt)

    def action_tab(self, tab: str) -> None:
        """Open a tab."""
        if tab != self._tab:
            self._go(tab, resource=self._resource, compared=self._compared)
        elif self._resource is not None or self._compared is not None:
            self._go(tab)  # once more: what was opened in it is closed
        self.repaint()

    def action_beside(self, direction: int) -> None:
        """Open the tab beside."""
        self.action_tab(beside(self._tab, direction))

    def action_open(self) -> None:
        """Open what is chosen: an upstream's endpoints, a resource, what a part of it holds."""
        chosen = self._view.selected
        if isinstance(chosen, ResourceKey):
            self._open_resource(chosen)
        elif self._tree is not None and isinstance(chosen, tuple) and self._tab == "config":
            self._fold_node(chosen, is_folded=self._tree[1].is_open(chosen))
        elif isinstance(chosen, str | EndpointKey):
            self.action_fold(isinstance(chosen, EndpointKey) or chosen in self._unfolded)

    def action_fold(self, is_folded: bool) -> None:  # noqa: FBT001 - keys name the action with its argument
        """Fold or unfold what is chosen."""
        chosen = self._view.selected
        if self._tab == "upstreams" and isinstance(chosen, str | EndpointKey):
            name = chosen.upstream if isinstance(chosen, EndpointKey) else chosen
            (self._unfolded.discard if is_folded else self._unfolded.add)(name)
            if is_folded:
                self._view.select(name)
            self.repaint()
        elif self._tree is not None and isinstance(chosen, tuple):
            self._fold_node(chosen, is_folded=is_folded)

    def action_compare(self) -> None:
        """Compare the resource with the sibling's."""
        chosen = self._resource or self._view.selected
        found = subject(self.console_app.scene, self.key)
        sibling = config.sibling_of(found)
        if sibling is None:
            self.console_app.say("no sibling is known to hold another configuration")
        elif isinstance(chosen, ResourceKey) and chosen in config.differing(found):
            self._reading.compare(chosen, sibling)
            self._go(self._tab, resource=self._resource, compared=chosen)
            self.repaint()
        else:
            self.console_app.say("this resource is equal in every sibling; those that differ are marked ≠")

    def action_match(self, direction: int) -> None:
        """Go to the match beside."""
        if self._tree is None:
            return
        one, tree = self._tree
        chosen = self._view.selected
        target = tree.beside(chosen if isinstance(chosen, tuple) else None, self.pattern, direction)
        if target is None:
            self.console_app.say(f"nothing matches {self.pattern}")
            return
        self._tree = (one, tree.reaching(target))
        self.repaint()
        self._view.select(target)

    def action_yaml(self) -> None:
        """Show the pod."""
        self.console_app.open_yaml(ObjectKey(self.key.cluster, PODS, self.key.namespace, self.key.pod))

    async def action_log_level(self) -> None:
        """Ask which logger should have which level; nothing is sent before its plan is confirmed."""
        await self._open_prompt(Prompt(LEVEL, words=completions(), placeholder=PROMPT))

    @on(Prompt.Entered)
    def _level_entered(self, event: Prompt.Entered) -> None:
        if event.kind == LEVEL and event.text.strip():
            changes, key, wanted = self.console_app.changes, self.key, event.text
            self.console_app.open_plan(f" Log level of {key} ", lambda: changes.log_level(key, wanted))

    @on(PageView.Moved)
    def _moved(self) -> None:
        self.paint_foot(self.console_app.scene)

    @on(PageView.Opened)
    def _opened(self) -> None:
        self.action_open()

    @on(Prompt.Edited)
    def _pattern_edited(self, event: Prompt.Edited) -> None:
        if event.kind == "filter":
            self._pattern_typed(event.text if type(event) is Prompt.Edited else None)

    @on(Prompt.Left)
    def _pattern_left(self, event: Prompt.Left) -> None:
        if event.kind == "filter":
            self._pattern_typed("")

    def _pattern_typed(self, text: str | None = None) -> None:
        """Another pattern: statistics are asked for once typing pauses; the first match of a search is chosen."""
        pattern = self.pattern if text is None else text
        if self._tab == "stats":
            if self._typing is not None:
                self._typing.stop()
            if pattern:
                self._typing = self.set_timer(TYPING_PAUSE_S, self._typing_paused, name="typing")
            else:
                self._reading.search("")
        elif self._tree is not None and pattern:
            self.pattern = pattern
            matches = self._tree[1].found(pattern)
            if matches and self._view.selected not in matches:
                self.action_match(1)

    def _typing_paused(self) -> None:
        self._typing = None
        self._reading.search(self._patterns.get("stats", "") if self._tab != "stats" else self.pattern)
        self.repaint()

    def _go(self, tab: str, *, resource: ResourceKey | None = None, compared: ResourceKey | None = None) -> None:
        """Go to another part; each part keeps its own pattern."""
        self._patterns[self._part] = self.pattern
        if resource != self._resource:
            self._tree = None
        self._tab, self._resource, self._compared = tab, resource, compared
        self.pattern = self._patterns.get(self._part, "")

    def _open_resource(self, name: ResourceKey) -> None:
        reading = self._reading.readings.config
        if not isinstance(reading.last, Known):
            self.console_app.say("its body is not read yet" if not reading.failure else f"not read: {reading.failure}")
        elif config.held_resource(reading.last.value, name) is None:
            self.console_app.say("this proxy does not have it; = shows the sibling's")
        else:
            self._go(self._tab, resource=name)
            self.repaint()

    def _fold_node(self, path: tuple[str | int, ...], *, is_folded: bool) -> None:
        assert self._tree is not None  # noqa: S101 - only called while a tree is shown
        one, tree = self._tree
        if is_folded and not (tree.size_of(path) and tree.is_open(path)):
            path = path[:-1]  # what is chosen cannot be folded: what it lies in is
        if tree.size_of(path):
            self._tree = (one, tree.with_open(path, is_open=not is_folded))
            self.repaint()
            self._view.select(path)

    def _close_prompt(self) -> None:
        super()._close_prompt()
        # The keys of the tab are in force again once the prompt is gone.
        self.call_after_refresh(self.repaint)

    def _page(self, scene: Scene, cells: int) -> Page:
        key, readings, pattern = self.key, self._reading.readings, self.pattern
        pages: dict[str, Callable[[], Page]] = {
            "traffic": lambda: traffic(scene, key, cells),
            "listeners": lambda: listeners(scene, key, readings.listeners, cells, pattern=pattern),
            "routes": lambda: routes(scene, key, cells, pattern=pattern),
            "upstreams": lambda: upstreams(
                scene, key, readings.upstreams, cells, pattern=pattern, unfolded=self._unfolded
            ),
            "certificates": lambda: certificates(scene, key, readings.certificates, cells, pattern=pattern),
            "config": lambda: self._config_page(scene, cells),
            "stats": lambda: statistics(readings.statistics, pattern, self._reading.asked, cells, scene.now),
            "about": lambda: about(scene, key, readings, self.console_app.remembered()),
        }
        return pages[self._tab]()

    def _config_page(self, scene: Scene, cells: int) -> Page:
        reading = self._reading.readings.config
        if self._compared is not None:
            return config.compared(self._compared, self._reading.readings.difference, scene.now)
        if self._resource is None:
            return config.resources(scene, self.key, reading, cells, pattern=self.pattern)
        held = config.held_resource(reading.last.value if isinstance(reading.last, Known) else (), self._resource)
        if held is None:
            self._tree = None
            return Page(head=(note(f"{self._resource.kind.value} {self._resource.name} is gone"),))
        if self._tree is None or self._tree[0].digest.digest != held.digest.digest:
            self._tree = (held, Tree(held.body))
        return config.resource(scene, self.key, self._resource, held, self._tree[1], pattern=self.pattern)

    @property
    def _is_filtered(self) -> bool:
        """Whether the pattern leaves out rows: of statistics the proxy does, and a search leaves out nothing."""
        return bool(self.pattern) and self._tab != "stats" and self._resource is None

    @property
    def _part(self) -> Hashable:
        """What is open, down to the resource: each has its own place, and its own pattern."""
        if self._tab != "config" or (self._resource is None and self._compared is None):
            return self._tab
        return ("config", self._resource, self._compared)

    @property
    def _reading(self) -> PageReader:
        if self._reader is None:
            app = self.console_app
            self._reader = PageReader(
                self, app.attention.pages, self.key, now=lambda: app.scene.now, changed=self._page_changed
            )
        return self._reader

    def _page_changed(self) -> None:
        if self.is_mounted and self.is_running:
            self.repaint()

    @property
    def _view(self) -> PageView:
        return self.query_one("#body", PageView)
