"""Incidents: what goes wrong in a running fleet, one file each, and how it is made good again.

An incident is nothing but changes of objects. Those that no object of a real cluster can bring about, such as a backend
that refuses connections, are annotations that the playground heeds (`wishes`, `faults`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import yaml

from gwtui.errors import UsageError
from gwtui.playground.api import patches
from gwtui.playground.api.kinds import BY_TYPE
from gwtui.playground.api.status import ApiError
from gwtui.playground.api.store import Lagged, Store
from gwtui.playground.certificates import Certificate, secrets
from gwtui.playground.workloads import NODE
from gwtui.playground.world import ASKED_FOR, Json, key_of

ANNOTATION = f"{ASKED_FOR}incident"
"""On the Node: the name of the incident that is to happen, for as long as it is there."""

NODES = "nodes"

AFTER_S = 10.0
"""When an incident begins where nobody says otherwise: the console has figures by then."""

AUTHOR = "incident"
"""Field manager of what an incident writes."""

_FOLDER = Path(__file__).parent / "incidents"

Key = tuple[str, str, str]
"""Group resource, namespace, name."""


class Patch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One object changed."""

    resource: str
    """`httproutes.gateway.networking.k8s.io`."""
    name: str
    """`namespace/name`, or the name alone of what is in no namespace."""
    merge: dict[str, Any] | None = None
    """A JSON merge patch."""
    json: tuple[dict[str, Any], ...] = ()
    """The operations of a JSON patch."""


class Deletion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One object deleted."""

    resource: str
    name: str


class Incident(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that goes wrong."""

    title: str
    scenario: str
    """The fleet it happens in."""
    cause: str
    """Id of the rule of triage that tells it."""
    names: tuple[str, ...]
    """What the sentence that tells it must name."""
    signal: str
    """How it shows to whoever looks at the fleet without gwtui."""
    staged: str = ""
    """What of it cannot be brought about by real means, and how it is instead; empty where all of it is real."""
    put: tuple[dict[str, Any], ...] = ()
    """Objects created or replaced."""
    patch: tuple[Patch, ...] = ()
    delete: tuple[Deletion, ...] = ()
    certificates: tuple[Certificate, ...] = ()
    """Secrets made when it begins."""
    name: str = ""


def incident_names() -> tuple[tuple[str, str], ...]:
    """(name, title) of every incident, by name."""
    return tuple((each.name, each.title) for each in incidents())


@cache
def incidents() -> tuple[Incident, ...]:
    """Every incident, by name."""
    return tuple(_read(file) for file in sorted(_FOLDER.glob("*.yaml")))


def load_incident(name: str) -> Incident:
    """Read one incident.

    Raises:
        UsageError: there is none of that name.
    """
    found = next((each for each in incidents() if each.name == name), None)
    if found is None:
        raise UsageError(f"no incident named {name!r}", f"choose one of {', '.join(each.name for each in incidents())}")
    return found


def incident_wish(text: str) -> tuple[str, float]:
    """Return (name, seconds after the start) of `NAME` or `NAME@S`.

    Raises:
        UsageError: there is no such incident, or S is no number of seconds.
    """
    name, at, after = text.partition("@")
    try:
        after_s = float(after) if at else AFTER_S
    except ValueError:
        after_s = math.nan
    if not 0 <= after_s < math.inf:
        raise UsageError(f"{after!r} is no number of seconds", f"write {name}@20 for 20 seconds after the start")
    return load_incident(name).name, after_s


def _read(file: Path) -> Incident:
    return msgspec.convert({**yaml.safe_load(file.read_text()), "name": file.stem}, Incident)


class Happening:
    """An incident in a running fleet: it begins, and later everything is as it was.

    Args:
        store: the objects.
        incident: what goes wrong.
    """

    def __init__(self, store: Store, incident: Incident) -> None:
        self._store = store
        self._incident = incident
        self._before: dict[Key, Json | None] = {}

    def begin(self) -> None:
        """Change what it changes.

        Raises:
            ApiError: an object is not as the incident expects.
        """
        for obj in (*secrets(self._incident.certificates, datetime.now(UTC)), *self._incident.put):
            self._remember((BY_TYPE[obj["apiVersion"], obj["kind"]].resource, *key_of(obj)))
            self._store.put(obj, manager=AUTHOR)
        for each in self._incident.patch:
            for changed in self._patched(each):
                self._store.put(changed, manager=AUTHOR)
        for gone in self._incident.delete:
            key = _key(gone)
            self._remember(key)
            self._store.delete(*key)

    def end(self) -> None:
        """Give every object back what it said before; what was made for the incident goes."""
        for key, before in reversed(self._before.items()):
            if before is None:
                self._store.delete(*key)
            else:
                self._store.put(_said(before), manager=AUTHOR)
        self._before.clear()

    def _remember(self, key: Key) -> Json | None:
        if key not in self._before:
            self._before[key] = self._store.get(*key)
        return self._store.get(*key)

    def _patched(self, patch: Patch) -> Iterator[Json]:
        present = self._remember(_key(patch))
        if present is None:
            return
        if patch.merge is not None:
            present = patches.patched(patches.MERGE, patch.merge, present)
        if patch.json:
            present = patches.patched(patches.JSON, list(patch.json), present)
        yield present


class Incidents:
    """Lets happen what the annotation of the node names, for as long as it does.

    Args:
        store: the objects.
        report: takes a line about what begins and ends.
    """

    def __init__(self, store: Store, report: Callable[[str], None]) -> None:
        self._store = store
        self._report = report
        self._name = ""
        self._happening: Happening | None = None

    async def run(self) -> None:
        """Follow the node until cancelled."""
        while True:
            subscription = self._store.subscribe()
            try:
                self._look()
                async for change in subscription:
                    if change.resource == NODES:
                        self._look()
            except Lagged:
                continue
            finally:
                subscription.close()

    def _look(self) -> None:
        node = self._store.find(NODES, "", NODE) or {"metadata": {}}
        name = (node["metadata"].get("annotations") or {}).get(ANNOTATION, "")
        if name == self._name:
            return
        self._name = name
        if self._happening is not None:
            self._happening.end()
            self._happening = None
        if not name:
            self._report("the incident is over")
            return
        try:
            incident = load_incident(name)
            self._happening = Happening(self._store, incident)
            self._happening.begin()
        except (UsageError, ApiError) as error:
            self._report(f"incident {name}: {error}")
        else:
            self._report(f"incident {name}: {incident.title}")


def wish(store: Store, name: str) -> None:
    """Let an incident happen: annotate the node with its name, as anybody may."""
    node = store.get(NODES, "", NODE)
    if node is not None:
        metadata = node["metadata"]
        metadata["annotations"] = {**(metadata.get("annotations") or {}), ANNOTATION: name}
        store.put(_said(node), manager=AUTHOR)


def _key(named: Patch | Deletion) -> Key:
    namespace, _, name = named.name.rpartition("/")
    return named.resource, namespace, name


def _said(obj: Json) -> Json:
    """An object without what the server adds, to be written again."""
    kept = ("name", "namespace", "labels", "annotations", "creationTimestamp", "ownerReferences", "finalizers")
    return {**obj, "metadata": {name: obj["metadata"][name] for name in kept if name in obj["metadata"]}}
