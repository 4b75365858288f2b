"""Rehearsing and writing patches: on the playground's API and its log of requests, and on a server that misbehaves."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from approved import approved, plan_of, posting, writing
from gwtui.adapters.gateway_api.kinds import KINDS
from gwtui.adapters.kubernetes.cluster import KubernetesCluster
from gwtui.adapters.kubernetes.failures import Throttled
from gwtui.adapters.kubernetes.kubeconfig import load_kubeconfig
from gwtui.adapters.kubernetes.writer import KubernetesWriter
from gwtui.changes.door import Approval, Door
from gwtui.changes.rights import Rule, allows
from gwtui.errors import BadPayload, Conflict, Denied, NotServed, Refused, Rejected, Unreachable
from gwtui.model.ids import ObjectKey, ProxyKey
from gwtui.model.resources import HTTP_ROUTES
from set_clock import SetClock

server = pytest.importorskip("gwtui.playground.api.server")
dispatch = pytest.importorskip("gwtui.playground.api.dispatch")
store = pytest.importorskip("gwtui.playground.api.store")

GROUP = "gateway.networking.k8s.io"
SHOP = ObjectKey("playground", HTTP_ROUTES, "foo", "shop")


def route(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "shop", "namespace": "foo"},
        "spec": {
            "parentRefs": [{"name": "edge"}],
            "rules": [{"backendRefs": [{"name": "a", "port": 80, "weight": 90}, {"name": "b", "port": 80}]}],
            **spec,
        },
    }


def weight(value: Any, *, of: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """A patch of the first weight, made for one version of the object when there is one."""
    metadata = of["metadata"] if of else {}
    tests = [
        {"op": "test", "path": f"/metadata/{name}", "value": metadata[name]}
        for name in ("uid", "resourceVersion")
        if name in metadata
    ]
    return [*tests, {"op": "replace", "path": "/spec/rules/0/backendRefs/0/weight", "value": value}]


@dataclass
class Embedded:
    """The playground's API, what it stores, and what it was asked."""

    running: Any
    store: Any
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Method, and path with query."""
    opened: list[KubernetesCluster] = field(default_factory=list)

    async def writer(self, context: str | None = None) -> KubernetesWriter:
        access = load_kubeconfig(self.running.kubeconfig).select(context)
        self.opened.append(await KubernetesCluster.open(access, KINDS, SetClock()))
        return KubernetesWriter(self.opened[-1])

    @property
    def writes(self) -> list[str]:
        """Requests that change something."""
        harmless = ("dryRun=All", "/selfsubject")
        return [
            f"{method} {path}"
            for method, path in self.asked
            if method != "GET" and not any(mark in path for mark in harmless)
        ]

    def stored(self) -> dict[str, Any]:
        return self.store.find(HTTP_ROUTES, "foo", "shop")

    def change(self, **spec: Any) -> None:
        """Somebody else writes it."""
        self.store.put(route(**spec))


@pytest.fixture
async def embedded(tmp_path, monkeypatch):
    handle = dispatch.Dispatcher.handle
    objects = store.Store()
    objects.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "foo"}})
    objects.put(route())
    asked: list[tuple[str, str]] = []

    async def logged(self, request):
        asked.append((request.method, request.path_qs))
        return await handle(self, request)

    monkeypatch.setattr(dispatch.Dispatcher, "handle", logged)
    running = Embedded(await server.serve(objects, {}, state_dir=tmp_path), objects, asked)
    yield running
    for cluster in running.opened:
        await cluster.close()
    await running.running.close()


async def test_a_rehearsal_shows_what_would_be_stored_and_stores_nothing(embedded):
    writer = await embedded.writer()
    current = await writer.read(SHOP)
    assert current["metadata"]["managedFields"]
    answer = await writer.rehearse(SHOP, weight(50, of=current))
    assert answer.document["spec"]["rules"][0]["backendRefs"][0]["weight"] == 50
    assert answer.warnings == ()
    assert embedded.stored() == current
    assert embedded.writes == []


async def test_a_write_is_stored_under_our_name(embedded):
    writer = await embedded.writer()
    current = await writer.read(SHOP)
    written = await writer.write(approved(writing(SHOP)), SHOP, weight(50, of=current))
    assert written.document == await writer.read(SHOP)
    assert written.document["metadata"]["generation"] == current["metadata"]["generation"] + 1
    assert "gwtui" in [book["manager"] for book in written.document["metadata"]["managedFields"]]
    assert len(embedded.writes) == 1


@pytest.mark.parametrize("is_real", [False, True], ids=["rehearse", "write"])
@pytest.mark.parametrize("deed", ["changed", "replaced"])
async def test_an_object_that_is_another_one_by_now_is_a_conflict(embedded, deed, is_real):
    writer = await embedded.writer()
    current = await writer.read(SHOP)
    if deed == "replaced":
        embedded.store.delete(HTTP_ROUTES, "foo", "shop")
    embedded.change(hostnames=["shop.example.com"])
    foreign = embedded.stored()
    with pytest.raises(Conflict, match="changed or replaced") as caught:
        await send(writer, weight(50, of=current), is_real=is_real)
    assert caught.value.hint
    assert embedded.stored() == foreign


async def send(writer: KubernetesWriter, operations: list[dict[str, Any]], *, is_real: bool):
    if is_real:
        return await writer.write(approved(writing(SHOP)), SHOP, operations)
    return await writer.rehearse(SHOP, operations)


@pytest.mark.parametrize(
    ("operation", "told"),
    [
        (weight(-1)[0], "spec.rules[0].backendRefs[0].weight: "),
        ({"op": "add", "path": "/spec/hostnames", "value": ["BAD"]}, "spec.hostnames[0]: "),
        ({"op": "add", "path": "/spec/colour", "value": "red"}, 'strict decoding error: unknown field "spec.colour"'),
        ({"op": "remove", "path": "/spec/nothing"}, "the server rejected our request"),
    ],
)
async def test_what_the_schema_forbids_is_rejected_in_one_line_that_names_the_field(embedded, operation, told):
    writer = await embedded.writer()
    for is_real in (False, True):
        with pytest.raises(Rejected) as caught:
            await send(writer, [operation], is_real=is_real)
        assert told in caught.value.message
        assert "managedFields" not in caught.value.message, "the object is not quoted"
        assert len(caught.value.line()) < 700
        assert "\n" not in caught.value.line()
        assert caught.value.hint


async def test_what_is_not_there(embedded):
    writer = await embedded.writer()
    for key in (SHOP._replace(name="gone"), SHOP._replace(namespace="gone"), SHOP._replace(name="../pods")):
        for attempt in (writer.read(key), writer.rehearse(key, weight(1))):
            with pytest.raises(NotServed):
                await attempt
    with pytest.raises(NotServed, match="secrets is not read here"):
        await writer.read(SHOP._replace(resource="secrets"))
    with pytest.raises(Refused, match="in cluster elsewhere"):
        await writer.rehearse(SHOP._replace(cluster="elsewhere"), weight(1))


async def test_without_the_right_it_says_what_to_grant(embedded):
    writer = await embedded.writer("playground-readonly")
    key = SHOP._replace(cluster="playground-readonly")
    for attempt in (writer.rehearse(key, weight(1)), writer.write(approved(writing(key)), key, weight(1))):
        with pytest.raises(Denied) as caught:
            await attempt
        assert caught.value.hint == f"grant patch on httproutes.{GROUP} in namespace foo"
    assert embedded.stored()["metadata"]["generation"] == 1


async def test_rights_are_asked_once_per_namespace(embedded):
    writer = await embedded.writer("playground-team")
    wanted = {"verb": "patch", "group": GROUP, "plural": "httproutes", "name": "shop"}
    for _ in range(3):
        assert allows(await writer.rules("foo") or (), **wanted)
        assert not allows(await writer.rules("default") or (), **wanted)
    assert len([path for _, path in embedded.asked if path.endswith("selfsubjectrulesreviews")]) == 2
    reader = await embedded.writer("playground-readonly")
    rules = await reader.rules("foo") or ()
    assert allows(rules, **{**wanted, "verb": "get"})
    assert not allows(rules, **wanted)
    assert await reader.rules("") is None


# The door.


async def test_read_only_lets_no_write_leave(embedded):
    writer = await embedded.writer()
    current = await writer.read(SHOP)
    door = Door(read_only=True)
    with pytest.raises(Refused, match="read-only"):
        await writer.write(door.approve(plan_of(writing(SHOP))), SHOP, weight(1, of=current))
    for forged in (None, True, object(), object.__new__(Approval)):
        with pytest.raises((Refused, AttributeError)):
            await writer.write(forged, SHOP, weight(1, of=current))
    with pytest.raises(Refused, match="at the door alone"):
        Approval(plan_of(writing(SHOP)), object())
    await writer.rehearse(SHOP, weight(1, of=current))
    assert embedded.writes == []
    assert embedded.stored() == current


@pytest.mark.parametrize(
    "step",
    [
        writing(SHOP._replace(name="other")),
        writing(SHOP._replace(cluster="elsewhere")),
        posting(ProxyKey("playground", "foo", "shop"), "/healthcheck/fail"),
    ],
)
async def test_an_approval_is_good_for_its_own_plan_alone(embedded, step):
    writer = await embedded.writer()
    with pytest.raises(Refused, match="does not write"):
        await writer.write(approved(step), SHOP, weight(1))
    assert embedded.writes == []


# A server that misbehaves.

EDGE = ObjectKey("lab", HTTP_ROUTES, "infra", "edge")
PATH = f"/apis/{GROUP}/v1/namespaces/infra/httproutes/edge"
DONE = {"kind": "HTTPRoute", "metadata": {"name": "edge", "resourceVersion": "8"}, "spec": {}}


@pytest.fixture
async def bad(api, open_cluster):
    """A writer, and the server's request log."""
    async with open_cluster(api.url, KINDS) as cluster:
        yield KubernetesWriter(cluster)


def patches(api):
    return [request for request in api.requests if request.method == "PATCH"]


def answering(response):
    async def answer(_request):
        return response()

    return answer


async def test_warnings_are_told(bad, api):
    headers = [
        ("Warning", '299 - "first, \\"quoted\\""'),
        ("Warning", '299 kube-apiserver "second", 299 - "third: \\\\"'),
    ]
    api.fault(answering(lambda: web.json_response(DONE, headers=headers)), method="PATCH")
    answer = await bad.rehearse(EDGE, weight(1))
    assert answer.warnings == ('first, "quoted"', "second", "third: \\")
    assert dict(patches(api)[0].query) == {"fieldManager": "gwtui", "fieldValidation": "Strict", "dryRun": "All"}
    assert patches(api)[0].headers["Content-Type"] == "application/json-patch+json"


async def test_a_rehearsal_waits_once_when_the_server_asks_for_it(bad, api, refuse):
    def busy():
        answer = refuse(429, "too many requests", "TooManyRequests")
        answer.headers["Retry-After"] = "2"
        return answer

    api.fault(answering(busy), method="PATCH")
    api.fault(answering(lambda: web.json_response(DONE)), method="PATCH")
    assert (await bad.rehearse(EDGE, weight(1))).document == DONE
    api.fault(answering(busy), method="PATCH", times=2)
    with pytest.raises(Throttled):
        await bad.rehearse(EDGE, weight(1))
    assert len(patches(api)) == 4


@pytest.mark.parametrize("pause", ["", "60"])
async def test_a_rehearsal_does_not_wait_long(bad, api, refuse, pause):
    def busy():
        answer = refuse(503, "starting", "ServiceUnavailable")
        answer.headers["Retry-After"] = pause
        return answer

    api.fault(answering(busy), method="PATCH")
    with pytest.raises(Throttled):
        await bad.rehearse(EDGE, weight(1))
    assert len(patches(api)) == 1


async def broken(request):
    request.transport.close()
    return web.Response()


def failing(code, refuse):
    def answer():
        said = refuse(code, "no", "Reason")
        said.headers["Retry-After"] = "1"
        return said

    return answering(answer)


@pytest.mark.parametrize("code", [0, 429, 500, 503, 504])
async def test_a_write_is_sent_once_whatever_happens(bad, api, refuse, code):
    api.fault(broken if not code else failing(code, refuse), method="PATCH", times=9)
    with pytest.raises(Unreachable) as caught:
        await bad.write(approved(writing(EDGE)), EDGE, weight(1))
    assert len(patches(api)) == 1
    assert caught.value.hint
    if not code:
        assert "not known" in caught.value.hint


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"metadata": 1}', b'{"kind": "Status"}', b"\xff"])
async def test_an_answer_that_is_no_object_proves_nothing(bad, api, body):
    api.fault(answering(lambda: web.Response(body=body)), method="PATCH", times=2)
    with pytest.raises(Unreachable, match="no object") as caught:
        await bad.write(approved(writing(EDGE)), EDGE, weight(1))
    assert "not known" in caught.value.hint
    with pytest.raises(BadPayload, match="no object"):
        await bad.rehearse(EDGE, weight(1))


HOOK = 'admission webhook "routes.example.com" denied the request: weights need a ticket'
MANY = [{"field": f"spec.f{number}", "message": "Required value"} for number in range(9)]
OWNED = [{"reason": "FieldManagerConflict", "field": ".spec.rules", "message": 'conflict with "argocd"'}]


@pytest.mark.parametrize(
    ("code", "details", "message", "kind", "told"),
    [
        (409, {}, "the object has been modified", Conflict, "the object has been modified"),
        (409, {"causes": OWNED}, "Apply failed", Conflict, '.spec.rules: conflict with "argocd"'),
        (403, {}, HOOK, Rejected, "weights need a ticket"),
        (400, {}, HOOK, Rejected, "weights need a ticket"),
        (422, {"causes": MANY}, "x", Rejected, "spec.f4: Required value (and 4 more)"),
        (422, {"causes": [{"message": "policy 'p' denied request"}]}, "x", Rejected, "policy 'p' denied request"),
        (422, {"causes": "none"}, "odd\nlines", Rejected, "odd lines"),
        (413, {}, "too large", Rejected, "too large"),
        (415, {}, "not this one", Rejected, "not this one"),
        (404, {"name": "edge"}, 'httproutes "edge" not found', NotServed, "not found"),
        (401, {}, "Unauthorized", Denied, "credentials"),
    ],
)
async def test_refusals_are_told_apart(bad, api, refuse, *, code, details, message, kind, told):
    api.fault(answering(lambda: refuse(code, message, details=details)), method="PATCH", times=2)
    with pytest.raises(kind) as caught:
        await bad.write(approved(writing(EDGE)), EDGE, weight(1))
    assert told in caught.value.message
    assert "\n" not in caught.value.line()


async def test_a_long_value_is_cut(bad, api, refuse):
    value = json.dumps("x" * 3000)
    cause = {"field": "spec.rules[0].name", "message": f"Invalid value: {value}: must be shorter"}
    api.fault(answering(lambda: refuse(422, "x", details={"causes": [cause]})), method="PATCH")
    with pytest.raises(Rejected, match="must be shorter") as caught:
        await bad.rehearse(EDGE, weight(1))
    assert len(caught.value.message) < 200


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"incomplete": True, "resourceRules": [{"verbs": ["*"]}]}, None),
        ({"resourceRules": None}, ()),
        (
            {"resourceRules": [{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"], "resourceNames": ["x"]}]},
            (Rule(("get",), ("",), ("pods",), ("x",)),),
        ),
        ("nonsense", None),
    ],
)
async def test_rules_that_are_not_all_are_unknown(bad, api, status, expected):
    api.fault(answering(lambda: web.json_response({"status": status}, status=201)), method="POST")
    assert await bad.rules("infra") == expected


async def test_rules_are_asked_anew_after_a_minute_and_after_a_failure(bad, api, refuse, monkeypatch):
    clock = SetClock()
    monkeypatch.setattr(bad._cluster, "clock", clock)
    allowed = answering(lambda: web.json_response({"status": {"resourceRules": []}}))
    api.fault(answering(lambda: refuse(404, "no", "NotFound")), method="POST")
    api.fault(allowed, method="POST", times=9)
    assert await bad.rules("infra") is None
    assert await bad.rules("infra") == ()
    clock.seconds = 59
    assert await bad.rules("infra") == ()
    assert len(api.requests) == 2
    clock.seconds = 60
    assert await bad.rules("infra") == ()
    assert len(api.requests) == 3
