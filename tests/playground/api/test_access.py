"""Who may do what: tokens, the demo users, impersonation, reviews."""

from __future__ import annotations

import stat

import pytest
import yaml

GROUP = "/apis/gateway.networking.k8s.io/v1"
ROUTES = f"{GROUP}/namespaces/foo/httproutes"
REVIEWS = "/apis/authorization.k8s.io/v1"


async def test_the_kubeconfig_is_private_and_names_three_contexts(server) -> None:
    assert stat.S_IMODE(server.kubeconfig.stat().st_mode) == 0o600
    config = yaml.safe_load(server.kubeconfig.read_text())
    assert [entry["name"] for entry in config["contexts"]] == ["playground", "playground-readonly", "playground-team"]
    assert config["current-context"] == server.context
    assert server.url.startswith("https://127.0.0.1:")


async def test_a_token_of_another_server_is_401(api) -> None:
    code, body, _ = await api.call("GET", ROUTES, headers={"Authorization": "Bearer wrong"})
    assert (code, body["kind"], body["reason"]) == (401, "Status", "Unauthorized")


async def test_the_viewer_reads_and_does_nothing_else(as_user) -> None:
    viewer = as_user("playground-viewer")
    await viewer.get(ROUTES)
    await viewer.get(f"{GROUP}/gateways")
    for method, path, verb in (
        ("DELETE", f"{ROUTES}/shop", 'cannot delete resource "httproutes"'),
        ("POST", ROUTES, 'cannot create resource "httproutes"'),
        ("PATCH", f"{ROUTES}/shop/status", 'cannot patch resource "httproutes/status"'),
        ("GET", "/api/v1/namespaces/foo/secrets", 'cannot list resource "secrets"'),
        ("GET", "/api/v1/namespaces/foo/pods/proxy/portforward", 'cannot get resource "pods/portforward"'),
    ):
        code, body, _ = await viewer.call(method, path)
        assert (code, body["reason"]) == (403, "Forbidden")
        assert verb in body["message"]


async def test_the_team_is_at_home_in_its_namespaces_only(as_user) -> None:
    team = as_user("playground-team")
    await team.get(ROUTES)
    await team.get(f"{GROUP}/namespaces/bar/gateways")
    code, body, _ = await team.call("GET", f"{GROUP}/gateways")
    assert code == 403
    assert body["message"] == (
        'gateways.gateway.networking.k8s.io is forbidden: User "playground-team" cannot list resource "gateways"'
        ' in API group "gateway.networking.k8s.io" at the cluster scope'
    )
    code, body, _ = await team.call("GET", "/api/v1/namespaces/default/pods/x")
    assert body["message"] == (
        'pods "x" is forbidden: User "playground-team" cannot get resource "pods" in API group ""'
        ' in the namespace "default"'
    )


async def test_only_the_admin_acts_as_someone_else(api, as_user) -> None:
    code, body, _ = await api.call("GET", f"{GROUP}/gateways", headers={"Impersonate-User": "playground-team"})
    assert code == 403
    assert 'User "playground-team"' in body["message"]
    groups = {"Impersonate-User": "somebody", "Impersonate-Group": "playground:viewers"}
    code, _, _ = await api.call("GET", f"{GROUP}/gateways", headers=groups)
    assert code == 200
    code, _, _ = await api.call("GET", f"{GROUP}/gateways", headers={"Impersonate-Group": "x"})
    assert code == 400
    viewer = as_user("playground-viewer")
    code, body, _ = await viewer.call("GET", f"{GROUP}/gateways", headers={"Impersonate-User": "playground-admin"})
    assert code == 403
    assert 'cannot impersonate resource "users"' in body["message"]


@pytest.mark.parametrize(
    ("user", "attributes", "allowed"),
    [
        ("playground-admin", {"verb": "create", "resource": "pods", "subresource": "portforward"}, True),
        ("playground-viewer", {"verb": "create", "resource": "pods", "subresource": "portforward"}, False),
        ("playground-viewer", {"verb": "get", "resource": "pods", "subresource": "proxy"}, True),
        ("playground-viewer", {"verb": "list", "resource": "httproutes", "group": "gateway.networking.k8s.io"}, True),
        ("playground-team", {"verb": "delete", "resource": "pods", "namespace": "foo"}, True),
        ("playground-team", {"verb": "get", "resource": "pods", "namespace": "default"}, False),
    ],
)
async def test_a_user_can_ask_about_its_rights(as_user, user: str, attributes: dict, allowed) -> None:
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    code, answer, _ = await as_user(user).call("POST", f"{REVIEWS}/selfsubjectaccessreviews", body)
    assert (code, answer["status"]["allowed"]) == (201, allowed)


async def test_a_user_can_ask_who_it_is_and_for_its_rules(as_user) -> None:
    team = as_user("playground-team")
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    _, answer, _ = await team.call("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", body)
    assert answer["status"]["userInfo"]["username"] == "playground-team"
    for namespace, everything in (("foo", True), ("default", False)):
        body = {"kind": "SelfSubjectRulesReview", "spec": {"namespace": namespace}}
        _, answer, _ = await team.call("POST", f"{REVIEWS}/selfsubjectrulesreviews", body)
        assert any(rule["verbs"] == ["*"] for rule in answer["status"]["resourceRules"]) is everything


async def test_a_review_of_rules_is_about_one_namespace(api) -> None:
    path = f"{REVIEWS}/selfsubjectrulesreviews"
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "spec": {}}
    code, answer, _ = await api.call("POST", path, body)
    assert (code, answer["message"]) == (400, "no namespace on request")
    code, answer, _ = await api.call("POST", path, body | {"spec": {"namespace": "foo"}})
    assert (code, answer["spec"]) == (201, {})
    assert answer["status"]["incomplete"] is False
    assert {"verbs": ["*"], "nonResourceURLs": ["*"]} in answer["status"]["nonResourceRules"]
