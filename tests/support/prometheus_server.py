"""A real Prometheus server on loopback, scraping what a test names."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import socket
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

READY_WITHIN_S = 20.0


def prometheus_binary() -> str | None:
    """The server's program, or None where it is not installed (Debian package `prometheus`)."""
    return shutil.which("prometheus")


def kgateway_job(targets: Mapping[str, str]) -> list[dict[str, Any]]:
    """The scrape configuration kgateway documents, for `namespace/pod` at a base URL each."""
    configs = [
        {
            "targets": [urlsplit(base).netloc],
            "labels": {
                "kube_namespace": pod.partition("/")[0],
                "pod": pod.partition("/")[2],
                "gateway_networking_k8s_io_gateway_name": pod.partition("/")[2].rsplit("-", 2)[0],
                "kgateway": "kube-gateway",
            },
        }
        for pod, base in targets.items()
    ]
    return [{"job_name": "kgateway-gateways", "metrics_path": "/metrics", "static_configs": configs}]


@contextlib.asynccontextmanager
async def scraping(folder: Path, jobs: Sequence[Mapping[str, Any]], flags: Sequence[str] = ()) -> AsyncIterator[str]:
    """A server that scrapes the jobs every second; gives its base URL, and ends it."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    config = folder / f"prometheus-{port}.json"  # JSON is YAML
    every = {"scrape_interval": "1s", "scrape_timeout": "1s"}
    config.write_text(json.dumps({"global": every, "scrape_configs": list(jobs)}))
    binary = prometheus_binary()
    assert binary is not None
    process = await asyncio.create_subprocess_exec(
        binary,
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / f'tsdb-{port}'}",
        f"--web.listen-address=127.0.0.1:{port}",
        *flags,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        await _ready(url, targets=sum(len(each["targets"]) for job in jobs for each in job["static_configs"]))
        yield url
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def _ready(url: str, *, targets: int) -> None:
    """Wait until every target was scraped once."""
    end = time.monotonic() + READY_WITHIN_S
    async with httpx.AsyncClient(trust_env=False) as client:
        while time.monotonic() < end:
            with contextlib.suppress(httpx.HTTPError, LookupError, ValueError):
                active = (await client.get(f"{url}/api/v1/targets")).json()["data"]["activeTargets"]
                if len([each for each in active if each["health"] != "unknown"]) >= targets:
                    return
            await asyncio.sleep(0.05)
    raise AssertionError("Prometheus did not scrape its targets")
