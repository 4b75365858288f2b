"""Where kube-apiserver and etcd are, and how they are made where they are not.

`KUBEBUILDER_ASSETS` names a folder that holds both. Without it they are looked for in the user's cache folder; what is
missing is built there from its Go module by the `go` of this machine. An etcd on the PATH is left alone: with an old
one, as some distributions have it, watches that begin with what is there never get to the end of that.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path

MODULE = Path(__file__).parent
ASSETS = "KUBEBUILDER_ASSETS"
NAMES = ("etcd", "kube-apiserver")
"""In the order in which they are built: the short one first."""
_VERSION = "k8s.io/component-base/version"


class Missing(Exception):
    """A server is not here and cannot be made here; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Binaries:
    """Two programs."""

    etcd: Path
    kube_apiserver: Path


def pinned() -> str:
    """The release of Kubernetes that is built, such as `v1.37.2`."""
    found = re.search(r"^\s*k8s\.io/kubernetes (v\S+)", (MODULE / "go.mod").read_text(), re.MULTILINE)
    assert found, "go.mod names no release of k8s.io/kubernetes"
    return found.group(1)


def cache() -> Path:
    """The folder that keeps what was built of the pinned release."""
    return user_cache_path("gwtui") / "apiserver" / pinned()


def find() -> Binaries:
    """The programs, without building anything.

    Raises:
        Missing: one of them is not here.
    """
    if assets := os.environ.get(ASSETS):
        found = [Path(assets) / name for name in NAMES]
        if absent := [path.name for path in found if not path.is_file()]:
            raise Missing(f"{ASSETS} is {assets}, which holds no {' and no '.join(absent)}")
        return Binaries(*found)
    etcd, apiserver = (cache() / name for name in NAMES)
    if absent := [path.name for path in (etcd, apiserver) if not path.is_file()]:
        raise Missing(f"no {' and no '.join(absent)}: {ASSETS} is not set and {cache()} does not hold it")
    return Binaries(etcd, apiserver)


def build() -> Binaries:
    """The programs; what is missing is built first, which takes some ten minutes on two cores.

    Raises:
        Missing: there is no Go here, or it failed.
    """
    try:
        return find()
    except Missing as error:
        go = shutil.which("go")
        if os.environ.get(ASSETS) or go is None:
            hint = "" if os.environ.get(ASSETS) else "; install Go to have them built"
            raise Missing(f"{error}{hint}") from error
    cache().mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        if not (cache() / name).is_file():
            _build(go, name)
    return find()


def _build(go: str, name: str) -> None:
    release = pinned()
    major, minor = re.findall(r"\d+", release)[:2]
    stamps = {"gitVersion": release, "gitMajor": major, "gitMinor": minor}
    flags = " ".join(["-s", "-w", *(f"-X {_VERSION}.{key}={value}" for key, value in stamps.items())])
    print(f"building {name} for Kubernetes {release}; this takes some minutes, once", flush=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(dir=cache()) as scratch:
        made = Path(scratch) / name
        command = [go, "build", "-buildvcs=false", "-trimpath", "-ldflags", flags, "-o", str(made), f"./{name}"]
        done = subprocess.run(command, cwd=MODULE, check=False)
        if done.returncode != 0:
            raise Missing(f"`go build ./{name}` in {MODULE} failed with exit code {done.returncode}")
        made.replace(cache() / name)
    print(f"built {cache() / name} in {time.monotonic() - began:.0f} s", flush=True)
