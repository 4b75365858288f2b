"""etcd and kube-apiserver on loopback, with what the contract suite expects to find in them.

Both end with the process that started them. Their data, certificates, tokens and logs are in one folder.
"""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import trustme
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gwtui.playground.api.access import RULES, Rule, Tokens
from gwtui.playground.api.kubeconfig import write_kubeconfig
from gwtui.playground.lifeline import follow_parent_death
from tests.apiserver.binaries import Binaries

START_WITHIN_S = 120.0
END_WITHIN_S = 20.0
TRIES = 3
"""A port that was free is free no more when somebody else was faster."""
CONTEXT = "contract"
NAMESPACES = ("foo", "bar")
_RBAC = "rbac.authorization.k8s.io"


class Failed(Exception):
    """A server did not start; the text holds the end of its log."""


@dataclass(frozen=True, slots=True)
class Running:
    """A real API server."""

    version: str
    kubeconfig: Path
    etcd: str
    """URL of the store behind it."""
    definitions: tuple[str, ...]
    """Names of the custom resource definitions that were installed."""
    remarks: tuple[str, ...]
    """On those that are not whole."""


@contextmanager
def running(binaries: Binaries, folder: Path, definitions: Sequence[Path]) -> Iterator[Running]:
    """Start both, install the users' rights and the definitions, and end both.

    Args:
        binaries: The programs.
        folder: Where everything is written; private.
        definitions: YAML files of custom resource definitions.

    Raises:
        Failed: one of them did not start.
    """
    with ExitStack() as stack:
        etcd = _started(stack, lambda: _etcd(binaries.etcd, folder))
        authority, tokens = trustme.CA(), Tokens()
        _write_credentials(folder, authority, tokens)
        url = _started(stack, lambda: _apiserver(binaries.kube_apiserver, folder, etcd))
        kubeconfig = folder / "kubeconfig"
        write_kubeconfig(kubeconfig, url=url, authority=authority.cert_pem.bytes(), tokens=tokens, context=CONTEXT)
        trusted = ssl.create_default_context(cadata=authority.cert_pem.bytes().decode())
        headers = {"Authorization": f"Bearer {next(iter(tokens.users))}"}
        with httpx.Client(base_url=url, verify=trusted, headers=headers, trust_env=False, timeout=30) as client:
            _install_users(client)
            installed, remarks = _install(client, definitions)
            yield Running(client.get("/version").json()["gitVersion"], kubeconfig, etcd, installed, remarks)


@dataclass(frozen=True, slots=True)
class _Launch:
    """What to run and how to see that it is ready."""

    command: list[str]
    url: str
    ready: str
    """Path that answers 200."""
    log: Path
    headers: dict[str, str]


def _started(stack: ExitStack, prepare: Callable[[], _Launch]) -> str:
    """Start a server on a port that is free, and return its URL; the stack ends it."""
    for tries_left in reversed(range(TRIES)):
        launch = prepare()
        with launch.log.open("wb") as log:
            process = subprocess.Popen(
                launch.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=launch.log.parent,
                preexec_fn=follow_parent_death,  # noqa: PLW1509 - only prctl is called, and no thread runs yet
                start_new_session=True,
            )
        stack.callback(_end, process)
        try:
            _await(process, launch)
        except Failed:
            _end(process)
            if not tries_left or b"address already in use" not in launch.log.read_bytes():
                raise
        else:
            return launch.url
    raise AssertionError("unreachable")


def _await(process: subprocess.Popen[bytes], launch: _Launch) -> None:
    deadline = time.monotonic() + START_WITHIN_S
    name = Path(launch.command[0]).name
    with httpx.Client(verify=False, trust_env=False, timeout=5, headers=launch.headers) as client:
        while process.poll() is None:
            try:
                if client.get(launch.url + launch.ready).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            if time.monotonic() > deadline:
                raise Failed(f"{name} is not ready after {START_WITHIN_S:.0f} s:\n{_tail(launch.log)}")
            time.sleep(0.1)
    raise Failed(f"{name} ended with exit code {process.returncode}:\n{_tail(launch.log)}")


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-20:])


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(END_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _etcd(program: Path, folder: Path) -> _Launch:
    url, peer = (f"http://127.0.0.1:{_free_port()}" for _ in range(2))
    command = [
        str(program),
        f"--data-dir={folder / 'etcd'}",
        f"--listen-client-urls={url}",
        f"--advertise-client-urls={url}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        "--unsafe-no-fsync",
    ]
    return _Launch(command, url, "/health", folder / "etcd.log", {})


def _apiserver(program: Path, folder: Path, etcd: str) -> _Launch:
    port = _free_port()
    command = [
        str(program),
        f"--etcd-servers={etcd}",
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
        "--endpoint-reconciler-type=none",  # it may not announce a loopback address
        f"--tls-cert-file={folder / 'tls.crt'}",
        f"--tls-private-key-file={folder / 'tls.key'}",
        f"--token-auth-file={folder / 'tokens.csv'}",
        "--authorization-mode=RBAC",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={folder / 'accounts.key'}",
        f"--service-account-signing-key-file={folder / 'accounts.key'}",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--disable-admission-plugins=ServiceAccount",  # nobody makes the account that pods get
    ]
    token = (folder / "tokens.csv").read_text().partition(",")[0]
    headers = {"Authorization": f"Bearer {token}"}
    return _Launch(command, f"https://127.0.0.1:{port}", "/readyz", folder / "kube-apiserver.log", headers)


def _write_credentials(folder: Path, authority: trustme.CA, tokens: Tokens) -> None:
    issued = authority.issue_cert("127.0.0.1", "localhost")
    _private(folder / "tls.crt", b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    _private(folder / "tls.key", issued.private_key_pem.bytes())
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    _private(folder / "accounts.key", pem)
    lines = [
        f'{token},{user.name},{number},"{",".join(group for group in user.groups if group in RULES and group != ALL)}"'
        for number, (token, user) in enumerate(tokens.users.items())
    ]
    _private(folder / "tokens.csv", "\n".join(lines).encode())


ALL = "system:authenticated"
"""A group that everybody gets who is known."""


def _private(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)


def _install_users(client: httpx.Client) -> None:
    """Create what the users of the playground have: their namespaces and rights."""
    for name in NAMESPACES:
        _create(client, "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    for group, rules in RULES.items():
        if group.startswith("playground:"):
            for rule in rules:
                _grant(client, group, rule)


def _install(client: httpx.Client, definitions: Sequence[Path]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Create the definitions; return the names of those that are served, and remarks on those that are not whole."""
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    names, remarks = [], []
    for file in definitions:
        for document in yaml.safe_load_all(file.read_text(encoding="utf-8")):
            name = document["metadata"]["name"]
            try:
                _create(client, path, document)
            except Failed as error:
                if "rule cost" not in str(error):
                    raise
                # The server counts what a rule may cost at most, and releases differ in how.
                _create(client, path, _without_rules(document))
                remarks.append(f"{name} is installed without its rules, which this server finds too costly")
            names.append(name)
    for name in names:
        _await_condition(client, f"{path}/{name}", "Established")
    return tuple(names), tuple(remarks)


def _without_rules(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_rules(inner) for key, inner in value.items() if key != "x-kubernetes-validations"}
    return [_without_rules(item) for item in value] if isinstance(value, list) else value


def _grant(client: httpx.Client, group: str, rule: Rule) -> None:
    """Give a group what a rule of the playground gives it."""
    name = group.replace(":", "-")
    role = {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": name},
        "rules": [
            {"verbs": list(rule.verbs), "apiGroups": list(rule.groups), "resources": list(rule.resources)},
        ],
    }
    _create(client, f"/apis/{_RBAC}/v1/clusterroles", role)
    scopes = ["/clusterrolebindings"] if rule.namespaces is None else []
    scopes += [f"/namespaces/{namespace}/rolebindings" for namespace in rule.namespaces or ()]
    for scope in scopes:
        binding = {
            "apiVersion": f"{_RBAC}/v1",
            "kind": "ClusterRoleBinding" if rule.namespaces is None else "RoleBinding",
            "metadata": {"name": name},
            "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": name},
            "subjects": [{"apiGroup": _RBAC, "kind": "Group", "name": group}],
        }
        _create(client, f"/apis/{_RBAC}/v1{scope}", binding)


def _create(client: httpx.Client, path: str, body: dict[str, Any]) -> None:
    answer = client.post(path, json=body)
    if answer.status_code != 201:
        raise Failed(f"cannot create {body['kind']} {body['metadata']['name']}: {answer.text[:500]}")


def _await_condition(client: httpx.Client, path: str, name: str) -> None:
    deadline = time.monotonic() + START_WITHIN_S
    while True:
        conditions = client.get(path).json().get("status", {}).get("conditions", [])
        if any((item["type"], item["status"]) == (name, "True") for item in conditions):
            return
        if time.monotonic() > deadline:
            raise Failed(f"{path} is not {name}: {conditions}")
        time.sleep(0.1)
