"""The configuration of a proxy: its resources, one of them as a tree, and how it differs from a sibling's."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from datetime import datetime
from typing import NamedTuple

from gwtui.model.ids import ProxyKey
from gwtui.model.inspection import ConfigDigest, ConfigKind, ConfigResource
from gwtui.model.known import Known, Unknown
from gwtui.views import text
from gwtui.views.matching import matches
from gwtui.views.proxy.difference import Difference, difference_line
from gwtui.views.proxy.page import Page, note, table_page
from gwtui.views.proxy.reading import Reading, told
from gwtui.views.proxy.subject import Subject, subject
from gwtui.views.proxy.tree import Tree, node_line
from gwtui.views.replicas import MARK, config_oddity, odd_words
from gwtui.views.scene import Scene
from gwtui.views.spans import BLANK, Line, Role, Span, joined, line
from gwtui.views.tables import Column, Row

_COLUMNS = (
    Column(id="mark", title=" ", cells=1),
    Column(id="kind", title="KIND", cells=8),
    Column(id="name", title="NAME", cells=56, least=24, middle=True),
    Column(id="digest", title="DIGEST", cells=12),
    Column(id="updated", title="UPDATED", cells=8, right=True),
    Column(id="version", title="VERSION", cells=36, least=8, middle=True),
)
_DIGITS = 12
"""Hexadecimal digits of a digest that are shown: enough to tell all resources of a fleet apart."""


class ResourceKey(NamedTuple):
    """One resource of a proxy."""

    kind: ConfigKind
    name: str


def differing(found: Subject) -> frozenset[ResourceKey]:
    """The resources in which a proxy differs from its siblings."""
    oddity = config_oddity(found.noted.odd)
    named = set(oddity.differing) if oddity else set()
    parted = (entry.partition(" ") for entry in named)
    return frozenset(ResourceKey(ConfigKind(kind), name) for kind, _, name in parted)


def sibling_of(found: Subject) -> ProxyKey | None:
    """The proxy to compare the configuration with; None when no sibling differs."""
    oddity = config_oddity(found.noted.odd)
    return oddity.sibling if oddity else None


def is_outdated(reading: Reading[tuple[ConfigResource, ...]], found: Subject) -> bool:
    """Whether the proxy was seen to hold something else since its configuration was read.

    Bodies are dear to read, so they are read again only then.
    """
    inspection = found.view.inspection
    if isinstance(reading.last, Unknown) or inspection is None or isinstance(inspection.config, Unknown):
        return True
    if inspection.taken_at <= reading.last.observed_at:
        return False
    read = {_identity(one.digest): one.digest.digest for one in reading.last.value if not one.is_static}
    return read != {_identity(one): one.digest for one in inspection.config.value}


def resources(
    scene: Scene, key: ProxyKey, reading: Reading[tuple[ConfigResource, ...]], cells: int, *, pattern: str = ""
) -> Page:
    """One row per resource: refused ones first, then those that differ from a sibling's."""
    found = subject(scene, key)
    odd = differing(found)
    held = {_identity(one.digest): one for one in reading.last.value} if isinstance(reading.last, Known) else {}
    digests = {name: one.digest for name, one in held.items()}
    inspection = found.view.inspection
    if not held and inspection is not None and isinstance(inspection.config, Known):
        digests = {_identity(one): one for one in inspection.config.value}
    # A resource that only a sibling has is a difference too, and has no row of its own otherwise.
    missing = [name for name in sorted(odd) if digests and name not in digests]
    kinds = list(ConfigKind)
    order = sorted(
        digests, key=lambda name: (not digests[name].error, name not in odd, kinds.index(name.kind), name.name)
    )
    shown = [name for name in (*missing, *order) if not pattern or matches(pattern, " ".join(name))]
    head = [*told(reading, "the bodies", scene.now)]
    if found.noted.odd and config_oddity(found.noted.odd):
        head.append(
            line(Span("=", Role.KEY), Span(" compares  ", Role.DIM), Span(odd_words(found.noted.odd), Role.WARN))
        )

    def make(name: ResourceKey) -> Callable[[], Row]:
        return lambda: _row(name, digests.get(name), held.get(name), scene.now, is_odd=name in odd)

    return table_page(
        _COLUMNS,
        [(name, make(name)) for name in shown],
        cells,
        head=head,
        story_of=lambda name: _story(name, digests, is_odd=name in odd),
    )


def resource(scene: Scene, key: ProxyKey, name: ResourceKey, one: ConfigResource, tree: Tree, *, pattern: str) -> Page:
    """One resource as a tree."""
    nodes = tree.shown
    is_odd = name in differing(subject(scene, key))
    updated = f"  taken {text.age_of(one.updated_at, scene.now)} ago" if one.updated_at else ""
    parts = [
        line(Span(f"{name.kind.value} ", Role.DIM), Span(name.name, Role.STRONG)),
        _matches(tree, pattern),
        note(f"digest {one.digest.digest[:_DIGITS]}{updated}"),
        note("static, from the bootstrap") if one.is_static else BLANK,
        line(Span(f"{MARK} differs from a sibling's, = compares", Role.WARN)) if is_odd else BLANK,
    ]
    head = [joined(parts, " · ")]
    if one.digest.error:
        head.append(line(Span(f"{text.FAILING_GLYPH} the newest update was refused: {one.digest.error}", Role.BAD)))
    return Page(
        head=tuple(head),
        keys=[node.path for node in nodes],
        line_of=lambda index: node_line(tree, nodes[index], pattern),
        story_of=lambda path: note(".".join(map(str, path))) if isinstance(path, tuple) else BLANK,
    )


def compared(name: ResourceKey, reading: Reading[Difference], now: datetime) -> Page:
    """The lines in which a resource differs from a sibling's."""
    title = line(Span(f"{name.kind.value} ", Role.DIM), Span(name.name, Role.STRONG))
    head = [title, *told(reading, "both bodies", now)]
    if isinstance(reading.last, Unknown):
        return Page(head=tuple(head))
    found = reading.last.value
    lines = found.lines
    head.append(line(Span(found.words, Role.WARN if lines else Role.STRONG)))
    return Page(head=tuple(head), keys=(None,) * len(lines), line_of=lambda index: difference_line(lines[index]))


def _matches(tree: Tree, pattern: str) -> Line:
    if not pattern:
        return BLANK
    number = len(tree.found(pattern))
    return line(Span(text.plural(number, "match", "matches"), Role.STRONG), Span("  n N step", Role.DIM))


def _row(
    name: ResourceKey, digest: ConfigDigest | None, held: ConfigResource | None, now: datetime, *, is_odd: bool
) -> Row:
    mark = line(Span(MARK, Role.WARN)) if is_odd else BLANK
    cells = (mark, line(Span(name.kind.value, Role.DIM)), line(Span(name.name, Role.STRONG)))
    if digest is None:
        return Row((*cells, BLANK, BLANK, BLANK), line(Span("not here, a sibling has it", Role.WARN)), "digest")
    error = line(Span(f"{text.FAILING_GLYPH} refused: {digest.error}", Role.BAD)) if digest.error else BLANK
    is_static = held is not None and held.is_static
    updated = text.age_of(held.updated_at, now) if held is not None else text.UNKNOWN
    return Row(
        (
            *cells,
            line(digest.digest[:_DIGITS] or Span("none taken", Role.WARN)),
            line(updated),
            _version(digest, is_static=is_static),
        ),
        error,
        "updated" if digest.error else "",
    )


def _version(digest: ConfigDigest, *, is_static: bool) -> Line:
    if digest.is_warming:
        return line(Span(f"{text.DEGRADED_GLYPH} warming", Role.WARN), Span(f" {digest.version}", Role.DIM))
    return line(Span("static" if is_static else digest.version or text.UNKNOWN, Role.DIM))


def _story(name: Hashable, digests: dict[ResourceKey, ConfigDigest], *, is_odd: bool) -> Line:
    if not isinstance(name, ResourceKey):
        return BLANK
    digest = digests.get(name)
    parts = [
        line(Span(f"{name.kind.value} {name.name}", Role.STRONG)),
        line(Span(f"{MARK} differs from a sibling's", Role.WARN)) if is_odd else BLANK,
        note(f"refused: {digest.error}") if digest and digest.error else BLANK,
        note("taken, and waits for a secret or endpoints it needs") if digest and digest.is_warming else BLANK,
        note(f"version {digest.version}") if digest and digest.version else BLANK,
    ]
    return joined(parts, " · ")


def _identity(digest: ConfigDigest) -> ResourceKey:
    return ResourceKey(digest.kind, digest.name)


def held_resource(resources: Iterable[ConfigResource], name: ResourceKey) -> ConfigResource | None:
    """The resource of this kind and name, or None when it is not among them."""
    return next((one for one in resources if _identity(one.digest) == name), None)
