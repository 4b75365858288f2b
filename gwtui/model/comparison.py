"""Odd one out: in what the proxies of one gateway differ from each other, although they should be equal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from gwtui.model.ids import ProxyKey
from gwtui.model.inspection import ConfigDigest, ConfigKind
from gwtui.model.known import Known
from gwtui.model.snapshot import ProxyView
from gwtui.model.traffic import ProxyTraffic

ERROR_FACTOR = 5.0
"""How many times the error ratio of the others one proxy must have to be odd."""

ERROR_LEAST = 0.005
"""Error ratio below which no proxy is odd for its errors."""

REQUESTS_LEAST_RPS = 1.0
"""Requests/s below which an error ratio tells nothing."""


class Aspect(StrEnum):
    """In what replicas are compared."""

    VERSION = "version"
    CONFIG = "config"
    CERTIFICATES = "certificates"
    ERRORS = "errors"


@dataclass(frozen=True, slots=True, kw_only=True)
class Oddity:
    """One proxy differs from its siblings in one aspect."""

    aspect: Aspect
    siblings: int
    """How many proxies of the gateway were compared, this one included."""
    alike: int
    """How many of them are as this one is, itself included."""
    is_minority: bool
    """False where as many are one way as another: then nobody can tell which is the odd one."""
    differing: tuple[str, ...] = ()
    """What differs from the largest other group: `routes listener~8080`, a version, a certificate's names."""
    warming: tuple[str, ...] = ()
    """Of what differs, the resources this proxy took and that are not in force yet."""
    sibling: ProxyKey | None = None
    """A proxy of the largest other group, to compare with."""


@dataclass(frozen=True, slots=True)
class _Held:
    """The value of one aspect of one proxy."""

    key: ProxyKey
    value: Hashable


def oddities(views: Iterable[ProxyView]) -> Mapping[ProxyKey, tuple[Oddity, ...]]:
    """Return what is odd about each proxy of one gateway; proxies of which nothing is odd are absent.

    Only what was read is compared: a proxy that tells nothing is no odd one.

    Args:
        views: The proxies of one gateway.
    """
    compared = [view for view in views if view.is_answering]
    found: dict[ProxyKey, list[Oddity]] = {}
    for aspect in (Aspect.VERSION, Aspect.CONFIG, Aspect.CERTIFICATES):
        held = [_Held(view.key, value) for view in compared if (value := _value(view, aspect)) is not None]
        for key, oddity in _odd(aspect, held):
            found.setdefault(key, []).append(oddity)
    for key, oddity in _odd_errors(compared):
        found.setdefault(key, []).append(oddity)
    return {key: tuple(each) for key, each in found.items()}


def _value(view: ProxyView, aspect: Aspect) -> Hashable | None:
    inspection = view.inspection
    if inspection is None:
        return None
    match aspect:
        case Aspect.VERSION:
            return inspection.build.value.version if isinstance(inspection.build, Known) else None
        case Aspect.CONFIG:
            config = inspection.config
            return frozenset(map(_identity, config.value)) if isinstance(config, Known) else None
        case Aspect.CERTIFICATES:
            held = inspection.certificates
            if not isinstance(held, Known):
                return None
            return frozenset((one.serial, ", ".join(one.names)) for one in held.value if not one.is_authority)
        case Aspect.ERRORS:
            return None


def _identity(digest: ConfigDigest) -> tuple[ConfigKind, str, str, bool]:
    return digest.kind, digest.name, digest.digest, digest.is_warming


def _odd(aspect: Aspect, held: Sequence[_Held]) -> Iterable[tuple[ProxyKey, Oddity]]:
    groups = Counter(each.value for each in held)
    if len(groups) < 2:
        return
    ranked = groups.most_common()
    most = ranked[0][1]
    has_majority = ranked[1][1] < most
    for each in held:
        alike = groups[each.value]
        if has_majority and alike == most:
            continue
        other = next(value for value, _ in ranked if value != each.value)
        yield (
            each.key,
            Oddity(
                aspect=aspect,
                siblings=len(held),
                alike=alike,
                is_minority=has_majority,
                differing=_differing(aspect, each.value, other),
                warming=_warming(aspect, each.value, other),
                sibling=next(sibling.key for sibling in held if sibling.value == other),
            ),
        )


def _differing(aspect: Aspect, own: Hashable, other: Hashable) -> tuple[str, ...]:
    if not isinstance(own, frozenset) or not isinstance(other, frozenset):
        return (f"{own} and {other}",)
    changed = own ^ other
    if aspect is Aspect.CONFIG:
        return tuple(sorted({f"{kind.value} {name}" for kind, name, *_ in changed}))
    return tuple(sorted({names or f"serial {serial}" for serial, names in changed}))


def _warming(aspect: Aspect, own: Hashable, other: Hashable) -> tuple[str, ...]:
    if aspect is not Aspect.CONFIG or not isinstance(own, frozenset) or not isinstance(other, frozenset):
        return ()
    return tuple(sorted({f"{kind.value} {name}" for kind, name, _, is_warming in own - other if is_warming}))


def _odd_errors(views: Sequence[ProxyView]) -> Iterable[tuple[ProxyKey, Oddity]]:
    """Proxies whose share of 5xx answers is far above that of every other one."""
    ratios = {view.key: ratio for view in views if (ratio := _error_ratio(view.traffic)) is not None}
    if len(ratios) < 2:
        return
    worst = max(ratios, key=lambda key: ratios[key])
    rest = max(ratio for key, ratio in ratios.items() if key != worst)
    if ratios[worst] >= ERROR_LEAST and ratios[worst] >= ERROR_FACTOR * rest:
        sibling = next(key for key in ratios if key != worst)
        yield worst, Oddity(aspect=Aspect.ERRORS, siblings=len(ratios), alike=1, is_minority=True, sibling=sibling)


def _error_ratio(traffic: ProxyTraffic) -> float | None:
    rps, ratio = traffic.rps, traffic.error_ratio
    if isinstance(rps, Known) and isinstance(ratio, Known) and rps.value >= REQUESTS_LEAST_RPS:
        return ratio.value
    return None
