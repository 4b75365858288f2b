"""The connection to an API server: who we are to it, and what each failure says."""

from __future__ import annotations

import asyncio
import json
import sys

import pytest
from aiohttp import web

from approved import approved
from gwtui.adapters.kubernetes.failures import Expired, Throttled
from gwtui.errors import BadPayload, Denied, NotServed, Unreachable, UsageError

PLUGIN = """
import json, os, pathlib, sys
calls = pathlib.Path({calls!r})
number = len(calls.read_text().split()) + 1 if calls.exists() else 1
calls.write_text(" ".join(map(str, range(1, number + 1))))
info = json.loads(os.environ["KUBERNETES_EXEC_INFO"])
assert sys.stdin.read() == ""
assert info["spec"]["interactive"] is False
status = {{"token": f"token-{{number}}-{{os.environ['FLAVOUR']}}"}}
if {expires!r}:
    status["expirationTimestamp"] = {expires!r}
print(json.dumps({{"kind": "ExecCredential", "status": status}}))
"""


@pytest.fixture
def plugin(tmp_path):
    """A kubeconfig user with an exec plugin; `calls()` counts how often it ran."""

    def make(expires=""):
        script, calls = tmp_path / "plugin.py", tmp_path / "calls"
        script.write_text(PLUGIN.format(calls=str(calls), expires=expires))
        user = {
            "exec": {
                "apiVersion": "client.authentication.k8s.io/v1",
                "command": sys.executable,
                "args": [str(script)],
                "env": [{"name": "FLAVOUR", "value": "mint"}],
                "installHint": "install it",
            }
        }
        return user, lambda: len(calls.read_text().split()) if calls.exists() else 0

    return make


async def failure(open_cluster, server, expected, **options):
    async with open_cluster(server, (), **options) as cluster:
        with pytest.raises(expected) as caught:
            await cluster.transport.get_json_bytes("/version", deadline_s=2)
    line = caught.value.line()
    assert "\n" not in line
    assert caught.value.hint
    return caught.value


async def test_a_server_of_another_authority_is_not_trusted(tls_api, open_cluster):
    error = await failure(open_cluster, tls_api.url, Unreachable)
    assert "certificate" in error.message
    assert "certificate-authority" in error.hint
    assert not tls_api.requests


async def test_a_server_of_the_named_authority_is_trusted_and_gets_the_token(tls_api, open_cluster, ca_file, tmp_path):
    (tmp_path / "token").write_text("secret\n")
    options = {"user": {"tokenFile": "token"}, "certificate-authority": ca_file}
    async with open_cluster(tls_api.url, (), **options) as cluster:
        await cluster.transport.get_json_bytes("/version")
    assert tls_api.requests[0].headers["Authorization"] == "Bearer secret"


async def test_verification_can_be_switched_off_and_tls_names_overridden(tls_api, open_cluster, ca_file):
    async with open_cluster(tls_api.url, (), **{"insecure-skip-tls-verify": True}) as cluster:
        await cluster.transport.get_json_bytes("/version")
    wrong = {"certificate-authority": ca_file, "tls-server-name": "api.example.com"}
    assert "certificate" in (await failure(open_cluster, tls_api.url, Unreachable, **wrong)).message


async def test_credentials_do_not_travel_over_plain_http(api, open_cluster):
    async with open_cluster(api.url, (), user={"token": "secret"}) as cluster:
        await cluster.transport.get_json_bytes("/version")
    assert "Authorization" not in api.requests[0].headers


async def test_basic_auth(tls_api, open_cluster, ca_file):
    options = {"user": {"username": "jane", "password": "pw"}, "certificate-authority": ca_file}
    async with open_cluster(tls_api.url, (), **options) as cluster:
        await cluster.transport.get_json_bytes("/version")
    assert tls_api.requests[0].headers["Authorization"] == "Basic amFuZTpwdw=="


async def test_client_certificates_are_presented_and_leave_no_file(
    authority, open_cluster, ca_file, tmp_path, monkeypatch
):
    import ssl  # noqa: PLC0415

    presented = []

    async def handle(request):
        presented.append(request.transport.get_extra_info("peercert"))
        return web.json_response({})

    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    app = web.Application()
    app.router.add_get("/version", handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    mine = authority.issue_cert("jane@example.com", common_name="jane")
    (tmp_path / "me.crt").write_bytes(mine.cert_chain_pems[0].bytes())
    (tmp_path / "me.key").write_bytes(mine.private_key_pem.bytes())
    user = {"client-certificate": "me.crt", "client-key": "me.key"}
    url = f"https://127.0.0.1:{runner.addresses[0][1]}"
    try:
        async with open_cluster(url, (), user=user, **{"certificate-authority": ca_file}) as cluster:
            await cluster.transport.get_json_bytes("/version")
    finally:
        await runner.cleanup()
    assert (("commonName", "jane"),) in presented[0]["subject"]
    assert list(folder.iterdir()) == []


async def test_a_certificate_that_is_none_is_a_usage_error(tls_api, open_cluster, tmp_path):
    (tmp_path / "bad.crt").write_text("not a certificate")
    (tmp_path / "bad.key").write_text("not a key")
    user = {"client-certificate": "bad.crt", "client-key": "bad.key"}
    error = await failure(open_cluster, tls_api.url, UsageError, user=user)
    assert "certificates cannot be used" in error.message


async def test_impersonated_groups_are_headers_of_their_own(api, open_cluster):
    user = {"as": "jane", "as-groups": ["ops", "dev,qa"], "as-user-extra": {"Team/x": ["a", "b"]}}
    async with open_cluster(api.url, (), user=user) as cluster:
        await cluster.transport.get_json_bytes("/version")
    async with open_cluster(api.url, (), user=user, acting_as=("joe", ("night",))) as cluster:
        await cluster.transport.get_json_bytes("/version")
    first, second = (request.headers for request in api.requests)
    assert first["Impersonate-User"] == "jane"
    assert first.getall("Impersonate-Group") == ["ops", "dev,qa"]
    assert first.getall("Impersonate-Extra-team%2Fx") == ["a", "b"]
    assert second["Impersonate-User"] == "joe"
    assert second.getall("Impersonate-Group") == ["night"]
    assert "Impersonate-Extra-team%2Fx" not in second


async def test_a_proxy_of_the_environment_does_not_get_loopback_requests(api, open_cluster, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    async with open_cluster(api.url, ()) as cluster:
        await cluster.transport.get_json_bytes("/version")


async def test_the_proxy_of_the_kubeconfig_is_used(api, open_cluster):
    async with open_cluster("http://cluster.invalid", (), **{"proxy-url": api.url}) as cluster:
        await cluster.transport.get_json_bytes("/version")
    assert api.requests[0].headers["Host"] == "cluster.invalid"


async def test_401_runs_the_plugin_again_and_then_works(tls_api, open_cluster, ca_file, refuse, plugin):
    user, calls = plugin()

    async def expired(_request):
        return refuse(401, "Unauthorized", "Unauthorized")

    tls_api.fault(expired)
    options = {"user": user, "certificate-authority": ca_file}
    async with open_cluster(tls_api.url, (), **options) as cluster:
        await asyncio.gather(*(cluster.transport.get_json_bytes("/version") for _ in range(5)))
    sent = [request.headers["Authorization"] for request in tls_api.requests]
    assert sent[-1] == "Bearer token-2-mint"
    assert calls() == 2


async def test_401_twice_is_denied_with_a_way_out(tls_api, open_cluster, ca_file, refuse, plugin):
    user, calls = plugin()

    async def expired(_request):
        return refuse(401, "Unauthorized", "Unauthorized")

    tls_api.fault(expired, times=100)
    error = await failure(open_cluster, tls_api.url, Denied, user=user, **{"certificate-authority": ca_file})
    assert error.status == 401
    assert "sign in again" in error.hint
    assert calls() == 2
    assert len(tls_api.requests) == 2


async def test_a_token_about_to_expire_is_renewed_before_it_is_used(tls_api, open_cluster, ca_file, plugin, clock):
    user, calls = plugin(expires="2026-01-01T00:01:00Z")
    clock.pace = 1.0
    async with open_cluster(tls_api.url, (), user=user, **{"certificate-authority": ca_file}) as cluster:
        await cluster.transport.get_json_bytes("/version")
        await cluster.transport.get_json_bytes("/version")
        assert calls() == 1
        clock.pace = 1e6
        await cluster.transport.get_json_bytes("/version")
    assert calls() == 2


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (
            [sys.executable, "-c", "import sys; sys.exit('please run: cloud login\\nnow')"],
            "please run: cloud login now",
        ),
        ([sys.executable, "-c", "print('hello')"], "printed no ExecCredential"),
        ([sys.executable, "-c", "print('{\"status\":{}}')"], "neither a token nor"),
        (["no-such-plugin"], "cannot be started"),
    ],
)
async def test_a_failing_plugin_is_shown(tls_api, open_cluster, command, said):
    user = {"exec": {"command": command[0], "args": command[1:], "installHint": "get it from your platform team"}}
    error = await failure(open_cluster, tls_api.url, Denied, user=user)
    assert error.status == 401
    assert said in error.message
    assert error.message.startswith("lab: the sign-in plugin")
    assert not tls_api.requests


async def test_a_failing_plugin_is_not_started_for_every_request(tls_api, open_cluster, tmp_path, clock):
    starts = tmp_path / "starts"
    code = f"import sys; open({str(starts)!r}, 'a').write('x'); sys.exit(1)"
    user = {"exec": {"command": sys.executable, "args": ["-c", code]}}
    clock.pace = 1.0
    async with open_cluster(tls_api.url, (), user=user) as cluster:
        tries = (cluster.transport.get_json_bytes("/version") for _ in range(5))
        failures = await asyncio.gather(*tries, return_exceptions=True)
        assert all(isinstance(error, Denied) for error in failures)
        assert starts.read_text() == "x"
        clock.pace = 1e6
        with pytest.raises(Denied):
            await cluster.transport.get_json_bytes("/version")
    assert starts.read_text() == "xx"


async def test_a_plugin_that_wants_the_terminal_is_refused(tls_api, open_cluster):
    user = {"exec": {"command": "login", "interactiveMode": "Always"}}
    error = await failure(open_cluster, tls_api.url, Denied, user=user)
    assert "needs a terminal" in error.message


async def test_a_plugin_that_hangs_is_ended(tls_api, open_cluster, tmp_path, monkeypatch):
    monkeypatch.setattr("gwtui.adapters.kubernetes.credentials.PLUGIN_DEADLINE_S", 0.5)
    mark = tmp_path / "pid"
    code = f"import os,time; open({str(mark)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    error = await failure(
        open_cluster, tls_api.url, Denied, user={"exec": {"command": sys.executable, "args": ["-c", code]}}
    )
    assert "did not finish" in error.message
    import psutil  # noqa: PLC0415

    assert not psutil.pid_exists(int(mark.read_text()))


@pytest.mark.parametrize(
    ("code", "reason", "expected", "part"),
    [
        (403, "Forbidden", Denied, "no way"),
        (404, "NotFound", NotServed, "/version is not served"),
        (410, "Expired", Expired, "no way"),
        (429, "TooManyRequests", Throttled, "(429)"),
        (503, "ServiceUnavailable", Throttled, "(503)"),
        (500, "InternalError", Unreachable, "(500)"),
    ],
)
async def test_each_status_has_its_error(api, open_cluster, refuse, *, code, reason, expected, part):
    async def answer(_request):
        return refuse(code, "no\nway", reason)

    api.fault(answer)
    async with open_cluster(api.url, ()) as cluster:
        with pytest.raises(expected) as caught:
            await cluster.transport.get_json_bytes("/version")
    assert part in caught.value.line()
    assert "lab (127.0.0.1:" in caught.value.line()
    assert "\n" not in caught.value.line()


@pytest.mark.parametrize(
    ("method", "path", "right"),
    [
        ("GET", "/api/v1/pods", "list on pods cluster-wide"),
        ("GET", "/api/v1/namespaces", "list on namespaces cluster-wide"),
        ("GET", "/api/v1/namespaces/shop", "get on namespaces cluster-wide"),
        ("GET", "/apis/apps/v1/namespaces/shop/deployments", "list on deployments.apps in namespace shop"),
        ("PATCH", "/apis/apps/v1/namespaces/shop/deployments/x", "patch on deployments.apps in namespace shop"),
        ("GET", "/api/v1/namespaces/shop/pods/p/portforward", "get on pods/portforward in namespace shop"),
        ("GET", "/version", "get on the path /version"),
    ],
)
async def test_403_says_what_to_grant(api, open_cluster, refuse, *, method, path, right):
    async def answer(_request):
        return refuse(403, "no", "Forbidden")

    api.fault(answer)
    async with open_cluster(api.url, ()) as cluster:
        with pytest.raises(Denied) as caught:
            await cluster.transport.request(method, path, approval=approved())
    assert caught.value.hint == f"grant {right}"


async def test_who_may_not_impersonate_is_not_told_to_ask_for_the_path(api, open_cluster, refuse):
    said = 'users "ann" is forbidden: User "sre" cannot impersonate-on:user-info:get path "/api"'

    async def answer(_request):
        return refuse(403, said, "Forbidden")

    api.fault(answer)
    async with open_cluster(api.url, ()) as cluster:
        with pytest.raises(Denied) as caught:
            await cluster.transport.get_json_bytes("/version")
    assert caught.value.hint == "grant impersonate on that user or group, or leave out --as and --as-group"


async def test_names_that_do_not_resolve(open_cluster):
    error = await failure(open_cluster, "https://cluster.invalid:6443", Unreachable)
    assert "cluster.invalid" in error.message
    assert "resolved" in error.message


async def test_answers_over_the_limit_are_not_read(api, open_cluster):
    async def large(_request):
        return web.Response(body=b"x" * 100_000)

    api.fault(large, times=2)
    async with open_cluster(api.url, ()) as cluster:
        with pytest.raises(BadPayload, match="larger than 50000 bytes"):
            await cluster.transport.get_json_bytes("/version", max_bytes=50_000)
        assert len(await cluster.transport.get_json_bytes("/version", max_bytes=100_000)) == 100_000


async def test_writes_keep_their_content_type(api, open_cluster):
    seen = []

    async def answer(request):
        seen.append((request.method, request.headers["Content-Type"], await request.json()))
        return web.json_response({})

    api.fault(answer, times=10)
    bodies = {
        "application/merge-patch+json": {"spec": None},
        "application/json-patch+json": [{"op": "test", "path": "/a", "value": 1}],
        "application/apply-patch+yaml": {"kind": "Service"},
        "application/strategic-merge-patch+json": {"spec": {}},
    }
    async with open_cluster(api.url, ()) as cluster:
        for content_type, body in bodies.items():
            await cluster.transport.request(
                "PATCH", "/api/v1/x", body=body, content_type=content_type, approval=approved()
            )
    assert seen == [("PATCH", content_type, body) for content_type, body in bodies.items()]


async def test_access_reviews_are_asked_once_and_unknown_is_none(api, open_cluster, refuse):
    questions = []

    async def review(request):
        questions.append((await request.json())["spec"]["resourceAttributes"])
        return web.json_response({"status": {"allowed": len(questions) == 1}})

    async def refused(_request):
        return refuse(404, "no", "NotFound")

    async with open_cluster(api.url, ()) as cluster:
        api.fault(review, method="POST", times=2)
        assert await cluster.can("create", "pods", "portforward", "shop") is True
        assert await cluster.can("create", "pods", "portforward", "shop") is True
        assert await cluster.can("list", "httproutes.gateway.networking.k8s.io") is False
        api.fault(refused, method="POST")
        assert await cluster.can("list", "secrets") is None
    assert questions == [
        {"verb": "create", "resource": "pods", "subresource": "portforward", "namespace": "shop"},
        {"verb": "list", "resource": "httproutes", "group": "gateway.networking.k8s.io"},
    ]


async def test_identity_and_one_object(api, open_cluster, pods_kind):
    async def who(request):
        assert json.loads(await request.text())["kind"] == "SelfSubjectReview"
        return web.json_response({"status": {"userInfo": {"username": "jane", "groups": ["ops"]}}})

    async def pod(_request):
        return web.json_response({"kind": "Pod", "metadata": {"name": "p", "managedFields": []}})

    api.fault(who, method="POST")
    api.fault(pod, path="/api/v1/namespaces/shop/pods/p")
    async with open_cluster(api.url, (pods_kind,), namespace="shop") as cluster:
        identity = await cluster.identity()
        assert (identity.username, identity.groups) == ("jane", ("ops",))
        assert (await cluster.fetch_object(pods_kind, "shop", "p"))["metadata"]["managedFields"] == []
        with pytest.raises(NotServed):
            await cluster.fetch_object(pods_kind, "shop", "q")
        assert (cluster.context, cluster.namespace) == ("lab", "shop")
        assert await cluster.identity() is None
