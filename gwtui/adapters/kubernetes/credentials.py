"""Credentials of a kubeconfig user: tokens, basic auth, client certificates and exec plugins.

Plugins are run here, without stdin and without the terminal: a plugin that prompts would fight the console for the
keyboard. What it prints on stderr (`please run: …`) becomes the error the operator sees.
"""

from __future__ import annotations

import asyncio
import base64
import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from gwtui.adapters.kubernetes.kubeconfig import Access, read_pem
from gwtui.errors import Denied, UsageError
from gwtui.ports import Clock

PLUGIN_DEADLINE_S = 60.0
"""Time an exec plugin gets, in seconds: some open a browser."""

TOKEN_FILE_FRESH = timedelta(minutes=1)
"""How long the content of a token file is believed; kubelets rotate projected tokens in place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What proves who we are. All empty is an anonymous user."""

    authorization: str | None = field(default=None, repr=False)
    """Value of the Authorization header."""
    certificate_pem: str | None = field(default=None, repr=False)
    key_pem: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None
    """Aware UTC; None when not known."""


class _PluginStatus(msgspec.Struct, rename="camel"):
    token: str = ""
    client_certificate_data: str = ""
    client_key_data: str = ""
    expiration_timestamp: str = ""


class _PluginAnswer(msgspec.Struct):
    status: _PluginStatus


async def fetch_credentials(access: Access, clock: Clock) -> Credentials:
    """Resolve the credentials of the context's user. Awaits an exec plugin when the user has one.

    Raises:
        Denied: the plugin failed, is missing or needs a terminal (status 401).
        UsageError: a file or value in the user entry cannot be read.
    """
    user = access.user
    if user.get("exec") and not any(user.get(name) for name in ("token", "tokenFile", "username")):
        return await _run_plugin(access, user["exec"])
    return await asyncio.to_thread(_read_credentials, access, clock.now())


def _read_credentials(access: Access, now: datetime) -> Credentials:
    user = access.user
    owner = f"context {access.context!r}"
    authorization: str | None = None
    expires_at: datetime | None = None
    if path := user.get("tokenFile"):
        authorization = _bearer(_read_token(access.folder / Path(path).expanduser(), owner))
        expires_at = now + TOKEN_FILE_FRESH
    elif token := user.get("token"):
        authorization = _bearer(str(token))
    elif username := user.get("username"):
        pair = f"{username}:{user.get('password', '')}"
        authorization = "Basic " + base64.b64encode(pair.encode()).decode("ascii")
    elif provider := user.get("auth-provider"):
        stored = provider.get("config") or {}
        # Refreshing here would lose a rotated refresh token, and with it the sign-in of every other tool.
        authorization = _bearer(str(stored.get("id-token") or stored.get("access-token") or ""))
    return Credentials(
        authorization=authorization,
        certificate_pem=read_pem(user, access.folder, "client-certificate", owner),
        key_pem=read_pem(user, access.folder, "client-key", owner),
        expires_at=expires_at,
    )


def sign_in_hint(access: Access) -> str:
    """What to try when the API server does not accept the credentials."""
    if access.user.get("auth-provider"):
        return f"run `kubectl --context {access.context} get ns` once to renew the stored token, then retry"
    if access.user.get("exec"):
        return f"sign in again with {access.user['exec'].get('command', 'the exec plugin')}"
    if not access.user:
        return "the context has no user: add one to the kubeconfig"
    return "the credentials in the kubeconfig are expired or wrong: renew them"


def _bearer(token: str) -> str | None:
    # A trailing newline in a token file is not part of the token and would be an illegal header.
    token = token.strip()
    return f"Bearer {token}" if token else None


def _read_token(path: Path, owner: str) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{owner}: cannot read tokenFile {path}: {error}", "check the path and its rights") from error


async def _run_plugin(access: Access, plugin: Mapping[str, Any]) -> Credentials:
    command = str(plugin.get("command") or "")
    who = f"{access.context}: the sign-in plugin {command}"
    install = str(plugin.get("installHint") or "")
    if plugin.get("interactiveMode") == "Always":
        raise Denied(
            f"{who} needs a terminal",
            f"run `kubectl --context {access.context} get ns` in a shell first, or use a plugin that caches",
            status=401,
        )
    # A path is relative to the kubeconfig; a bare name is looked up in PATH.
    argv = [str(access.folder / command) if os.sep in command else command, *map(str, plugin.get("args") or ())]
    try:
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=_plugin_environment(access, plugin),
            # Its own session has no controlling terminal, so the plugin cannot prompt behind the console's back.
            start_new_session=True,
        )
    except OSError as error:
        hint = install or "install it or fix `command` in the kubeconfig"
        raise Denied(f"{who} cannot be started: {error.strerror}", hint, status=401) from error
    try:
        async with asyncio.timeout(PLUGIN_DEADLINE_S):
            stdout, stderr = await process.communicate()
    except TimeoutError as error:
        hint = "run it in a shell to see what it waits for"
        raise Denied(f"{who} did not finish within {PLUGIN_DEADLINE_S:.0f} s", hint, status=401) from error
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    said = " ".join(stderr.decode(errors="replace").split())[-300:]
    if process.returncode:
        hint = install or "do what the plugin says, then retry"
        raise Denied(f"{who} failed ({process.returncode}): {said or 'it said nothing'}", hint, status=401)
    return decode_plugin_answer(stdout, who, said)


def _plugin_environment(access: Access, plugin: Mapping[str, Any]) -> dict[str, str]:
    spec: dict[str, Any] = {"interactive": False}
    if plugin.get("provideClusterInfo"):
        names = ("server", "tls-server-name", "insecure-skip-tls-verify", "certificate-authority-data", "proxy-url")
        spec["cluster"] = {name: access.cluster[name] for name in names if name in access.cluster}
        if access.ca_pem:
            spec["cluster"]["certificate-authority-data"] = base64.b64encode(access.ca_pem.encode()).decode("ascii")
        for extension in access.cluster.get("extensions") or ():
            if extension.get("name") == "client.authentication.k8s.io/exec":
                spec["cluster"]["config"] = extension.get("extension")
    info = {
        "apiVersion": plugin.get("apiVersion", "client.authentication.k8s.io/v1"),
        "kind": "ExecCredential",
        "spec": spec,
    }
    extra = {str(item["name"]): str(item.get("value", "")) for item in plugin.get("env") or ()}
    return {**os.environ, **extra, "KUBERNETES_EXEC_INFO": msgspec.json.encode(info).decode()}


def decode_plugin_answer(stdout: bytes, who: str, said: str) -> Credentials:
    """Decode what an exec plugin printed. *Source:* ExecCredential `status`, `client.authentication.k8s.io/v1`.

    Args:
        stdout: What it printed.
        who: Context and plugin, the start of a message.
        said: What it wrote to stderr, the end of a message.

    Raises:
        Denied: not an ExecCredential, or one without credentials (status 401).
    """
    hint = "run it in a shell to see what it prints"
    try:
        status = msgspec.json.decode(stdout, type=_PluginAnswer).status
        expires = datetime.fromisoformat(status.expiration_timestamp) if status.expiration_timestamp else None
    except (msgspec.DecodeError, ValueError) as error:
        raise Denied(f"{who} printed no ExecCredential ({error}) {said}".rstrip(), hint, status=401) from error
    if not status.token and not (status.client_certificate_data and status.client_key_data):
        raise Denied(f"{who} gave neither a token nor a certificate with key {said}".rstrip(), hint, status=401)
    if expires is not None and expires.tzinfo is None:
        expires = expires.replace(tzinfo=UTC)
    return Credentials(
        authorization=_bearer(status.token),
        certificate_pem=status.client_certificate_data or None,
        key_pem=status.client_key_data or None,
        expires_at=expires,
    )
