"""Edits of which requests a route takes and what it does to them: hostnames, matches, filters, timeouts.

Each takes a document and returns a new one. Positions count from 0. An edit only needs its place to exist; whether the
API takes the result is told by `limits`.
"""

from __future__ import annotations

from collections.abc import Sequence

from gwtui.changes.copying import copied
from gwtui.changes.documents import route_kind
from gwtui.changes.places import backend_at, check_position, copy_with_rule, listed, only, put, rule_at
from gwtui.changes.plan import Document
from gwtui.errors import UsageError

FILTER_FIELDS = {
    "RequestHeaderModifier": "requestHeaderModifier",
    "ResponseHeaderModifier": "responseHeaderModifier",
    "RequestRedirect": "requestRedirect",
    "URLRewrite": "urlRewrite",
    "RequestMirror": "requestMirror",
    "CORS": "cors",
    "ExternalAuth": "externalAuth",
    "ExtensionRef": "extensionRef",
}
"""Where a filter of each type says what it does."""


def new_filter(type_: str, does: Document) -> Document:
    """Return a filter of a type that does this: `new_filter("CORS", {"allowOrigins": ["*"]})`.

    Raises:
        UsageError: there is no such type.
    """
    if type_ not in FILTER_FIELDS:
        raise UsageError(f"there is no filter {type_}", f"it is one of {', '.join(FILTER_FIELDS)}")
    return {"type": type_, FILTER_FIELDS[type_]: copied(does)}


def set_hostnames(document: Document, hostnames: Sequence[str]) -> Document:
    """Return the route with these hostnames; with none it serves every hostname of its listeners.

    Raises:
        UsageError: a TCPRoute has no hostnames.
    """
    if route_kind(document) == "TCPRoute":
        raise UsageError("a TCPRoute has no hostnames", "a TCP connection does not name one")
    document = copied(document)
    return put(document, document.setdefault("spec", {}), "hostnames", list(hostnames))


def add_hostname(document: Document, hostname: str) -> Document:
    """Return the route with one more hostname.

    Raises:
        UsageError: it has it already.
    """
    present = listed(document.get("spec", {}), "hostnames")
    if hostname in present:
        raise UsageError(f"{hostname} is there already", "every hostname is listed once")
    return set_hostnames(document, [*present, hostname])


def remove_hostname(document: Document, hostname: str) -> Document:
    """Return the route without a hostname.

    Raises:
        UsageError: it has no such hostname.
    """
    present = listed(document.get("spec", {}), "hostnames")
    if hostname not in present:
        raise UsageError(f"there is no hostname {hostname}", f"it has {', '.join(map(str, present)) or 'none'}")
    return set_hostnames(document, [each for each in present if each != hostname])


def set_matches(document: Document, rule: int, matches: Sequence[Document]) -> Document:
    """Return the route with these matches in a rule; with none the rule takes everything.

    Raises:
        UsageError: there is no such rule, or its kind has no matches.
    """
    only(document, ("HTTPRoute", "GRPCRoute"), "matches")
    document, found = copy_with_rule(document, rule)
    return put(document, found, "matches", copied(list(matches)))


def add_match(document: Document, rule: int, match: Document) -> Document:
    """Return the route with one more match at the end of a rule. Raises as `set_matches`."""
    return set_matches(document, rule, [*listed(rule_at(document, rule), "matches"), match])


def replace_match(document: Document, rule: int, position: int, match: Document) -> Document:
    """Return the route with another match in a place. Raises as `set_matches`, and where there is none to replace."""
    present = listed(rule_at(document, rule), "matches")
    check_position(present, position, "match", rule)
    return set_matches(document, rule, [*present[:position], match, *present[position + 1 :]])


def remove_match(document: Document, rule: int, position: int) -> Document:
    """Return the route without a match. Raises as `replace_match`.

    Without any match a rule takes everything, which is no way to take less: the last one stays.
    """
    present = listed(rule_at(document, rule), "matches")
    check_position(present, position, "match", rule)
    if len(present) == 1:
        raise UsageError(f"rule {rule} would take every request without its only match", "remove the rule instead")
    return set_matches(document, rule, [*present[:position], *present[position + 1 :]])


def add_filter(document: Document, rule: int, filter_: Document, *, backend: int | None = None) -> Document:
    """Return the route with one more filter at the end.

    Args:
        document: the route.
        rule: position of the rule.
        filter_: the filter, as of `new_filter`.
        backend: position of the backendRef whose requests alone are filtered; None for the rule's own filters.

    Raises:
        UsageError: there is no such place, or its kind has no filters.
    """
    document, found = _copy_with_filters(document, rule, backend)
    return put(document, found, "filters", [*listed(found, "filters"), copied(filter_)])


def replace_filter(
    document: Document, rule: int, position: int, filter_: Document, *, backend: int | None = None
) -> Document:
    """Return the route with another filter in a place. Arguments and errors as `add_filter`."""
    document, found = _copy_with_filters(document, rule, backend)
    present = listed(found, "filters")
    check_position(present, position, "filter", rule)
    present[position] = copied(filter_)
    return put(document, found, "filters", present)


def remove_filter(document: Document, rule: int, position: int, *, backend: int | None = None) -> Document:
    """Return the route without a filter. Arguments and errors as `add_filter`."""
    document, found = _copy_with_filters(document, rule, backend)
    present = listed(found, "filters")
    check_position(present, position, "filter", rule)
    del present[position]
    return put(document, found, "filters", present)


def set_timeouts(
    document: Document, rule: int, *, request: str | None = None, backend_request: str | None = None
) -> Document:
    """Return the route with other timeouts in a rule.

    Args:
        document: an HTTPRoute.
        rule: position of the rule.
        request: of the whole request, `10s`; None leaves it, an empty text removes it.
        backend_request: of one try, in the same way.

    Raises:
        UsageError: there is no such rule, or its kind has no timeouts.
    """
    only(document, ("HTTPRoute",), "timeouts")
    document, found = copy_with_rule(document, rule)
    wished = {"request": request, "backendRequest": backend_request}
    timeouts = {**(found.get("timeouts") or {}), **{name: value for name, value in wished.items() if value is not None}}
    return put(document, found, "timeouts", {name: value for name, value in timeouts.items() if value})


def _copy_with_filters(document: Document, rule: int, backend: int | None) -> tuple[Document, Document]:
    only(document, ("HTTPRoute", "GRPCRoute"), "filters")
    document = copied(document)
    return document, rule_at(document, rule) if backend is None else backend_at(document, rule, backend)
