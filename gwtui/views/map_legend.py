"""What the signs of the map mean: a line below it, and the long form for the help screen."""

from __future__ import annotations

from gwtui.views import text
from gwtui.views.spans import Line, Role, Span, joined, line, width

MARKS = (
    ("● ◐ ✖ ○ ⇣", "ok, degraded, failing, unknown, draining; ▲ a figure above its limit"),
    ("– ?", "not known: the reason is in the panel that enter opens"),
    ("≠ 1 of 2", "a proxy differs from the others of its gateway: one of two is as it is"),
    ("COST*", "the part of a proxy's time that our own questions took in the last minute"),
    ("━ 71% ▶", "share of all requests its source sends, thicker with more; ═ ✖ errors on this way"),
    ("shop 50≠90%", "the weights of route shop intend 50 %, the proxies see 90 %"),
    ("~35 Σ35", "a rule's rate as its own upstreams tell it; of several rules that are counted together"),
    ("w3 75≠50%", "a weight, the part of the rule's requests it is for, and the part that is seen; 75%? where none is"),
    ("host: gw: state:", "what a filter on Routes is about; also ns: backend:, and ! before it for the contrary"),
    ("+12 gateways", "folded: many cards as one, with the worst of them; enter or + opens, - closes"),
    ("ambient wished", "labels ask for the mesh, and fewer pods than all are in it; ambient 2/2: all are"),
    ("AI agentgateway", "who runs the gateway, where it is not kgateway's Envoy; egress, waypoint: what it is for"),
)
"""Signs of the screens and what they mean."""


def legend(cells: int) -> Line:
    """The signs in one line of at most `cells` cells; what matters least is left out first."""
    parts = [
        line(Span("●", Role.OK), Span(" ok  ", Role.DIM), Span("◐", Role.WARN), Span(" degraded  ", Role.DIM))
        + line(Span("✖", Role.BAD), Span(" failing  ", Role.DIM), Span("○", Role.UNKNOWN), Span(" unknown", Role.DIM)),
        line(Span("━", Role.EDGE), Span(" half or more  ", Role.DIM), Span("─", Role.EDGE), Span(" less", Role.DIM)),
        line(Span("═", Role.BAD), Span(" errors", Role.DIM)),
        line(Span("+n", Role.TEXT), Span(" folded", Role.DIM)),
        line(Span("90≠71%", Role.TEXT), Span(" intended≠seen", Role.DIM)),
        line(Span("╌", Role.EDGE), Span(" no requests", Role.DIM)),
        line(Span(text.DRAINING_GLYPH, Role.DRAIN), Span(" draining", Role.DIM)),
        line(Span(text.RAISED, Role.WARN), Span(" above its limit", Role.DIM)),
    ]
    while parts and width(joined(parts, "   ")) + 1 > cells:
        parts.pop()
    return (Span(" "), *joined(parts, "   "))
