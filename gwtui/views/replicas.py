"""What is odd about the proxies of one gateway, and in which words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gwtui.model.comparison import ERROR_LEAST, Aspect, Oddity, oddities
from gwtui.model.ids import GatewayKey, ProxyKey
from gwtui.model.known import Known
from gwtui.model.snapshot import ProxyView
from gwtui.views import text
from gwtui.views.remembered import ByIdentity

MARK = "≠"
"""Stands wherever something differs from what should be equal."""

WARMING = "still warming"
"""Said of a resource that waits for what it needs, such as a secret or endpoints."""

NAMED = 3
"""How many differing things are named; the rest is counted."""

Odd = Mapping[ProxyKey, tuple[Oddity, ...]]

NOTHING: Odd = {}

_HELD: ByIdentity[GatewayKey, Odd] = ByIdentity()


def odd(gateway: GatewayKey, views: Sequence[ProxyView]) -> Odd:
    """What is odd about each proxy of a gateway; proxies of which nothing is odd are absent.

    What they hold is compared again only when one of them was inspected; errors are compared each time.
    """
    if len(views) < 2:
        return NOTHING
    compared = [view for view in views if view.is_answering and view.inspection is not None]
    sources = [part for view in compared for part in (view.key, view.inspection)]
    held = _HELD.get(gateway, sources, lambda: _by_holdings(compared))
    by_errors = oddities(_counted(views)) if any(map(_errs, views)) else NOTHING
    if not by_errors:
        return held
    return {key: (*held.get(key, ()), *by_errors.get(key, ())) for key in {**held, **by_errors}}


def odd_words(found: Sequence[Oddity]) -> str:
    """`≠ config (routes edge): 1 of 3 is so; version: 1 of 3 is so`; empty when nothing is odd."""
    return f"{MARK} " + "; ".join(map(_words, found)) if found else ""


def odd_mark(found: Sequence[Oddity]) -> str:
    """`≠ 1 of 3`, of the oddity that fewest share; empty when nothing is odd."""
    if not found:
        return ""
    rarest = min(found, key=lambda one: one.alike / one.siblings)
    return f"{MARK} {rarest.alike} of {rarest.siblings}"


def config_oddity(found: Sequence[Oddity]) -> Oddity | None:
    """In what the configuration differs, or None when it does not."""
    return next((one for one in found if one.aspect is Aspect.CONFIG), None)


def _by_holdings(views: Sequence[ProxyView]) -> Odd:
    return oddities(ProxyView(key=view.key, state=view.state, inspection=view.inspection) for view in views)


def _counted(views: Sequence[ProxyView]) -> list[ProxyView]:
    return [ProxyView(key=view.key, state=view.state, traffic=view.traffic) for view in views]


def _errs(view: ProxyView) -> bool:
    ratio = view.traffic.error_ratio
    return isinstance(ratio, Known) and ratio.value >= ERROR_LEAST


def _words(oddity: Oddity) -> str:
    if oddity.aspect is Aspect.ERRORS:
        return f"errors: far more than the other {text.plural(oddity.siblings - 1, 'proxy', 'proxies')}"
    # What is warming comes first: it tells why the rest differs.
    every = [f"{name} {WARMING}" for name in oddity.warming]
    every += [name for name in oddity.differing if name not in oddity.warming]
    named = ", ".join(every[:NAMED])
    more = f" and {len(every) - NAMED} more" if len(every) > NAMED else ""
    alike = f"{oddity.alike} of {oddity.siblings} {'is' if oddity.alike == 1 else 'are'} so"
    doubt = "" if oddity.is_minority else ", nobody can tell which is right"
    return f"{oddity.aspect.value} ({named}{more}): {alike}{doubt}" if named else f"{oddity.aspect.value}: {alike}"
