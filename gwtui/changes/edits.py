"""Edits of where a route sends requests: rules, backends, weights.

Each takes a document and returns a new one. Positions count from 0. An edit only needs its place to exist; whether the
API takes the result is told by `limits`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from gwtui.changes.copying import copied
from gwtui.changes.documents import Backend, backends_of, namespace_of, rules_of, target_of, weight_of
from gwtui.changes.places import backend_at, check_position, copy_with_rule, listed, put, rule_at
from gwtui.changes.plan import Document
from gwtui.errors import UsageError

MOST_WEIGHT = 1_000_000
"""The largest weight the API takes."""


def set_weight(document: Document, rule: int, backend: int, weight: int, *, keeps_sum: bool = False) -> Document:
    """Return the route with another weight for a backend.

    Args:
        document: the route.
        rule: position of the rule.
        backend: position of the backendRef.
        weight: the new weight.
        keeps_sum: take the difference from the other backends of the rule, or give it to them, in proportion to
            what they have.

    Raises:
        UsageError: there is no such place, the weight is out of range, or the sum cannot be kept.
    """
    backend_at(document, rule, backend)
    if not keeps_sum:
        return set_weights(document, rule, {backend: weight})
    weights = [weight_of(ref) for ref in backends_of(rule_at(document, rule))]
    others = [each for each in range(len(weights)) if each != backend]
    rest = sum(weights) - weight
    if not others:
        raise UsageError(f"rule {rule} has no other backend to shift to", "add one first, or do not keep the sum")
    if rest < 0:
        raise UsageError(f"weight {weight} is more than the sum of rule {rule}, {sum(weights)}", "do not keep the sum")
    parts = _apportioned(rest, [weights[each] for each in others])
    return set_weights(document, rule, {backend: weight, **dict(zip(others, parts, strict=True))})


def shift_weight(document: Document, rule: int, backend: int, step: int, *, keeps_sum: bool = True) -> Document:
    """Return the route with a backend's weight moved by a step, as far as it goes: not below 0, not above the sum.

    Arguments and errors as `set_weight`.
    """
    refs = backends_of(rule_at(document, rule))
    most = sum(weight_of(ref) for ref in refs) if keeps_sum else MOST_WEIGHT
    weight = weight_of(backend_at(document, rule, backend)) + step
    return set_weight(document, rule, backend, max(0, min(weight, most, MOST_WEIGHT)), keeps_sum=keeps_sum)


def set_weights(document: Document, rule: int, weights: Mapping[int, int]) -> Document:
    """Return the route with other weights, by position of the backendRef.

    Raises:
        UsageError: there is no such place, or a weight is out of range.
    """
    document, _ = copy_with_rule(document, rule)
    for backend, weight in weights.items():
        ref = backend_at(document, rule, backend)
        if not 0 <= weight <= MOST_WEIGHT:
            raise UsageError(f"weight {weight} is out of range", f"weights are 0 to {MOST_WEIGHT}")
        if ref.get("weight") != weight and not ("weight" not in ref and weight == 1):
            ref["weight"] = weight
    return document


def _apportioned(total: int, weights: Sequence[int]) -> list[int]:
    """Divide a total in proportion to weights, evenly where all are 0; the largest remainders are rounded up."""
    shares = weights if any(weights) else [1] * len(weights)
    whole = sum(shares)
    parts = [total * share // whole for share in shares]
    by_remainder = sorted(range(len(shares)), key=lambda each: (-(total * shares[each] % whole), each))
    for each in by_remainder[: total - sum(parts)]:
        parts[each] += 1
    return parts


def add_rule(document: Document, rule: Document, *, at: int | None = None) -> Document:
    """Return the route with one more rule, at a position or at the end."""
    document = copied(document)
    spec = document.setdefault("spec", {})
    rules = listed(spec, "rules")
    if at is not None and not 0 <= at <= len(rules):
        raise UsageError(f"there is no place {at} among {len(rules)} rules", f"name one from 0 to {len(rules)}")
    rules.insert(len(rules) if at is None else at, copied(rule))
    return put(document, spec, "rules", rules)


def copy_rule(document: Document, rule: int) -> Document:
    """Return the route with a copy of a rule after it. The copy has no name: names are unique.

    Raises:
        UsageError: there is no such rule.
    """
    copy = {name: part for name, part in rule_at(document, rule).items() if name != "name"}
    return add_rule(document, copy, at=rule + 1)


def remove_rule(document: Document, rule: int) -> Document:
    """Return the route without a rule.

    Raises:
        UsageError: there is no such rule, or no other: the API fills in one that takes everything.
    """
    document, _ = copy_with_rule(document, rule)
    if len(document["spec"]["rules"]) == 1:
        raise UsageError("a route needs a rule, and this is its only one", "delete the route instead")
    del document["spec"]["rules"][rule]
    return document


def move_rule(document: Document, rule: int, to: int) -> Document:
    """Return the route with a rule in another position: `move_rule(route, 2, 1)` moves it up.

    Raises:
        UsageError: one of the positions does not exist.
    """
    rule_at(document, to)
    document, _ = copy_with_rule(document, rule)
    rules = document["spec"]["rules"]
    rules.insert(to, rules.pop(rule))
    return document


def add_backend(document: Document, rule: int, ref: Document, *, at: int | None = None) -> Document:
    """Return the route with one more backendRef in a rule, at a position or at the end.

    Raises:
        UsageError: there is no such rule or place.
    """
    document, found = copy_with_rule(document, rule)
    refs = listed(found, "backendRefs")
    if at is not None and not 0 <= at <= len(refs):
        raise UsageError(f"there is no place {at} among {len(refs)} backends", f"name one from 0 to {len(refs)}")
    refs.insert(len(refs) if at is None else at, copied(ref))
    return put(document, found, "backendRefs", refs)


def remove_backend(document: Document, rule: int, backend: int) -> Document:
    """Return the route without a backendRef.

    Raises:
        UsageError: there is no such rule or backend.
    """
    document, found = copy_with_rule(document, rule)
    refs = listed(found, "backendRefs")
    check_position(refs, backend, "backend", rule)
    del refs[backend]
    return put(document, found, "backendRefs", refs)


def move_backend(document: Document, rule: int, backend: int, to: int) -> Document:
    """Return the route with a backendRef in another position of its rule.

    Raises:
        UsageError: there is no such rule, backend or position.
    """
    document, found = copy_with_rule(document, rule)
    refs = listed(found, "backendRefs")
    for position in (backend, to):
        check_position(refs, position, "backend", rule)
    refs.insert(to, refs.pop(backend))
    return put(document, found, "backendRefs", refs)


def weight_args(document: Document, words: Iterable[str], rule: int | None = None) -> tuple[int, dict[int, int]]:
    """Return the rule and the weights by position of its backendRefs that words like `infra/shard-a=50` mean.

    Args:
        document: the route.
        words: `BACKEND=WEIGHT`; the backend as `name`, `namespace/name`, either with `:port` where needed.
        rule: position of the rule; None finds the only one that has all these backends.

    Raises:
        UsageError: a word is not of that form, or names no backend or several; the text names the candidates.
    """
    wishes = [_wish(word) for word in words]
    if not wishes:
        raise UsageError("no weight is given", "name BACKEND=WEIGHT")
    namespace = namespace_of(document)
    targets = [[target_of(ref, namespace) for ref in backends_of(each)] for each in rules_of(document)]
    if rule is None:
        fitting = [each for each, have in enumerate(targets) if all(_named(have, name) for name, _ in wishes)]
        if len(fitting) > 1:
            raise UsageError(f"rules {', '.join(map(str, fitting))} have these backends", "add --rule N")
        if not fitting:
            names = ", ".join(sorted({each.label for have in targets for each in have})) or "none"
            wanted = " and ".join(name for name, _ in wishes)
            raise UsageError(f"no rule has {wanted}", f"the backends of this route are {names}")
        rule = fitting[0]
    rule_at(document, rule)
    weights: dict[int, int] = {}
    for name, weight in wishes:
        position = _position(targets[rule], name, rule)
        if position in weights:
            raise UsageError(f"{name} is given two weights", "name each backend once")
        weights[position] = weight
    return rule, weights


def _wish(word: str) -> tuple[str, int]:
    name, sign, text = word.rpartition("=")
    if not (name and sign and text.isascii() and text.isdigit()):
        raise UsageError(f"{word!r} is no weight", "write BACKEND=WEIGHT, as in shard-b=50")
    if int(text) > MOST_WEIGHT:
        raise UsageError(f"weight {text} is out of range", f"weights are 0 to {MOST_WEIGHT}")
    return name, int(text)


def _named(targets: Sequence[Backend], name: str) -> list[int]:
    """Positions of the backends that a word may mean."""
    name, _, port = name.partition(":")
    namespace, slash, name = name.rpartition("/")
    return [
        index
        for index, each in enumerate(targets)
        if each.name == name and (not slash or each.namespace == namespace) and (not port or str(each.port) == port)
    ]


def _position(targets: Sequence[Backend], name: str, rule: int) -> int:
    found = _named(targets, name)
    if len(found) == 1:
        return found[0]
    candidates = ", ".join(_full(targets[each]) for each in found or range(len(targets))) or "none"
    if found:
        raise UsageError(f"{name} may be any of {len(found)} backends of rule {rule}", f"name one of {candidates}")
    raise UsageError(f"rule {rule} has no backend {name}", f"it has {candidates}")


def _full(target: Backend) -> str:
    return target.label if target.port is None else f"{target.label}:{target.port}"
