"""Which subscriptions to configuration a proxy refuses updates of, in an operator's words."""

from __future__ import annotations

from datetime import datetime

from gwtui.model.ids import ProxyKey
from gwtui.model.inspection import ConfigDigest, ConfigKind, Inspection
from gwtui.model.known import Known
from gwtui.model.services import refusing
from gwtui.model.snapshot import ProxyView
from gwtui.views.remembered import ByIdentity

NAMED = 2
"""How many refused subscriptions are named; the rest is counted."""

_KINDS = {"lds": "listeners", "cds": "clusters", "rds": "routes", "eds": "endpoints of", "sds": "secret"}

_DISCOVERY = {ConfigKind.LISTENER: "lds", ConfigKind.ROUTES: "rds", ConfigKind.CLUSTER: "cds", ConfigKind.SECRET: "sds"}
"""Which subscription brings a kind of resource."""

_ERRORS: ByIdentity[ProxyKey, tuple[ConfigDigest, ...]] = ByIdentity()


def refused_since(view: ProxyView) -> datetime | None:
    """Since when a proxy refuses some configuration, as far as it was seen; None while nothing tells that it does."""
    return min(refusing(view.services).values(), default=None)


def refused_resources(view: ProxyView) -> tuple[ConfigDigest, ...]:
    """The resources whose newest update the proxy says it refused, each with its words."""
    inspection = view.inspection
    if inspection is None:
        return ()
    return _ERRORS.get(view.key, (inspection,), lambda: _refused(inspection))


def _refused(inspection: Inspection) -> tuple[ConfigDigest, ...]:
    config = inspection.config
    return tuple(one for one in config.value if one.error) if isinstance(config, Known) else ()


def service_words(name: str) -> str:
    """A subscription in words: `routes listener~8080`."""
    kind, _, own = name.partition(".")
    return f"{_KINDS[kind]} {own}".rstrip() if kind in _KINDS else name


def refused_words(view: ProxyView) -> str:
    """What a proxy refuses: `routes listener~80 and clusters`; empty while nothing tells that it refuses anything."""
    names = [service_words(name) for name in refusing(view.services)]
    if not names:
        # Its listeners may tell although their counter was high before anybody looked.
        names = sorted({service_words(_DISCOVERY[one.kind]) for one in refused_resources(view)})
    shown = names if len(names) <= NAMED else [*names[:NAMED], f"{len(names) - NAMED} more"]
    return " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1]))) if shown else ""


def refused_kinds(view: ProxyView) -> str:
    """The same where there is hardly any room: `rds`, `cds+rds`, `cds+2`; empty as there."""
    kinds = sorted({name.partition(".")[0] for name in refusing(view.services)})
    if not kinds:
        kinds = sorted({_DISCOVERY[one.kind] for one in refused_resources(view)})
    return "+".join(kinds) if len(kinds) <= NAMED else f"{kinds[0]}+{len(kinds) - 1}"
