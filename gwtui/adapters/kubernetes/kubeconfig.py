"""Kubeconfig files, read as kubectl reads them.

The client library's loader differs from kubectl where it hurts: it takes the last `current-context` of several files,
ignores impersonation (the call would run as the real user) and drops the context's namespace. So the files are read
here, and the library gets nothing but the result.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from gwtui.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Impersonation:
    """Who to act as. *Source:* `as`, `as-uid`, `as-groups`, `as-user-extra` of the kubeconfig user, or `--as`."""

    user: str = ""
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Everything needed to open one context, with paths absolute."""

    context: str
    server: str
    """Base URL without a trailing slash."""
    namespace: str = ""
    """The context's default namespace; empty when it names none."""
    ca_pem: str | None = None
    """None means the system's certificate authorities."""
    verify_tls: bool = True
    tls_server_name: str | None = None
    proxy_url: str | None = None
    user: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """The raw user entry: credentials are resolved when they are first needed, and again when they are refused."""
    cluster: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """The raw cluster entry, for plugins that ask for it."""
    folder: Path = field(default_factory=Path)
    """Folder of the file that holds the user entry: relative paths in it start here."""
    impersonation: Impersonation = field(default_factory=Impersonation)

    @property
    def host(self) -> str:
        """Host and port of the server, for messages."""
        return urlsplit(self.server).netloc

    def acting_as(self, user: str, groups: Sequence[str]) -> Access:
        """Return this access with the identity of the command line, which replaces the kubeconfig's.

        Raises:
            UsageError: groups without a user; the API server would refuse every request.
        """
        if not user and not groups:
            return self
        if not user:
            raise UsageError("--as-group needs --as", "name the user to act as, for example --as jane")
        return replace(self, impersonation=Impersonation(user=user, groups=tuple(groups)))


@dataclass(frozen=True, slots=True)
class _Entry:
    body: Mapping[str, Any]
    folder: Path


@dataclass(frozen=True, slots=True)
class Kubeconfig:
    """The merged content of one or several kubeconfig files; of equal names and settings the first file's wins."""

    files: tuple[Path, ...]
    current_context: str
    """Empty when no file sets it."""
    contexts: Mapping[str, _Entry]
    clusters: Mapping[str, _Entry] = field(repr=False)
    users: Mapping[str, _Entry] = field(repr=False)

    def select(self, context: str | None = None) -> Access:
        """Return the access of one context, `current-context` when None.

        Raises:
            UsageError: unknown or empty context, or a context that names a missing cluster or user.
        """
        name = context or self.current_context
        choices = ", ".join(sorted(self.contexts)) or "none"
        if not name:
            raise UsageError("no current context is set", f"choose one with --context: {choices}")
        if name not in self.contexts:
            raise UsageError(f"no context named {name!r} in {self._where()}", f"contexts: {choices}")
        body = self.contexts[name].body
        cluster = self._entry(self.clusters, "cluster", body.get("cluster"), name)
        user_name = body.get("user")
        user = self._entry(self.users, "user", user_name, name) if user_name else _Entry({}, Path())
        return _access(name, body, cluster, user)

    def _entry(self, entries: Mapping[str, _Entry], what: str, name: Any, context: str) -> _Entry:
        if name not in entries:
            raise UsageError(
                f"context {context!r} names {what} {name!r}, which is not in {self._where()}",
                f"add the {what} entry or choose another context",
            )
        return entries[name]

    def _where(self) -> str:
        return ", ".join(map(str, self.files))


def load_kubeconfig(explicit: Path | None = None, environ: Mapping[str, str] | None = None) -> Kubeconfig:
    """Read `explicit`, else the files of KUBECONFIG, else `~/.kube/config`. Blocks on small local files.

    Raises:
        UsageError: no file exists, or one cannot be read.
    """
    environ = os.environ if environ is None else environ
    listed = [Path(part).expanduser() for part in environ.get("KUBECONFIG", "").split(os.pathsep) if part]
    candidates = [explicit.expanduser()] if explicit else listed or [Path.home() / ".kube" / "config"]
    files = tuple(path for path in candidates if path.is_file())
    if not files:
        raise UsageError(
            f"no kubeconfig at {', '.join(map(str, candidates))}", "give one with --kubeconfig or set KUBECONFIG"
        )
    current = ""
    merged: dict[str, dict[str, _Entry]] = {"contexts": {}, "clusters": {}, "users": {}}
    for path in files:
        document = _read(path)
        current = current or str(document.get("current-context") or "")
        for section, entries in merged.items():
            for name, body in _section(document, section, path).items():
                entries.setdefault(name, _Entry(body, path.absolute().parent))
    return Kubeconfig(files, current, merged["contexts"], merged["clusters"], merged["users"])


def _read(path: Path) -> Mapping[str, Any]:
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise UsageError(f"cannot read kubeconfig {path}: {reason}", "check the file or choose another") from error
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise UsageError(f"{path} is not a kubeconfig", "it must be a mapping with contexts, clusters and users")
    return document


def _section(document: Mapping[str, Any], section: str, path: Path) -> dict[str, Mapping[str, Any]]:
    key = section.removesuffix("s")
    try:
        return {str(entry["name"]): dict(entry.get(key) or {}) for entry in reversed(document.get(section) or [])}
    except (TypeError, KeyError, AttributeError, ValueError) as error:
        raise UsageError(
            f"{path}: {section} is not a list of named entries", f"each entry needs `name` and `{key}`"
        ) from error


def _access(name: str, context: Mapping[str, Any], cluster: _Entry, user: _Entry) -> Access:
    server = str(cluster.body.get("server") or "").rstrip("/")
    if urlsplit(server).scheme not in {"http", "https"} or not urlsplit(server).netloc:
        raise UsageError(f"context {name!r} has no usable server address ({server or 'empty'})", "expected https://…")
    proxy_url = cluster.body.get("proxy-url") or None
    if proxy_url and urlsplit(proxy_url).scheme not in {"http", "https"}:
        raise UsageError(
            f"context {name!r} asks for the proxy {proxy_url}, which is not an HTTP proxy",
            "use an http:// proxy-url, or open a tunnel and point `server` at it with tls-server-name",
        )
    return Access(
        context=name,
        server=server,
        namespace=str(context.get("namespace") or ""),
        ca_pem=_pem(cluster, "certificate-authority", name),
        verify_tls=not cluster.body.get("insecure-skip-tls-verify", False),
        tls_server_name=cluster.body.get("tls-server-name") or None,
        proxy_url=proxy_url,
        user=user.body,
        cluster=cluster.body,
        folder=user.folder,
        impersonation=_impersonation(user.body, name),
    )


def _pem(entry: _Entry, key: str, context: str) -> str | None:
    return read_pem(entry.body, entry.folder, key, f"context {context!r}")


def read_pem(body: Mapping[str, Any], folder: Path, key: str, owner: str) -> str | None:
    """Return the PEM text of `<key>-data` (base64) or of the file named by `<key>`; None when neither is given.

    Raises:
        UsageError: not base64, or the file cannot be read.
    """
    try:
        if data := body.get(f"{key}-data"):
            return base64.b64decode(data, validate=True).decode("ascii")
        if path := body.get(key):
            return (folder / Path(path).expanduser()).read_text(encoding="ascii")
    except (OSError, binascii.Error, ValueError) as error:
        raise UsageError(f"{owner}: cannot read {key}: {error}", "check the kubeconfig entry") from error
    return None


def _impersonation(user: Mapping[str, Any], context: str) -> Impersonation:
    name = str(user.get("as") or "")
    extra = {str(key): tuple(map(str, values)) for key, values in (user.get("as-user-extra") or {}).items()}
    groups = tuple(map(str, user.get("as-groups") or ()))
    uid = str(user.get("as-uid") or "")
    if not name and (extra or groups or uid):
        raise UsageError(
            f"context {context!r} sets as-groups, as-uid or as-user-extra without `as`", "name the user in `as`"
        )
    return Impersonation(user=name, uid=uid, groups=groups, extra=extra)
