"""What to weigh before a change is confirmed: who else writes the object, and what is not forbidden but unwise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from gwtui.changes.backends import Backends
from gwtui.changes.plan import BlastRadius, Caution, Document, Owner
from gwtui.changes.projection import Outlook, decoded, outlook
from gwtui.changes.rule_pairs import destinations, paired, rules_of
from gwtui.changes.rule_rates import words
from gwtui.changes.shadowing import shadowing
from gwtui.errors import UsageError
from gwtui.model import owners as traces
from gwtui.model.gateway_api import BackendRef, Rule
from gwtui.model.ids import ObjectKey
from gwtui.model.meta import OwnerReference
from gwtui.model.relations.attachment import is_delegation
from gwtui.model.snapshot import Snapshot

NEAR_PEAK = 0.8
"""Part of the observed peak above which a load is worth a word."""

SHORT_WINDOW_S = 3600.0
"""A peak watched for less than this says little."""

FIELD_MANAGER = "gwtui"
"""Our own name as a field manager."""


def cautions(
    snapshot: Snapshot,
    key: ObjectKey,
    before: Document,
    after: Document,
    blast: BlastRadius,
    *,
    ahead: Outlook | None = None,
) -> tuple[Caution, ...]:
    """Return what to weigh before an edit of one route is confirmed.

    Args:
        snapshot: Everything known.
        key: The route.
        before: As it is.
        after: As it is wished.
        blast: What the edit moves.
        ahead: The outlook on it, where it was made already.
    """
    view = snapshot.clusters.get(key.cluster)
    if view is None:
        return ()
    try:
        old, new = rules_of(decoded(before)), rules_of(decoded(after))
        shadows = shadowing(*(ahead or outlook(view, (before,), (after,))), {key})
    except UsageError:
        return ()
    backends = Backends(snapshot, view)
    return (
        *near_peak(blast),
        *_unready(backends, key.namespace, old, new),
        *_two_protocols(backends, key.namespace, old, new),
        *shadows,
    )


def near_peak(blast: BlastRadius) -> Iterator[Caution]:
    """Yield the gateways that would take nearly as much as they were ever seen to take, or more."""
    for load in blast.loads:
        share = load.share_of_peak
        if share is None or load.then_rps is None or load.now_rps is None or load.peak_rps is None:
            continue
        if share > NEAR_PEAK and load.then_rps > load.now_rps:
            watched = f"in the {_span(load.peak_window_s)} it was watched"
            doubt = ", which is a short time" if load.peak_window_s < SHORT_WINDOW_S else ""
            yield Caution(
                code="near-peak",
                text=f"{load.gateway} would take {words(load.then_rps)}: {share:.0%} of the most it was seen to take "
                f"({words(load.peak_rps)} {watched}{doubt})",
            )


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def owners(stored: Document) -> tuple[Owner, ...]:
    """Return who else writes an object, those first that will put back what they want.

    Args:
        stored: The object as the API has it, `managedFields` included.
    """
    metadata = stored.get("metadata") or {}
    managed = dict(_managed(metadata.get("managedFields") or ()))
    references = [
        OwnerReference(kind=each.get("kind", ""), name=each.get("name", ""), api_version=each.get("apiVersion", ""))
        for each in metadata.get("ownerReferences") or ()
    ]
    known = traces.owners(metadata.get("labels") or {}, metadata.get("annotations") or {}, tuple(managed), references)
    found = [
        Owner(
            name=each.name,
            evidence=", ".join(_with_fields(evidence, managed) for evidence in each.evidence),
            reverts=each.kind.reverts,
        )
        for each in known
    ]
    told = " ".join(owner.evidence for owner in found)
    found += [
        Owner(name=manager, evidence=f"manages {', '.join(fields)}")
        for manager, fields in managed.items()
        if fields and manager != FIELD_MANAGER and f" as {manager}" not in told
    ]
    return tuple(sorted(found, key=lambda owner: not owner.reverts))


def _with_fields(evidence: str, managed: Mapping[str, Sequence[str]]) -> str:
    """The evidence, with the fields in it where it is about a field manager."""
    for manager, fields in managed.items():
        if fields and evidence == f"manages fields as {manager}":
            return f"manages {', '.join(fields)} as {manager}"
    return evidence


def _managed(entries: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every field manager that writes more than the status, with the parts of the spec it manages."""
    found: dict[str, dict[str, None]] = {}
    for each in entries:
        if each.get("subresource") == "status":
            continue
        fields = found.setdefault(str(each.get("manager", "")), {})
        spec = (each.get("fieldsV1") or {}).get("f:spec")
        names = [name.removeprefix("f:") for name in spec if name.startswith("f:")] if isinstance(spec, dict) else []
        fields.update((f"spec.{name}", None) for name in sorted(names))
    for manager, paths in found.items():
        yield manager, tuple(paths)


def _unready(backends: Backends, namespace: str, old: Sequence[Rule], new: Sequence[Rule]) -> Iterator[Caution]:
    """Backends that get more while not all of them is ready."""
    for position, rule, earlier in _divided(old, new):
        had = destinations(earlier, namespace) if earlier is not None else {}
        gets = destinations(rule, namespace)
        for ref in rule.backend_refs:
            target = (ref.group, ref.kind, ref.namespace or namespace, ref.name, str(ref.port))
            ready = backends.ready(ref, namespace)
            if ready is not None and ready.ready < max(1, ready.total) and gets.get(target, 0.0) > had.get(target, 0.0):
                yield Caution(
                    code="unhealthy-target",
                    text=f"rule {position} sends more to {target[2]}/{ref.name}, of which {ready.ready} of "
                    f"{ready.total} endpoints are ready (told by {ready.seen_by})",
                )


def _two_protocols(backends: Backends, namespace: str, old: Sequence[Rule], new: Sequence[Rule]) -> Iterator[Caution]:
    for position, rule, _ in _divided(old, new):
        found: dict[str, BackendRef] = {}
        for ref in rule.backend_refs:
            protocol = backends.protocol(ref, namespace)
            if protocol is not None and not is_delegation(ref):
                found.setdefault(protocol, ref)
        if len(found) > 1:
            parts = [f"{ref.name} {protocol or 'names none'}" for protocol, ref in sorted(found.items())]
            yield Caution(
                code="two-protocols",
                text=f"rule {position} divides requests among backends of several protocols: {', '.join(parts)}",
            )


def _divided(old: Sequence[Rule], new: Sequence[Rule]) -> Iterator[tuple[int, Rule, Rule | None]]:
    """The rules whose backends an edit changes, with what they were."""
    for pair in paired(old, new):
        earlier = old[pair.before] if pair.before is not None else None
        if pair.after is not None:
            rule = new[pair.after]
            if earlier is None or rule.backend_refs != earlier.backend_refs:
                yield pair.after, rule, earlier
