"""Whether those that get more can take it: they answer, are not drained themselves, may be named, take the routes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from gwtui.changes.backends import Backends
from gwtui.changes.documents import namespace_of, target_of
from gwtui.changes.drains.attaching import Needed, is_taken, shadowed
from gwtui.changes.drains.forbidding import unfit
from gwtui.changes.drains.leading import Leads, plain
from gwtui.changes.drains.parts import Part
from gwtui.changes.drains.taking import Taker
from gwtui.changes.journal import Change
from gwtui.changes.plan import Document, Refusal
from gwtui.model.ids import GatewayKey, ObjectKey
from gwtui.model.snapshot import ClusterView, Snapshot


class Fitness:
    """Judges those that get more.

    Args:
        snapshot: Everything known.
        view: The cluster.
        taker: Who takes over; None where those do that share the load already.
    """

    def __init__(self, snapshot: Snapshot, view: ClusterView, taker: Taker | None) -> None:
        self._snapshot = snapshot
        self._view = view
        self._taker = taker
        self._leads = Leads(view)
        self._backends = Backends(snapshot, view)

    def takers(self, parts: Sequence[Part], changes: Sequence[Change]) -> Iterator[Refusal]:
        """Yield why those that get more cannot take it.

        Args:
            parts: The routes that are edited.
            changes: What our journal tells.
        """
        gateways: dict[GatewayKey, None] = dict.fromkeys(self._taker.gateways if self._taker is not None else ())
        for part in parts:
            kind, namespace = str(part.document.get("kind")), namespace_of(part.document)
            for ref in part.gaining:
                reached = self._leads.gateways(ref, kind, namespace)
                gateways.update(dict.fromkeys(sorted(reached)))
                ready = self._backends.ready(plain(target_of(ref, namespace)), namespace)
                if not self._managed(reached) and ready is not None and not ready.ready:
                    name = target_of(ref, namespace).label
                    yield Refusal(
                        code="taker-unhealthy",
                        text=f"{name} has no ready endpoint (told by {ready.seen_by})",
                        safe_way=f"see {name} ready first, or name another with --to",
                    )
        for gateway in gateways:
            yield from unfit(self._snapshot, self._view, changes, gateway)

    def grants(self, parts: Sequence[Part]) -> Iterator[Refusal]:
        """Yield the routes that may not name who takes over."""
        for part in parts:
            kind, namespace = str(part.document.get("kind")), namespace_of(part.document)
            for added in (shift.adds for shift in part.shifts if shift.adds is not None):
                target = target_of(added, namespace)
                if why := self._backends.ungranted(plain(target), kind, namespace):
                    yield Refusal(
                        code="no-grant",
                        text=f"{part.sender.route}: {why}",
                        safe_way=f"have a ReferenceGrant made in {target.namespace}: from {kind} of {namespace}",
                    )

    def attached(
        self, needed: Needed, edited: Mapping[ObjectKey, tuple[Document, Document]], will: ClusterView
    ) -> Iterator[Refusal]:
        """Yield the routes that come to who takes over and are not taken there, or get no requests.

        Args:
            needed: The routes.
            edited: Objects as they are, and as they will be.
            will: The cluster as it will be.
        """
        for taker in self._taker.gateways if self._taker is not None else ():
            routes = [key for key in needed.routes if key in edited]
            inventory = Leads(will).inventory
            for key in routes:
                if not is_taken(inventory, edited[key][1], taker):
                    yield Refusal(
                        code="not-allowed",
                        text=f"no listener of {taker} takes {key}: its kind, its namespace or its hostnames",
                        safe_way=f"let a listener of {taker} take routes of {key.namespace} (allowedRoutes, hostname)",
                    )
            for key, host in shadowed(will, taker, routes):
                yield Refusal(
                    code="shadowed-there",
                    text=f"{key} would get no request of {host} on {taker}: routes that are there take all of them",
                    safe_way="take those away there first, or name another gateway with --to",
                )

    def _managed(self, gateways: Iterable[GatewayKey]) -> bool:
        """Whether proxies tell of some of these gateways themselves."""
        nodes = map(self._view.gateway, gateways)
        return any(node is not None and node.is_managed for node in nodes)
