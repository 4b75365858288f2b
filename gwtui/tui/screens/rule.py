"""Everything about one rule, live."""

from __future__ import annotations

from typing import ClassVar

from gwtui.tui.keymap import bindings
from gwtui.tui.screens.reading import LiveReadingScreen
from gwtui.views.route_detail import look_at, rule_detail, rule_title
from gwtui.views.route_facts import RuleKey
from gwtui.views.scene import Scene


class RuleScreen(LiveReadingScreen):
    """The page of a rule. While it is open, one of its proxies is asked for the latencies of its routes."""

    BINDINGS = bindings("rule")
    SUBTITLE: ClassVar[str] = f"y yaml · d drain · x explain · {LiveReadingScreen.SUBTITLE}"

    def __init__(self, key: RuleKey) -> None:
        super().__init__(rule_title(key), lambda scene, cells: rule_detail(scene, key, cells=cells))
        self._key = key

    def paint(self, scene: Scene) -> None:
        """Show the scene."""
        super().paint(scene)
        proxy = look_at(scene, self._key)
        if self.is_current and proxy is not None:
            self.console_app.attention.turn((proxy,), proxy)

    def action_drain(self) -> None:
        """Plan to take everything away from a backend of the rule."""
        self.console_app.drains.wish_of_rule(self._key)

    def action_explain(self) -> None:
        """Ask where a request goes that the rule is for."""
        from gwtui.tui.screens.explain import ExplainScreen  # noqa: PLC0415 - loaded when it is needed

        self.app.push_screen(ExplainScreen(self._key))

    def action_yaml(self) -> None:
        """Show the route of the rule."""
        self.console_app.open_yaml(self._key.route)
