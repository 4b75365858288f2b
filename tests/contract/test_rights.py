"""Who is asking, what they may, and what they are told they may."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest

GROUP = "/apis/gateway.networking.k8s.io/v1"
REVIEWS = "/apis/authorization.k8s.io/v1"
WHO = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
PUBLIC = ["/healthz", "/livez", "/readyz", "/version", "/version/"]
DISCOVERY = sorted([*PUBLIC, "/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*"])


def refused(answer) -> tuple[int, str, str]:
    code, body, _ = answer
    assert (body["kind"], body["status"], body["code"]) == ("Status", "Failure", code), body
    return code, body["reason"], body["message"]


@asynccontextmanager
async def without_token(client):
    token = client.session.headers.pop("Authorization")
    yield client
    client.session.headers["Authorization"] = token


async def who(client, **headers) -> dict:
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    code, answer, _ = await client.call("POST", WHO, body, headers=headers)
    assert code == 201, answer
    return answer["status"]["userInfo"]


async def access(client, spec) -> tuple:
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": spec}
    return await client.call("POST", f"{REVIEWS}/selfsubjectaccessreviews", body)


async def rules(client, namespace) -> tuple:
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "spec": {"namespace": namespace}}
    return await client.call("POST", f"{REVIEWS}/selfsubjectrulesreviews", body)


# Credentials


@pytest.mark.parametrize("path", ["/version", "/api", "/api/v1/pods", "/nowhere"])
async def test_a_token_nobody_gave_is_401_everywhere(api, path) -> None:
    answer = await api.call("GET", path, headers={"Authorization": "Bearer wrong"})
    assert refused(answer) == (401, "Unauthorized", "Unauthorized")


@pytest.mark.parametrize("header", [None, "Basic eDp5"])
async def test_who_does_not_say_who_it_is_may_next_to_nothing(api, header) -> None:
    headers = {"Authorization": header} if header else {}
    async with without_token(api):
        answer = await api.call("GET", "/api/v1/pods", headers=headers)
        user = 'User "system:anonymous" cannot list'
        wanted = f'pods is forbidden: {user} resource "pods" in API group "" at the cluster scope'
        assert refused(answer) == (403, "Forbidden", wanted)
        answer = await api.call("GET", "/api", headers=headers)
        assert refused(answer) == (403, "Forbidden", 'forbidden: User "system:anonymous" cannot get path "/api"')
        for path in ("/healthz", "/livez", "/readyz", "/version"):
            code, _, _ = await api.call("GET", path, headers=headers)
            assert code == 200


@pytest.mark.parametrize("path", ["/api", "/apis", "/api/v1", "/version", "/healthz"])
async def test_who_is_known_may_ask_what_is_served(as_user, server, path) -> None:
    for user in (server.viewer, server.team):
        code, _, _ = await as_user(user).call("GET", path)
        assert code == 200


async def test_other_paths_take_a_right(as_user, server) -> None:
    answer = await as_user(server.viewer).call("GET", "/metrics")
    assert refused(answer) == (403, "Forbidden", f'forbidden: User "{server.viewer}" cannot get path "/metrics"')


# Refusals


@pytest.mark.parametrize(
    ("method", "path", "verb", "resource"),
    [
        ("GET", "secrets", "list", "secrets"),
        ("GET", "secrets/x", "get", "secrets"),
        ("GET", "secrets?watch=1", "watch", "secrets"),
        ("POST", "configmaps", "create", "configmaps"),
        ("PUT", "configmaps/x", "update", "configmaps"),
        ("PATCH", "configmaps/x", "patch", "configmaps"),
        ("DELETE", "configmaps/x", "delete", "configmaps"),
        ("DELETE", "configmaps", "deletecollection", "configmaps"),
        ("PATCH", "services/x/status", "patch", "services/status"),
        ("POST", "pods/x/portforward", "create", "pods/portforward"),
        ("GET", "pods/x/portforward", "get", "pods/portforward"),
        ("POST", "pods/x:80/proxy/", "create", "pods/proxy"),
        ("GET", "services/x:80/proxy/", "get", "services/proxy"),
        ("GET", "pods/x/log", "get", "pods/log"),
        ("GET", "inventions", "list", "inventions"),
    ],
)
async def test_a_reader_is_told_which_right_is_missing(as_user, server, ns, core, method, path, verb, resource) -> None:
    answer = await as_user(server.viewer).call(method, f"{core}/{path}", {} if method in {"POST", "PUT"} else None)
    plural, *rest = path.partition("?")[0].split("/")
    named = f' "{rest[0]}"' if rest else ""
    wanted = (
        f'{plural}{named} is forbidden: User "{server.viewer}" cannot {verb} resource "{resource}"'
        f' in API group "" in the namespace "{ns}"'
    )
    assert refused(answer) == (403, "Forbidden", wanted)
    assert answer[1]["details"] == ({"name": rest[0]} if rest else {}) | {"kind": plural}


@pytest.mark.parametrize(("query", "verb"), [("", "list"), ("?watch=true", "watch")])
async def test_a_team_is_told_that_it_has_no_rights_everywhere(as_user, server, query, verb) -> None:
    answer = await as_user(server.team).call("GET", f"{GROUP}/gateways{query}")
    wanted = (
        f'gateways.gateway.networking.k8s.io is forbidden: User "{server.team}" cannot {verb} resource "gateways"'
        ' in API group "gateway.networking.k8s.io" at the cluster scope'
    )
    assert refused(answer) == (403, "Forbidden", wanted)
    assert answer[1]["details"] == {"group": "gateway.networking.k8s.io", "kind": "gateways"}


async def test_a_team_is_at_home_in_its_namespaces(as_user, server, ns) -> None:
    team = as_user(server.team)
    for path in ("/api/v1/namespaces/foo/services", "/api/v1/namespaces/bar/secrets", "/api/v1/namespaces/foo"):
        code, _, _ = await team.call("GET", path)
        assert code == 200
    assert refused(await team.call("GET", f"/api/v1/namespaces/{ns}/services"))[0] == 403
    user = f'User "{server.team}" cannot list'
    wanted = f'namespaces is forbidden: {user} resource "namespaces" in API group "" at the cluster scope'
    assert refused(await team.call("GET", "/api/v1/namespaces")) == (403, "Forbidden", wanted)


async def test_rights_come_before_anything_else(as_user, server) -> None:
    """Whether an object or a kind exists is nothing a stranger is told."""
    team = as_user(server.team)
    assert refused(await team.call("GET", "/api/v1/namespaces/default/pods/none"))[0] == 403
    wanted = (
        f'things.none.example is forbidden: User "{server.team}" cannot list resource "things"'
        ' in API group "none.example" at the cluster scope'
    )
    assert refused(await team.call("GET", "/apis/none.example/v1/things")) == (403, "Forbidden", wanted)


# Reviews


@pytest.mark.parametrize(
    ("user", "attributes", "allowed"),
    [
        ("admin", {"verb": "create", "resource": "pods", "subresource": "portforward"}, True),
        ("admin", {"verb": "delete", "resource": "anything", "group": "at.all"}, True),
        ("viewer", {"verb": "create", "resource": "pods", "subresource": "portforward"}, False),
        ("viewer", {"verb": "get", "resource": "pods", "subresource": "portforward", "namespace": "foo"}, False),
        ("viewer", {"verb": "get", "resource": "pods", "subresource": "proxy"}, True),
        ("viewer", {"verb": "list", "resource": "httproutes", "group": "gateway.networking.k8s.io"}, True),
        ("viewer", {"verb": "patch", "resource": "httproutes", "group": "gateway.networking.k8s.io"}, False),
        ("viewer", {"verb": "list", "resource": "secrets"}, False),
        ("viewer", {"verb": "*", "resource": "pods"}, False),
        ("team", {"verb": "delete", "resource": "pods", "namespace": "foo"}, True),
        ("team", {"verb": "*", "resource": "*", "group": "*", "namespace": "bar"}, True),
        ("team", {"verb": "get", "resource": "pods", "namespace": "default"}, False),
        ("team", {"verb": "list", "resource": "pods"}, False),
        ("team", {"verb": "get", "resource": "namespaces", "namespace": "foo", "name": "foo"}, True),
        ("team", {"verb": "create", "resource": "selfsubjectaccessreviews", "group": "authorization.k8s.io"}, True),
    ],
)
async def test_a_user_may_ask_about_one_right(as_user, server, user, attributes, allowed) -> None:
    code, body, _ = await access(as_user(getattr(server, user)), {"resourceAttributes": attributes})
    assert (code, body["kind"]) == (201, "SelfSubjectAccessReview")
    assert body["status"]["allowed"] is allowed
    assert body["spec"] == {"resourceAttributes": attributes}


@pytest.mark.parametrize(
    ("path", "verb", "allowed"),
    [
        ("/version", "get", True),
        ("/healthz", "get", True),
        ("/apis/anything", "get", True),
        ("/openapi/v3", "get", True),
        ("/metrics", "get", False),
        ("/livez/ping", "get", False),
        ("/version", "post", False),
    ],
)
async def test_a_user_may_ask_about_a_path(as_user, server, path, verb, allowed) -> None:
    code, body, _ = await access(as_user(server.viewer), {"nonResourceAttributes": {"path": path, "verb": verb}})
    assert (code, body["status"]["allowed"]) == (201, allowed)


@pytest.mark.parametrize(
    "spec",
    [{}, {"resourceAttributes": {"verb": "get"}, "nonResourceAttributes": {"path": "/x", "verb": "get"}}],
    ids=["neither", "both"],
)
async def test_a_question_about_a_right_is_about_one(api, spec) -> None:
    answer = await access(api, spec)
    assert refused(answer)[:2] == (422, "Invalid")
    (cause,) = answer[1]["details"]["causes"]
    assert (cause["reason"], cause["field"]) == ("FieldValueInvalid", "spec")
    assert cause["message"].endswith("exactly one of nonResourceAttributes or resourceAttributes must be specified")


@pytest.mark.parametrize(
    ("user", "namespace", "wanted"),
    [
        ("admin", "foo", [(["*"], ["*"], ["*"])]),
        ("team", "foo", [(["*"], ["*"], ["*"])]),
        ("team", "default", []),
    ],
)
async def test_a_user_may_ask_for_all_rights_in_a_namespace(as_user, server, user, namespace, wanted) -> None:
    code, body, _ = await rules(as_user(getattr(server, user)), namespace)
    assert (code, body["kind"], body["spec"]) == (201, "SelfSubjectRulesReview", {})
    assert body["status"]["incomplete"] is False
    found = [(rule["verbs"], rule["apiGroups"], rule["resources"]) for rule in body["status"]["resourceRules"]]
    own = (["create"], ["authorization.k8s.io"], ["selfsubjectaccessreviews", "selfsubjectrulesreviews"])
    assert own in found
    assert (["create"], ["authentication.k8s.io"], ["selfsubjectreviews"]) in found
    assert [rule for rule in found if rule[0] != ["create"]] == wanted


async def test_a_reader_is_told_all_it_may_read(as_user, server) -> None:
    _, body, _ = await rules(as_user(server.viewer), "default")
    (rule,) = [rule for rule in body["status"]["resourceRules"] if rule["verbs"] != ["create"]]
    assert (rule["verbs"], rule["apiGroups"]) == (["get", "list", "watch"], ["*"])
    assert {"pods", "pods/proxy", "gateways", "httproutes"} <= set(rule["resources"])
    assert not {"secrets", "pods/portforward", "*"} & set(rule["resources"])


@pytest.mark.parametrize(("user", "everything"), [("admin", True), ("viewer", False)])
async def test_paths_are_among_the_rights(as_user, server, user, everything) -> None:
    _, body, _ = await rules(as_user(getattr(server, user)), "default")
    found = [(rule["verbs"], rule["nonResourceURLs"]) for rule in body["status"]["nonResourceRules"]]
    assert (["get"], PUBLIC) in found
    assert (["get"], DISCOVERY) in found
    assert ((["*"], ["*"]) in found) is everything


async def test_all_rights_are_those_in_one_namespace(api) -> None:
    assert refused(await rules(api, "")) == (400, "BadRequest", "no namespace on request")


async def test_a_user_may_ask_who_it_is(as_user, server) -> None:
    assert (await who(as_user(server.viewer)))["username"] == server.viewer
    assert set((await who(as_user(server.viewer)))["groups"]) == {"playground:viewers", "system:authenticated"}
    assert set((await who(as_user(server.admin)))["groups"]) == {"system:masters", "system:authenticated"}


@pytest.mark.parametrize("path", [f"{REVIEWS}/selfsubjectaccessreviews", WHO])
async def test_reviews_are_not_there_to_be_read(api, path) -> None:
    assert refused(await api.call("GET", path))[:2] == (405, "MethodNotAllowed")


@pytest.mark.parametrize("body", [b"{", b"[]"])
async def test_a_review_that_cannot_be_read_is_400(api, body) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await api.call("POST", f"{REVIEWS}/selfsubjectaccessreviews", body, headers=headers)
    assert refused(answer)[:2] == (400, "BadRequest")


# Acting as somebody else


async def test_an_admin_acts_as_somebody_else(api) -> None:
    found = await who(api, **{"Impersonate-User": "bob"})
    assert (found["username"], found["groups"]) == ("bob", ["system:authenticated"])
    found = await who(api, **{"Impersonate-User": "bob", "Impersonate-Group": "dev"})
    assert (found["username"], found["groups"]) == ("bob", ["dev", "system:authenticated"])


async def test_more_than_a_name_can_be_taken_on(api) -> None:
    headers = {"Impersonate-User": "bob", "Impersonate-Uid": "77", "Impersonate-Extra-Scopes": "a"}
    found = await who(api, **headers)
    assert (found["uid"], found["extra"]) == ("77", {"scopes": ["a"]})


async def test_a_service_account_brings_its_groups(api) -> None:
    found = await who(api, **{"Impersonate-User": "system:serviceaccount:foo:default"})
    assert found["groups"] == ["system:serviceaccounts", "system:serviceaccounts:foo", "system:authenticated"]


async def test_who_acts_as_somebody_else_has_their_rights_alone(api, server) -> None:
    answer = await api.call("GET", "/api/v1/pods", headers={"Impersonate-User": server.team})
    assert refused(answer) == (
        403,
        "Forbidden",
        f'pods is forbidden: User "{server.team}" cannot list resource "pods" in API group "" at the cluster scope',
    )
    headers = {"Impersonate-User": "somebody", "Impersonate-Group": "playground:viewers"}
    code, _, _ = await api.call("GET", "/api/v1/pods", headers=headers)
    assert code == 200


async def test_groups_need_a_user(api) -> None:
    assert refused(await api.call("GET", "/api/v1/pods", headers={"Impersonate-Group": "dev"}))[:2] == (
        400,
        "BadRequest",
    )


async def test_others_act_as_nobody_but_themselves(as_user, server) -> None:
    answer = await as_user(server.viewer).call("GET", "/api/v1/pods", headers={"Impersonate-User": "bob"})
    code, reason, message = refused(answer)
    assert (code, reason) == (403, "Forbidden")
    assert f'User "{server.viewer}" cannot impersonate' in message
