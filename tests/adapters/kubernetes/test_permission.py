"""The one place where writes leave for an API server: what passes without an approval, and what does not."""

from __future__ import annotations

import pytest
from aiohttp import web

from approved import approved
from gwtui.errors import Refused

ROUTE = "/apis/gateway.networking.k8s.io/v1/namespaces/infra/httproutes/edge"
POD = "/api/v1/namespaces/infra/pods/gw-1"
DRY = [("dryRun", "All")]

WRITES = [
    *[(method, ROUTE, ()) for method in ("PATCH", "PUT", "DELETE", "POST", "OPTIONS", "HEAD", "get", "patch")],
    ("DELETE", "/api/v1/namespaces/infra", ()),
    ("POST", "/api/v1/namespaces", ()),
    # Not a dry run, though it looks like one.
    ("PATCH", ROUTE, [("dryRun", "")]),
    ("PATCH", ROUTE, [("dryRun", "None")]),
    ("PATCH", ROUTE, [("dryrun", "All")]),
    ("PATCH", ROUTE, [("fieldManager", "dryRun=All")]),
    ("PATCH", ROUTE, [("dryRun", "All"), ("dryRun", "")]),
    ("PATCH", f"{ROUTE}?dryRun=All", ()),
    ("PATCH", f"{ROUTE}?dryRun=", DRY),
    ("PATCH", f"{ROUTE}#", DRY),
    # What acts whatever `dryRun` says.
    ("POST", f"{POD}/proxy/quitquitquit", DRY),
    ("POST", f"{POD}:19000/proxy/quitquitquit", DRY),
    ("POST", f"{POD}/exec", DRY),
    ("POST", f"{POD}/portforward", DRY),
    ("POST", f"{POD}/eviction", DRY),
    ("POST", "/api/v1/nodes/n/proxy/run", DRY),
    ("PUT", "/api/v1/namespaces/infra/services/s/proxy/x", DRY),
    ("PATCH", f"{ROUTE}/../../pods/gw-1/exec", DRY),
    ("PATCH", "/api/v1/namespaces/infra/pods/..", DRY),
    ("PATCH", "/api/v1/namespaces/infra/pods/%2e%2e", DRY),
    ("POST", "/version", DRY),
    # Reviews of others, and what merely starts like a review of ourselves.
    ("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", ()),
    ("POST", "/apis/authentication.k8s.io/v1/tokenreviews", ()),
    ("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews/../x", ()),
    ("POST", "/apis/example.com/v1/selfsubjectreviews", ()),
    ("PATCH", "/apis/authentication.k8s.io/v1/selfsubjectreviews", ()),
    ("DELETE", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", ()),
]


@pytest.mark.parametrize(("method", "path", "query"), WRITES)
async def test_nothing_that_writes_leaves_without_an_approval(api, open_cluster, method, path, query):
    async with open_cluster(api.url, ()) as cluster:
        with pytest.raises(Refused, match="without an approved plan") as caught:
            await cluster.transport.request(method, path, query=query, body={})
        with pytest.raises(Refused):
            await cluster.transport.exchange(method, path, query=query, body={})
    assert caught.value.hint
    assert api.requests == []


class Pretender:
    plan = None


@pytest.mark.parametrize("approval", [True, "yes", object(), Pretender(), Pretender])
async def test_what_is_no_approval_does_not_pass_for_one(api, open_cluster, approval):
    async with open_cluster(api.url, ()) as cluster:
        with pytest.raises(Refused):
            await cluster.transport.request("PATCH", ROUTE, body=[], approval=approval)
    assert api.requests == []


@pytest.mark.parametrize(
    ("method", "path", "query"),
    [
        ("GET", ROUTE, ()),
        ("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", ()),
        ("POST", "/apis/authentication.k8s.io/v1beta1/selfsubjectreviews", ()),
        ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", ()),
        ("POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", ()),
        ("PATCH", ROUTE, DRY),
        ("PUT", ROUTE, [("fieldManager", "gwtui"), *DRY]),
        ("DELETE", "/api/v1/namespaces/infra", DRY),
        ("POST", "/api/v1/namespaces/infra/services", DRY),
        ("PATCH", "/apis/rbac.authorization.k8s.io/v1/clusterroles/system:node", DRY),
    ],
)
async def test_what_changes_nothing_needs_no_approval(api, open_cluster, method, path, query):
    async def answer(_request):
        return web.json_response({})

    api.fault(answer)
    async with open_cluster(api.url, ()) as cluster:
        await cluster.transport.request(method, path, query=query, body=None if method == "GET" else [])
    assert [(request.method, request.path) for request in api.requests] == [(method, path)]


async def test_what_was_approved_is_sent(api, open_cluster):
    async def answer(_request):
        return web.json_response({})

    api.fault(answer)
    async with open_cluster(api.url, ()) as cluster:
        await cluster.transport.request("PATCH", ROUTE, body=[], approval=approved())
    assert [request.method for request in api.requests] == ["PATCH"]
