"""The playground's API server, asked and written to by a stranger: plain HTTP, nothing of the console."""

from __future__ import annotations

import base64
import ssl
from pathlib import Path
from typing import Any

import httpx
import yaml

ROUTES = "/apis/gateway.networking.k8s.io/v1/namespaces/{namespace}/httproutes/{name}"


class ApiServer:
    """Reads and patches objects of the cluster of a kubeconfig."""

    def __init__(self, kubeconfig: str) -> None:
        config = yaml.safe_load(Path(kubeconfig).read_text(encoding="utf-8"))
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        self._client = httpx.Client(
            base_url=cluster["server"],
            headers={"Authorization": f"Bearer {user['token']}"},
            verify=ssl.create_default_context(cadata=authority),
            trust_env=False,
            timeout=20,
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def route(self, namespace: str, name: str) -> dict[str, Any]:
        """An HTTPRoute as it is stored."""
        answer = self._client.get(ROUTES.format(namespace=namespace, name=name))
        answer.raise_for_status()
        return answer.json()

    def get(self, path: str) -> dict[str, Any]:
        """An object as it is stored."""
        answer = self._client.get(path)
        answer.raise_for_status()
        return answer.json()

    def merge(self, path: str, patch: dict[str, Any]) -> None:
        """Merge something into an object."""
        answer = self._client.patch(path, headers={"Content-Type": "application/merge-patch+json"}, json=patch)
        answer.raise_for_status()

    def patch_route(self, namespace: str, name: str, operations: list[dict[str, Any]]) -> dict[str, Any]:
        """Write an HTTPRoute as somebody else."""
        answer = self._client.patch(
            ROUTES.format(namespace=namespace, name=name),
            params={"fieldManager": "somebody-else"},
            headers={"Content-Type": "application/json-patch+json"},
            json=operations,
        )
        answer.raise_for_status()
        return answer.json()


def content(route: dict[str, Any]) -> dict[str, Any]:
    """What a route says, without who wrote it when and without its status."""
    left_out = {"managedFields", "resourceVersion", "generation"}
    metadata = {name: part for name, part in route["metadata"].items() if name not in left_out}
    return {"metadata": metadata, "spec": route["spec"]}
