"""Routes as an operator may write them, valid ones, and the edits an editor makes of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from gwtui.changes import edits, request_edits
from gwtui.changes.plan import Document
from gwtui.errors import UsageError

Edit = Callable[[Document], Document]

WEIGHTS = st.integers(0, 100) | st.sampled_from([0, 1, 1_000_000])
SMALL = st.integers(0, 5)
HOSTNAMES = st.sampled_from(["a.test", "b.test", "*.c.test", "api.a.test", "d.test"])
PATHS = st.builds(
    lambda type_, value: {"type": type_, "value": value},
    st.sampled_from(["Exact", "PathPrefix"]),
    st.sampled_from(["/", "/a", "/a/b", "/checkout", "/v1%20"]),
)
HEADERS = st.fixed_dictionaries(
    {"name": st.sampled_from(["x-a", "x-b", "x-c"]), "value": st.sampled_from(["1", "2"])},
    optional={"type": st.sampled_from(["Exact", "RegularExpression"])},
)
HEADER_LISTS = st.lists(HEADERS, max_size=3, unique_by=lambda header: header["name"])
MATCHES = st.fixed_dictionaries(
    {},
    optional={
        "path": PATHS,
        "method": st.sampled_from(["GET", "POST"]),
        "headers": HEADER_LISTS,
        "queryParams": HEADER_LISTS,
    },
)
GRPC_MATCHES = st.fixed_dictionaries(
    {},
    optional={
        "method": st.fixed_dictionaries(
            {"service": st.sampled_from(["shop.Cart", "shop.Pay"])}, optional={"method": st.just("Get")}
        ),
        "headers": HEADER_LISTS,
    },
)
_PLAIN_HEADERS = st.lists(
    st.fixed_dictionaries({"name": st.sampled_from(["x-a", "x-b"]), "value": st.sampled_from(["1", "2"])}),
    max_size=2,
    unique_by=lambda header: header["name"],
)
_CHANGES = st.fixed_dictionaries(
    {}, optional={"set": _PLAIN_HEADERS, "add": _PLAIN_HEADERS, "remove": st.just(["x-debug"])}
)
_TARGETS = st.one_of(
    st.fixed_dictionaries(
        {"name": st.sampled_from(["s1", "s2", "s3", "s4"]), "port": st.sampled_from([80, 8080])},
        optional={"namespace": st.sampled_from(["infra", "shop"])},
    ),
    st.fixed_dictionaries(
        {"group": st.just("gateway.kgateway.dev"), "kind": st.just("Backend"), "name": st.sampled_from(["e1", "e2"])}
    ),
)
SHARED_FILTERS = st.one_of(
    st.builds(request_edits.new_filter, st.sampled_from(["RequestHeaderModifier", "ResponseHeaderModifier"]), _CHANGES),
    st.builds(
        request_edits.new_filter,
        st.just("RequestMirror"),
        st.fixed_dictionaries({"backendRef": _TARGETS}, optional={"percent": st.integers(0, 100)}),
    ),
)
HTTP_FILTERS = SHARED_FILTERS | st.one_of(
    st.builds(
        request_edits.new_filter,
        st.just("URLRewrite"),
        st.just({"path": {"type": "ReplaceFullPath", "replaceFullPath": "/new"}}) | st.just({"hostname": "in.test"}),
    ),
    st.builds(
        request_edits.new_filter,
        st.just("CORS"),
        st.just({"allowOrigins": ["https://a.test"], "maxAge": 60}) | st.just({"allowMethods": ["*"]}),
    ),
)


def _filter_lists(filters: st.SearchStrategy[Document]) -> st.SearchStrategy[list[Document]]:
    return st.lists(filters, max_size=3, unique_by=lambda each: each["type"])


def _backends(filters: st.SearchStrategy[Document] | None) -> st.SearchStrategy[Document]:
    lists = {"filters": _filter_lists(filters)} if filters is not None else {}
    return st.builds(
        lambda target, rest: {**target, **rest},
        _TARGETS,
        st.fixed_dictionaries({}, optional={"weight": WEIGHTS, **lists}),
    )


def backend_lists(filters: st.SearchStrategy[Document] | None, least: int = 0) -> st.SearchStrategy[list[Document]]:
    """Lists of different backendRefs."""
    return st.lists(
        _backends(filters),
        min_size=least,
        max_size=4,
        unique_by=lambda ref: (ref["name"], ref.get("namespace", "infra"), ref.get("port")),
    )


_TIMEOUTS = st.sampled_from([{"request": "10s"}, {"request": "2s", "backendRequest": "500ms"}, {"request": "0s"}])


def _rules(matches: Any, filters: Any, **more: Any) -> st.SearchStrategy[list[Document]]:
    rule = st.fixed_dictionaries(
        {},
        optional={
            "name": st.sampled_from(["main", "api", "rest", "canary"]),
            "matches": st.lists(matches, max_size=3),
            "filters": _filter_lists(filters),
            "backendRefs": backend_lists(filters),
            **more,
        },
    )
    return st.lists(rule, min_size=1, max_size=4, unique_by=lambda rule: rule.get("name", id(rule)))


def _route(kind: str, spec: st.SearchStrategy[Document]) -> st.SearchStrategy[Document]:
    return st.builds(
        lambda spec, labels: {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": kind,
            "metadata": {
                "name": "edge",
                "namespace": "infra",
                "uid": "2f6c",
                "resourceVersion": "417",
                "generation": 3,
                "creationTimestamp": "2026-01-01T00:00:00Z",
                **({"labels": labels} if labels else {}),
            },
            "spec": spec,
        },
        spec,
        st.dictionaries(st.sampled_from(["app", "app.kubernetes.io/name"]), st.sampled_from(["x", "y"])),
    )


_PARENTS = st.just([{"name": "public", "sectionName": "http"}])
_HOSTNAME_LISTS = st.lists(HOSTNAMES, max_size=3, unique=True)
HTTP_ROUTES = _route(
    "HTTPRoute",
    st.fixed_dictionaries(
        {"parentRefs": _PARENTS, "rules": _rules(MATCHES, HTTP_FILTERS, timeouts=_TIMEOUTS)},
        optional={"hostnames": _HOSTNAME_LISTS},
    ),
)
GRPC_ROUTES = _route(
    "GRPCRoute",
    st.fixed_dictionaries(
        {"parentRefs": _PARENTS, "rules": _rules(GRPC_MATCHES, SHARED_FILTERS)},
        optional={"hostnames": _HOSTNAME_LISTS},
    ),
)
_STREAM_RULES = st.builds(lambda refs: [{"backendRefs": refs}], backend_lists(None, least=1))
TLS_ROUTES = _route(
    "TLSRoute",
    st.fixed_dictionaries(
        {"parentRefs": _PARENTS, "rules": _STREAM_RULES, "hostnames": st.lists(HOSTNAMES, min_size=1, max_size=3)}
    ),
)
TCP_ROUTES = _route("TCPRoute", st.fixed_dictionaries({"parentRefs": _PARENTS, "rules": _STREAM_RULES}))
ROUTES = st.one_of(HTTP_ROUTES, GRPC_ROUTES, TLS_ROUTES, TCP_ROUTES)


def _edits() -> st.SearchStrategy[Edit]:
    """One edit each; at a place that does not exist it does nothing."""
    place = {"rule": SMALL}
    return st.one_of(
        _calls(edits.set_weight, **place, backend=SMALL, weight=WEIGHTS, keeps_sum=st.booleans()),
        _calls(edits.shift_weight, **place, backend=SMALL, step=st.sampled_from([-10, 10])),
        _calls(edits.remove_backend, **place, backend=SMALL),
        _calls(edits.move_backend, **place, backend=SMALL, to=SMALL),
        _calls(edits.add_backend, **place, ref=_backends(None), at=SMALL | st.none()),
        _calls(edits.move_rule, **place, to=SMALL),
        _calls(edits.remove_rule, **place),
        _calls(edits.copy_rule, **place),
        _calls(edits.add_rule, rule=st.just({"backendRefs": [{"name": "new", "port": 80}]}), at=SMALL | st.none()),
        _calls(request_edits.add_hostname, hostname=HOSTNAMES),
        _calls(request_edits.remove_hostname, hostname=HOSTNAMES),
        _calls(request_edits.add_match, **place, match=MATCHES),
        _calls(request_edits.replace_match, **place, position=SMALL, match=MATCHES),
        _calls(request_edits.remove_match, **place, position=SMALL),
        _calls(request_edits.add_filter, **place, filter_=SHARED_FILTERS, backend=SMALL | st.none()),
        _calls(request_edits.replace_filter, **place, position=SMALL, filter_=SHARED_FILTERS),
        _calls(request_edits.remove_filter, **place, position=SMALL),
        _calls(request_edits.set_timeouts, **place, request=st.sampled_from(["1s", "", None])),
        _calls(_label, name=st.sampled_from(["app", "tier"]), value=st.sampled_from(["x", "y", ""])),
    )


def _calls(edit: Callable[..., Document], **arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Edit]:
    def bound(chosen: dict[str, Any]) -> Edit:
        def carry_out(document: Document) -> Document:
            try:
                return edit(document, **chosen)
            except UsageError:
                return document

        return carry_out

    return st.builds(bound, st.fixed_dictionaries(arguments))


def _label(document: Document, name: str, value: str) -> Document:
    labels = {key: text for key, text in document["metadata"].get("labels", {}).items() if key != name}
    if value:
        labels[name] = value
    metadata = {key: part for key, part in document["metadata"].items() if key != "labels"}
    return {**document, "metadata": {**metadata, **({"labels": labels} if labels else {})}}


EDITS = st.lists(_edits(), min_size=1, max_size=4)


def edited(document: Document, chosen: list[Edit]) -> Document:
    """The document with all of them carried out."""
    for edit in chosen:
        document = edit(document)
    return document
