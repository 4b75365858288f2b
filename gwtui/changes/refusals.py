"""What forbids a change: known traps, rights, and a view that is too old to judge by. Each with the safe way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from gwtui.changes import documents
from gwtui.changes.backends import Backends, references
from gwtui.changes.limits import problems
from gwtui.changes.plan import Document, Refusal
from gwtui.changes.projection import decoded
from gwtui.changes.rights import Rule as Right
from gwtui.changes.rights import allows
from gwtui.changes.rule_pairs import paired, rules_of
from gwtui.errors import UsageError
from gwtui.model import resources
from gwtui.model.gateway_api import GATEWAY_API, BackendRef, Route, Rule
from gwtui.model.health import SourceHealth, SourceState
from gwtui.model.ids import ObjectKey
from gwtui.model.relations.attachment import is_delegation
from gwtui.model.resources import ROUTES
from gwtui.model.snapshot import ClusterView, Snapshot

_NOT_CURRENT = {
    SourceState.LOADING: "not read yet",
    SourceState.FORBIDDEN: "may not be read",
    SourceState.FAILED: "cannot be read",
    SourceState.STALE: "no longer followed",
    SourceState.NOT_SERVED: "not served",
}


def refusals(
    snapshot: Snapshot,
    key: ObjectKey,
    before: Document,
    after: Document,
    *,
    rules: Sequence[Right] | None,
    now: datetime,
    read_only: bool = False,
) -> tuple[Refusal, ...]:
    """Return everything that forbids an edit of one route. What was so before the edit does not forbid it.

    Args:
        snapshot: Everything known.
        key: The route.
        before: As it is.
        after: As it is wished.
        rules: What we may do in its namespace; None when the server does not tell.
        now: The time.
        read_only: Whether the console may write at all.
    """
    return tuple(_all(snapshot, key, before, after, rules=rules, now=now, read_only=read_only))


def _all(
    snapshot: Snapshot,
    key: ObjectKey,
    before: Document,
    after: Document,
    *,
    rules: Sequence[Right] | None,
    now: datetime,
    read_only: bool,
) -> Iterator[Refusal]:
    if read_only:
        yield Refusal(
            code="read-only",
            text="this console is read-only",
            safe_way="start it without --read-only to make changes",
        )
    yield from _no_right(key, rules)
    view = snapshot.clusters.get(key.cluster)
    yield from _not_connected(key) if view is None else _stale(view, key, before, now)
    limits = tuple(_limits(before, after))
    yield from limits
    try:
        old, new = decoded(before), decoded(after)
    except UsageError as error:
        if not limits:
            yield Refusal(code="limit", text=error.message, safe_way=error.hint)
        return
    yield from _weights(rules_of(old), rules_of(new))
    if view is not None:
        backends = Backends(snapshot, view)
        yield from _references(backends, key, old, new)
        yield from _last_ready(backends, key.namespace, rules_of(old), rules_of(new))


def _no_right(key: ObjectKey, rules: Sequence[Right] | None) -> Iterator[Refusal]:
    plural, _, group = key.resource.partition(".")
    if rules is not None and not allows(rules, verb="patch", group=group, plural=plural, name=key.name):
        yield Refusal(
            code="no-right",
            text=f"we may not patch {key}",
            safe_way=f"ask for a role that allows patch on {key.resource} in namespace {key.namespace}",
        )


def _not_connected(key: ObjectKey) -> Iterator[Refusal]:
    yield Refusal(code="stale", text=f"nothing is known of cluster {key.cluster}", safe_way="`gwtui doctor` tells why")


def _stale(view: ClusterView, key: ObjectKey, before: Document, now: datetime) -> Iterator[Refusal]:
    own = [view.sources[each] for each in (key.resource, f"{key.resource}@{key.namespace}") if each in view.sources]
    if not any(health.state in {SourceState.READY, SourceState.PARTIAL} for health in own):
        yield _outdated(view.name, key.resource, own[-1] if own else None, now)
    for source in ("api", resources.GATEWAYS, resources.SERVICES):
        health = view.sources.get(source)
        if health is not None and health.state in {SourceState.FAILED, SourceState.STALE}:
            yield _outdated(view.name, source, health, now)
    seen: Route | None = view.objects.get(key.resource, {}).get((key.namespace, key.name))
    metadata = before.get("metadata") or {}
    if seen is None:
        return
    is_another = metadata.get("uid") and seen.metadata.uid and metadata["uid"] != seen.metadata.uid
    if is_another or seen.metadata.generation > (metadata.get("generation") or seen.metadata.generation):
        what = "is another object by now" if is_another else f"is at generation {seen.metadata.generation} by now"
        yield Refusal(code="stale", text=f"{key} {what}", safe_way="make the plan once more")


def _outdated(cluster: str, source: str, health: SourceHealth | None, now: datetime) -> Refusal:
    name = "the API server" if source == "api" else source.partition(".")[0]
    if health is None:
        return Refusal(code="stale", text=f"{name} of {cluster} are not read yet", safe_way="wait until they are")
    age_s = max(0.0, (now - health.since).total_seconds())
    detail = f": {health.detail}" if health.detail else ""
    return Refusal(
        code="stale",
        text=f"{name} of {cluster}: {_NOT_CURRENT.get(health.state, health.state)} for {age_s:.0f} s{detail}",
        safe_way=health.hint or "wait until the view is current again; `gwtui doctor` tells what is wrong",
    )


def _weights(old: Sequence[Rule], new: Sequence[Rule]) -> Iterator[Refusal]:
    """Weights that do not do what they seem to say."""
    for position, rule, earlier in _edited(old, new):
        if _is_lone_zero(rule) and not (earlier is not None and _is_lone_zero(earlier)):
            name = rule.backend_refs[0].name
            yield Refusal(
                code="lone-weight-zero",
                text=f"rule {position}: {name} is the only backend, and one alone gets everything whatever its weight",
                safe_way=f"add the backend that takes over, see it ready, then set {name} to 0",
            )
        if _is_all_zero(rule) and not (earlier is not None and _is_all_zero(earlier)):
            yield Refusal(
                code="all-zero",
                text=f"rule {position}: no backend has a weight, so that every request gets an error",
                safe_way="leave a weight above 0 on the backend that is to take the requests",
            )


def _is_lone_zero(rule: Rule) -> bool:
    return len(rule.backend_refs) == 1 and not rule.backend_refs[0].weight and not is_delegation(rule.backend_refs[0])


def _is_all_zero(rule: Rule) -> bool:
    return len(rule.backend_refs) > 1 and not any(ref.weight or is_delegation(ref) for ref in rule.backend_refs)


def _limits(before: Document, after: Document) -> Iterator[Refusal]:
    """Limits of the API that the edit breaks."""
    known = {(each.text, each.limit) for each in problems(before)}
    redirecting = {
        f"spec.rules[{position}].backendRefs"
        for position, rule in enumerate(documents.rules_of(after))
        if any(each.get("requestRedirect") is not None for each in documents.filters_of(rule))
    }
    for each in problems(after):
        if (each.text, each.limit) in known:
            continue
        text = f"{each.path}: {each.text}"
        if each.path in redirecting:
            way = "remove the backends, or put the redirect into a rule of its own"
            yield Refusal(code="redirect-with-backends", text=text, safe_way=way)
        else:
            yield Refusal(code="limit", text=text, safe_way=f"keep to what is allowed: {each.limit}")


def _references(backends: Backends, key: ObjectKey, old: Route, new: Route) -> Iterator[Refusal]:
    """Backends that the edit names anew and that requests would not reach."""
    known = {ref for _, ref in references(old)}
    kind = ROUTES[key.resource]
    for position, ref in references(new):
        if ref in known:
            continue
        if missing := backends.missing(ref, key.namespace):
            yield Refusal(
                code="no-backend",
                text=f"rule {position}: {missing}, so that its part of the requests gets an error",
                safe_way="create it first, or correct the name",
            )
        if ungranted := backends.ungranted(ref, kind, key.namespace):
            space = ref.namespace or key.namespace
            yield Refusal(
                code="no-grant",
                text=f"rule {position}: {ungranted}, so that its part of the requests gets an error",
                safe_way=f"have a ReferenceGrant made in {space}: from {GATEWAY_API} {kind} of {key.namespace}",
            )


def _last_ready(backends: Backends, namespace: str, old: Sequence[Rule], new: Sequence[Rule]) -> Iterator[Refusal]:
    """Edits after which none of a rule's backends has anything ready, where one had before."""
    for position, rule, earlier in _edited(old, new):
        if earlier is None:
            continue
        left, had = _serving(rule), _serving(earlier)
        found = [(ref, backends.ready(ref, namespace)) for ref in left]
        if not left or any(ready is None or ready.ready for _, ready in found):
            continue
        lost = [ref for ref in had if (ready := backends.ready(ref, namespace)) is None or ready.ready]
        if lost:
            names = ", ".join(f"{ref.namespace or namespace}/{ref.name}" for ref in left)
            yield Refusal(
                code="last-ready-backend",
                text=f"rule {position}: what is left for its requests has no ready endpoint: {names}",
                safe_way=f"see {names} ready first, or leave {lost[0].name} a weight",
            )


def _serving(rule: Rule) -> list[BackendRef]:
    """The backends that get requests: the only one whatever its weight."""
    refs = [ref for ref in rule.backend_refs if not is_delegation(ref)]
    return list(refs) if len(rule.backend_refs) == 1 else [ref for ref in refs if ref.weight]


def _edited(old: Sequence[Rule], new: Sequence[Rule]) -> Iterator[tuple[int, Rule, Rule | None]]:
    """The rules that an edit changes or adds, with what they were."""
    for pair in paired(old, new):
        earlier = old[pair.before] if pair.before is not None else None
        if pair.after is not None and new[pair.after] != earlier:
            yield pair.after, new[pair.after], earlier
