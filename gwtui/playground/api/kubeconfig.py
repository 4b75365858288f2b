"""The kubeconfig that leads to a playground server: one context per demo user."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import yaml

from gwtui.playground.api.access import ADMIN, TEAM, VIEWER, Tokens, User


def write_kubeconfig(path: Path, *, url: str, authority: bytes, tokens: Tokens, context: str) -> None:
    """Write the file, readable by its owner only.

    Args:
        path: Where to write; an existing file is replaced.
        url: The server.
        authority: Certificate of the authority that signed the server's certificate, PEM.
        tokens: Tokens of the demo users.
        context: Name of the context with all rights, and of the cluster entry; the contexts of the other users are
            called after it, with `-readonly` and `-team`.
    """
    users: dict[str, tuple[User, str]] = {
        context: (ADMIN, "default"),
        f"{context}-readonly": (VIEWER, "default"),
        f"{context}-team": (TEAM, "foo"),
    }
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": context,
        "clusters": [
            {
                "name": context,
                "cluster": {
                    "server": url,
                    "certificate-authority-data": base64.b64encode(authority).decode(),
                },
            }
        ],
        "users": [{"name": user.name, "user": {"token": tokens.of(user)}} for user, _ in users.values()],
        "contexts": [
            {"name": name, "context": {"cluster": context, "user": user.name, "namespace": namespace}}
            for name, (user, namespace) in users.items()
        ],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        yaml.safe_dump(document, file, sort_keys=False)
