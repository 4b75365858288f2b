"""What a proxy is, how we reach it, and how we know what the other tabs say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from gwtui.changes.journal import Change
from gwtui.model.ids import ProxyKey
from gwtui.model.inspection import Build, Inspection
from gwtui.model.known import Known, Unknown
from gwtui.model.rejections import Rejections
from gwtui.model.services import Service, Services
from gwtui.model.snapshot import ProxyView
from gwtui.views import config_state, text
from gwtui.views.proxies import pod_created
from gwtui.views.proxy.log_levels import log_levels
from gwtui.views.proxy.page import Page, fact, text_page
from gwtui.views.proxy.reading import Reading, Readings, told
from gwtui.views.proxy.subject import Subject, subject
from gwtui.views.refusals import refused_resources, service_words
from gwtui.views.scene import Scene
from gwtui.views.spans import BLANK, Line, Role, Span, line

MOST_SERVICES = 12
"""So many subscriptions are listed; the rest is counted."""

VERSION_DIGITS = 8
"""Hexadecimal digits of a version's hash that are shown."""

_PAGES = (
    ("build", "its build"),
    ("listeners", "the listeners"),
    ("upstreams", "the endpoints"),
    ("certificates", "the certificates"),
    ("config", "the configuration"),
    ("statistics", "the statistics"),
)


def about(scene: Scene, key: ProxyKey, readings: Readings, changes: Iterable[Change] = ()) -> Page:
    """Build, log levels, way in, refused updates, and how each page was read.

    Args:
        scene: what is known.
        key: the proxy.
        readings: its pages as they were read last.
        changes: everything that is remembered.
    """
    found = subject(scene, key)
    inspection = found.view.inspection
    build = readings.build.or_earlier(inspection.build if inspection else None)
    age = text.age_of(pod_created(scene.snapshot, key), scene.now)
    lines = [
        *_build(build, scene.now),
        *log_levels(build.last, changes, key),
        BLANK,
        fact("gateway", str(found.gateway) if found.gateway else "no gateway we know claims this pod"),
        fact("pod", str(key), Span(f"  {age} old, in {key.cluster}", Role.DIM)),
        *_way(found.view, scene.now),
        BLANK,
        *_config(found, scene.now),
        BLANK,
        *_how_we_know(inspection, readings, scene.now),
        *_flags(build),
    ]
    return text_page(lines)


def _build(reading: Reading[Build], now: datetime) -> list[Line]:
    lines = list(told(reading, "its build", now))
    if isinstance(reading.last, Unknown):
        return lines
    build = reading.last.value
    lines.append(
        fact("version", Span(build.version, Role.STRONG), Span(f"  {build.revision[:12]} {build.flavour}", Role.DIM))
    )
    lines.append(
        fact(
            "node",
            build.node_id or text.UNKNOWN,
            Span(f"  of {build.node_cluster}", Role.DIM) if build.node_cluster else "",
        )
    )
    uptime = text.UNKNOWN if build.uptime_s is None else text.age(build.uptime_s)
    threads = text.UNKNOWN if build.concurrency is None else text.plural(build.concurrency, "worker thread")
    lines.append(fact("uptime", uptime, Span(f"  {threads}", Role.DIM)))
    return lines


def _flags(reading: Reading[Build]) -> list[Line]:
    """The options that tell how it drains and restarts: of use, and not in an incident."""
    if isinstance(reading.last, Unknown) or not reading.last.value.flags:
        return []
    flags = sorted(reading.last.value.flags.items())
    named = [fact("flags" if at == 0 else "", f"{name} = {value}") for at, (name, value) in enumerate(flags)]
    return [BLANK, *named]


def _way(view: ProxyView, now: datetime) -> list[Line]:
    lines = []
    if view.answered_at is not None:
        when = f"{text.age_of(view.answered_at, now)} ago, {text.clock(view.answered_at)}"
        lines.append(fact("answered", when, Span(f", by {view.way}" if view.way else "", Role.DIM)))
    if not view.is_answering:
        since = f" for {text.age_of(view.failing_since, now)}" if view.failing_since else ""
        lines.append(
            fact("no answer", Span(f"{view.reason or 'never asked'}{since}", Role.BAD if view.reason else Role.UNKNOWN))
        )
        if view.hint:
            lines.append(fact("try", view.hint))
    return lines


def _config(found: Subject, now: datetime) -> list[Line]:
    digest = config_state.digest(found.view)
    known = (
        fact("config", digest.value, Span(f"  as of {text.age_of(digest.observed_at, now)} ago", Role.DIM))
        if isinstance(digest, Known)
        else fact("config", Span(text.UNKNOWN, Role.UNKNOWN), Span(f"  {digest.reason}", Role.DIM))
    )
    lines = [known]
    lines += _services(found.view.services)
    lines += [
        fact("", Span(f"{one.kind.value} {one.name}: {one.error}", Role.BAD)) for one in refused_resources(found.view)
    ]
    return [*lines, *_controller(found)]


def _services(services: Services) -> list[Line]:
    """Every subscription: those that refuse first, then those that ever did."""
    ranked = sorted(services, key=lambda name: (not services[name].is_stale, not services[name].rejected, name))
    lines = [
        fact("delivered" if at == 0 else "", *_service(name, services[name]))
        for at, name in enumerate(ranked[:MOST_SERVICES])
    ]
    if len(ranked) > MOST_SERVICES:
        lines.append(fact("", Span(f"and {len(ranked) - MOST_SERVICES} more", Role.DIM)))
    if any(each.rejected for each in services.values()):
        lines.append(fact("", Span("what was wrong with refused ones, its log tells", Role.DIM)))
    return lines


def _service(name: str, service: Service) -> list[Span]:
    """`✖ routes listener~80  refuses updates since 14:02:48 UTC: stale  version 1b2c3d4e, 3 taken, 1 refused`."""
    counts = [f"{service.rejected} refused"]
    if service.accepted is not None:
        counts.insert(0, f"{service.accepted} taken")
    if service.version is not None:
        counts.insert(0, f"version {service.version:016x}"[: len("version ") + VERSION_DIGITS])
    role = Role.BAD if service.is_stale else Role.TEXT
    glyph = text.FAILING_GLYPH if service.is_stale else text.OK_GLYPH
    words = [Span(f"{glyph} {service_words(name)}", role)]
    if service.refused_since is not None:
        words.append(Span(f" stale: refuses updates since {text.clock(service.refused_since)}", role))
    return [*words, Span(f"  {', '.join(counts)}", Role.DIM)]


def _controller(found: Subject) -> list[Line]:
    """What the control plane says of the gateway's proxies together: it tells the kind, and not which proxy."""
    if found.cluster is None or found.gateway is None:
        return []
    told = found.cluster.refusals
    if isinstance(told, Unknown):
        return [fact("controller", Span(text.UNKNOWN, Role.UNKNOWN), Span(f"  {told.reason}", Role.DIM))]
    kinds = told.value.get(found.gateway, ())
    now = (
        Span(f"{text.FAILING_GLYPH} counts {', '.join(kinds)} refused by {found.gateway}", Role.BAD)
        if kinds
        else Span(f"counts nothing that {found.gateway} refuses now")
    )
    counted = found.cluster.rejections.get(found.gateway, Rejections())
    return [
        fact("controller", now),
        *_since_it_started("updates refused", counted.refused, Role.TEXT),
        *_since_it_started("rules replaced by an answer 500", counted.replaced, Role.WARN),
    ]


def _since_it_started(what: str, counts: Mapping[str, int], role: Role) -> list[Line]:
    if not counts:
        return []
    each = ", ".join(f"{name or 'unnamed'} {text.count(count)}" for name, count in sorted(counts.items()))
    return [fact("", Span(f"{what}: {each}", role), Span("  since it started", Role.DIM))]


def _how_we_know(inspection: Inspection | None, readings: Readings, now: datetime) -> list[Line]:
    lines = [line(Span("How we know", Role.ACCENT))]
    if inspection is None:
        lines.append(fact("inspected", Span("not yet", Role.UNKNOWN)))
    else:
        cost = f"{text.size(inspection.cost_bytes)} in {text.ms(inspection.cost_ms)}"
        lines.append(fact("inspected", f"{text.age_of(inspection.taken_at, now)} ago", Span(f"  {cost}", Role.DIM)))
        parts = ("build", "certificates", "config", "listeners")
        lines += [
            fact("", Span(f"{text.UNKNOWN_GLYPH} {name}: {part.reason}", Role.UNKNOWN))
            for name in parts
            if isinstance(part := getattr(inspection, name), Unknown)
        ]
    for field, name in _PAGES:
        lines += _page(getattr(readings, field), name, now)
    return lines


def _page(reading: Reading[object], name: str, now: datetime) -> list[Line]:
    if reading.failure:
        lines = [line(Span(f"{text.FAILING_GLYPH} {name}: {reading.failure}", Role.BAD))]
        return [*lines, line(Span("  → ", Role.DIM), reading.hint)] if reading.hint else lines
    if isinstance(reading.last, Unknown):
        words = "being read" if reading.asked_at else "read when its tab is open"
        return [line(Span(f"{text.UNKNOWN_GLYPH} {name}: {words}", Role.DIM))]
    age = text.age_of(reading.last.observed_at, now)
    return [line(Span(text.OK_GLYPH, Role.OK), f" {name}", Span(f"  read {age} ago", Role.DIM))]
