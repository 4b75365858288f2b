"""A route taken apart into the things an editor shows, and how each of them is changed by what somebody types.

What is typed is YAML, as in the object itself: `{path: {type: Exact, value: /cart}, method: GET}`.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Any, NamedTuple

import yaml

from gwtui.changes import edits, request_edits
from gwtui.changes.documents import backends_of, filters_of, hostnames_of, matches_of, route_kind, rules_of
from gwtui.changes.plan import Document
from gwtui.errors import UsageError


class Part(StrEnum):
    """Kinds of things in a route."""

    HOSTNAME = "hostname"
    RULE = "rule"
    MATCH = "match"
    FILTER = "filter"
    BACKEND = "backend"
    BACKEND_FILTER = "backend filter"
    TIMEOUT = "timeout"


class Spot(NamedTuple):
    """Where a thing is."""

    part: Part
    rule: int = -1
    """Position of the rule; -1 for what belongs to the whole route."""
    position: int = -1
    """Position within the rule, or of the hostname; for a timeout 0 is `request`, 1 is `backendRequest`."""
    inner: int = -1
    """Position of a filter within its backend."""


TIMEOUTS = ("request", "backendRequest")

TEMPLATES: dict[str, Any] = {
    "header": {
        "type": "RequestHeaderModifier",
        "requestHeaderModifier": {"set": [{"name": "x-name", "value": "value"}]},
    },
    "response-header": {
        "type": "ResponseHeaderModifier",
        "responseHeaderModifier": {"set": [{"name": "x-name", "value": "value"}]},
    },
    "redirect": {"type": "RequestRedirect", "requestRedirect": {"scheme": "https", "statusCode": 301}},
    "rewrite": {
        "type": "URLRewrite",
        "urlRewrite": {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}},
    },
    "mirror": {
        "type": "RequestMirror",
        "requestMirror": {"backendRef": {"name": "service", "port": 80}, "percent": 10},
    },
    "cors": {"type": "CORS", "cors": {"allowOrigins": ["https://app.test"], "allowMethods": ["GET"]}},
}
"""What stands for a new filter when its name is typed."""


def spots(document: Document) -> Iterator[Spot]:
    """Yield everything in a route that can be edited, in the order of the document."""
    has_requests = route_kind(document) in {"HTTPRoute", "GRPCRoute"}
    for index, _ in enumerate(hostnames_of(document)):
        yield Spot(Part.HOSTNAME, position=index)
    for number, rule in enumerate(rules_of(document)):
        yield Spot(Part.RULE, number)
        if has_requests:
            for index, _ in enumerate(matches_of(rule)):
                yield Spot(Part.MATCH, number, index)
            for index, _ in enumerate(filters_of(rule)):
                yield Spot(Part.FILTER, number, index)
        for index, ref in enumerate(backends_of(rule)):
            yield Spot(Part.BACKEND, number, index)
            for inner, _ in enumerate(filters_of(ref)):
                yield Spot(Part.BACKEND_FILTER, number, index, inner)
        for index, name in enumerate(TIMEOUTS):
            if (rule.get("timeouts") or {}).get(name):
                yield Spot(Part.TIMEOUT, number, index)


def value_at(document: Document, spot: Spot) -> Any:  # noqa: PLR0911 - one way per kind of thing
    """Return what is at a place: a text for hostnames and timeouts, else an object."""
    if spot.part is Part.HOSTNAME:
        return hostnames_of(document)[spot.position]
    rule = rules_of(document)[spot.rule]
    match spot.part:
        case Part.MATCH:
            return matches_of(rule)[spot.position]
        case Part.FILTER:
            return filters_of(rule)[spot.position]
        case Part.BACKEND:
            return {name: part for name, part in backends_of(rule)[spot.position].items() if name != "filters"}
        case Part.BACKEND_FILTER:
            return filters_of(backends_of(rule)[spot.position])[spot.inner]
        case Part.TIMEOUT:
            return rule["timeouts"][TIMEOUTS[spot.position]]
        case _:
            return rule


def typed_form(value: Any) -> str:
    """Return a value as one line to edit."""
    if isinstance(value, str):
        return value
    return yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10_000, allow_unicode=True).strip()


def changed(document: Document, spot: Spot, typed: str) -> Document:  # noqa: PLR0911 - one way per kind of thing
    """Return the route with something else at a place.

    Raises:
        UsageError: what was typed cannot stand there.
    """
    match spot.part:
        case Part.HOSTNAME:
            present = hostnames_of(document)
            return request_edits.set_hostnames(
                document, [*present[: spot.position], typed, *present[spot.position + 1 :]]
            )
        case Part.TIMEOUT:
            return _timed(document, spot, typed)
        case Part.MATCH:
            return request_edits.replace_match(document, spot.rule, spot.position, parsed(typed))
        case Part.FILTER:
            return request_edits.replace_filter(document, spot.rule, spot.position, _filter(typed))
        case Part.BACKEND_FILTER:
            return request_edits.replace_filter(document, spot.rule, spot.inner, _filter(typed), backend=spot.position)
        case Part.BACKEND:
            return _with_backend(document, spot, typed)
        case _:
            without = edits.add_rule(document, parsed(typed), at=spot.rule)
            return edits.remove_rule(without, spot.rule + 1)


def added(document: Document, spot: Spot, typed: str) -> Document:  # noqa: PLR0911 - one way per kind of thing
    """Return the route with one more of what is at a place; a rule comes after the one at the place.

    Raises:
        UsageError: what was typed cannot stand there.
    """
    match spot.part:
        case Part.HOSTNAME:
            return request_edits.add_hostname(document, typed)
        case Part.MATCH:
            return request_edits.add_match(document, spot.rule, parsed(typed))
        case Part.FILTER:
            return request_edits.add_filter(document, spot.rule, _filter(typed))
        case Part.BACKEND_FILTER:
            return request_edits.add_filter(document, spot.rule, _filter(typed), backend=spot.position)
        case Part.BACKEND:
            return edits.add_backend(document, spot.rule, parsed(typed))
        case Part.TIMEOUT:
            return _timed(document, spot, typed)
        case _:
            return edits.add_rule(document, parsed(typed), at=spot.rule + 1)


def removed(document: Document, spot: Spot) -> Document:  # noqa: PLR0911 - one way per kind of thing
    """Return the route without what is at a place.

    Raises:
        UsageError: the route cannot do without it.
    """
    match spot.part:
        case Part.HOSTNAME:
            return request_edits.remove_hostname(document, hostnames_of(document)[spot.position])
        case Part.TIMEOUT:
            return _timed(document, spot, "")
        case Part.MATCH:
            return request_edits.remove_match(document, spot.rule, spot.position)
        case Part.FILTER:
            return request_edits.remove_filter(document, spot.rule, spot.position)
        case Part.BACKEND_FILTER:
            return request_edits.remove_filter(document, spot.rule, spot.inner, backend=spot.position)
        case Part.BACKEND:
            return edits.remove_backend(document, spot.rule, spot.position)
        case _:
            return edits.remove_rule(document, spot.rule)


def moved(document: Document, spot: Spot, by: int) -> tuple[Document, Spot]:
    """Return the route with a rule or a backend moved among its siblings, and where it is then.

    Raises:
        UsageError: it is at the end already, or things of its kind have no order.
    """
    if spot.part is Part.RULE:
        return edits.move_rule(document, spot.rule, spot.rule + by), spot._replace(rule=spot.rule + by)
    if spot.part is Part.BACKEND:
        return (
            edits.move_backend(document, spot.rule, spot.position, spot.position + by),
            spot._replace(position=spot.position + by),
        )
    raise UsageError(f"the order of a {spot.part} means nothing", "rules and backends can be moved")


def parsed(typed: str) -> Document:
    """Return what was typed as an object.

    Raises:
        UsageError: it is none.
    """
    try:
        found = yaml.safe_load(typed)
    except yaml.YAMLError as error:
        raise UsageError(f"that is no YAML: {' '.join(str(error).split())}", "write {name: value, …}") from error
    if not isinstance(found, dict):
        raise UsageError(f"{typed!r} is no object", "write {name: value, …}")
    return found


def whole(document: Document, typed: str) -> Document:
    """Return `with_content` of what was typed.

    Raises:
        UsageError: that is no object with a spec.
    """
    return with_content(document, parsed(typed))


def with_content(document: Document, wanted: Document) -> Document:
    """Return the object with the spec, the labels and the annotations of another; the rest stays.

    Raises:
        UsageError: the other has no spec.
    """
    if not isinstance(wanted.get("spec"), dict):
        raise UsageError("there is no spec", "leave the object whole")
    asked = wanted.get("metadata") or {}
    parts = {name: asked[name] for name in ("labels", "annotations") if asked.get(name)}
    kept = {name: part for name, part in document["metadata"].items() if name not in {"labels", "annotations"}}
    return {**document, "metadata": {**kept, **parts}, "spec": wanted["spec"]}


def _filter(typed: str) -> Document:
    return dict(TEMPLATES[typed.strip()]) if typed.strip() in TEMPLATES else parsed(typed)


def _timed(document: Document, spot: Spot, typed: str) -> Document:
    if spot.position == 0:
        return request_edits.set_timeouts(document, spot.rule, request=typed)
    return request_edits.set_timeouts(document, spot.rule, backend_request=typed)


def _with_backend(document: Document, spot: Spot, typed: str) -> Document:
    """A bare number is a weight; else the whole reference, whose own filters stay."""
    if typed.strip().isdecimal():
        return edits.set_weight(document, spot.rule, spot.position, int(typed))
    kept = filters_of(backends_of(rules_of(document)[spot.rule])[spot.position])
    wanted = {**parsed(typed), **({"filters": kept} if kept else {})}
    with_new = edits.add_backend(document, spot.rule, wanted, at=spot.position)
    return edits.remove_backend(with_new, spot.rule, spot.position + 1)
