"""Everything one run needs to change something: who plans, who writes, who verifies, and what is remembered."""

from __future__ import annotations

import getpass
from collections.abc import AsyncGenerator, Callable

from gwtui.adapters.drafts import FileDrafts
from gwtui.adapters.journal import FileJournal, journal_path
from gwtui.adapters.kubernetes.cluster import KubernetesCluster
from gwtui.adapters.kubernetes.writer import KubernetesWriter
from gwtui.changes.documents import draft_of
from gwtui.changes.door import Door
from gwtui.changes.drains.wish import DrainWish, cluster_of
from gwtui.changes.journal import Change, Entry, Told, changes
from gwtui.changes.log_levels import wanted_level
from gwtui.changes.plan import Document, Plan
from gwtui.engine.conducting import Conductor
from gwtui.engine.counting import Counting
from gwtui.engine.drain_planning import DrainPlanner
from gwtui.engine.execution import Executor
from gwtui.engine.guarding import Guarding
from gwtui.engine.leases import Leases
from gwtui.engine.log_levels import LogLevels
from gwtui.engine.planning import Intent, Planner
from gwtui.engine.posting import Posting
from gwtui.engine.steering import OnDeadline, Steering
from gwtui.engine.truths import Truths
from gwtui.errors import UsageError
from gwtui.model.ids import ObjectKey, ProxyKey
from gwtui.model.snapshot import Snapshot
from gwtui.ports import Clock, Journal, ObjectWriter
from gwtui.wiring.reach import ProxyReach


class SessionChanges:
    """Changes of one run.

    Args:
        find_cluster: the open cluster of a name; raises `UsageError` when there is none.
        look: the current snapshot.
        reach: who asks proxies, and who tells them.
        clock: the time of everything.
        read_only: refuse every write.
    """

    def __init__(
        self,
        find_cluster: Callable[[str], KubernetesCluster],
        look: Callable[[], Snapshot],
        reach: ProxyReach,
        clock: Clock,
        *,
        read_only: bool,
    ) -> None:
        self._find_cluster = find_cluster
        self._look = look
        self._reach = reach
        self._clock = clock
        self._read_only = read_only
        self._journal: Journal | None = None
        self._entries: tuple[Entry, ...] = ()
        self._changes: tuple[Change, ...] = ()
        self._drafts = FileDrafts(journal_path().parent / "drafts")
        self._writers: dict[str, ObjectWriter] = {}

    @property
    def journal(self) -> Journal:
        """Where changes are remembered; opened when it is first needed."""
        if self._journal is None:
            self._journal = FileJournal(journal_path())
        return self._journal

    def all(self) -> tuple[Change, ...]:
        """Every change that is remembered, oldest first; made anew only when something was appended."""
        entries = self.journal.entries()
        if entries is not self._entries:
            self._entries, self._changes = entries, changes(entries)
        return self._changes

    def find(self, id_: str) -> Change:
        """Return a change by its id, or by a beginning or end of it that no other has.

        Raises:
            UsageError: there is none, or several.
        """
        return one_of(self.all(), id_)

    def planner(self, cluster: str) -> Planner:
        """Who makes plans for a cluster."""
        return Planner(lambda: self._writer(cluster), self._look, self._clock, read_only=self._read_only)

    def executor(self) -> Executor:
        """Who carries plans out."""
        guarding, posting = Guarding(self._look, self._clock), Posting(self._reach.admin, self._look, self._clock)
        counting = Counting(self._reach.find, self._look, self._clock)
        return Executor(
            self._edge,
            Door(read_only=self._read_only),
            self.journal,
            guarding,
            self._clock,
            who=_operator(),
            posting=posting,
            conductor=Conductor(self._edge, posting, guarding, counting, look=self._look, clock=self._clock),
        )

    def _edge(self, cluster: str) -> tuple[ObjectWriter, Truths]:
        writer = self._writer(cluster)
        return writer, Truths(writer, self._look, self._reach.find, self._clock)

    def leases(self, say: Callable[[str], None], is_ours: Callable[[str], bool]) -> Leases:
        """Who takes changes back whose lease is over."""
        return Leases(self.all, is_ours, self.undo, self.run, say=say, clock=self._clock)

    async def read(self, key: ObjectKey) -> Document:
        """Return an object to make a draft from."""
        return draft_of(await self._writer(key.cluster).read(key))

    def draft(self, key: ObjectKey) -> tuple[Document, Document] | None:
        """Return the draft that was left of an object; None without one."""
        return self._drafts.find(key)

    def keep_draft(self, key: ObjectKey, base: Document, wanted: Document | None) -> None:
        """Remember a draft; None forgets it."""
        if wanted is None:
            self._drafts.drop(key)
        else:
            self._drafts.keep(key, base, wanted)

    async def plan(self, key: ObjectKey, base: Document, wanted: Document) -> Plan:
        """Return the plan of a draft that was made from `base`."""
        return await self.planner(key.cluster).replace(key, base, wanted, Intent())

    async def log_level(self, proxy: ProxyKey, wanted: str, intent: Intent | None = None) -> Plan:
        """Return the plan that gives a logger of a proxy another level: `http=debug`, or `debug` for all."""
        planner = LogLevels(self._reach.find, self._look, self.all, self._clock, read_only=self._read_only)
        return await planner.plan(proxy, wanted_level(wanted), intent or Intent())

    async def drain(self, wish: DrainWish, intent: Intent | None = None) -> Plan:
        """Return the plan that empties a shard, a proxy or a backend."""
        return await self._drains(cluster_of(wish.target)).plan(wish, intent or Intent())

    async def undo(self, change: Change, intent: Intent | None = None) -> Plan:
        """Return the plan that takes a change back."""
        cluster = change.plan.cluster
        planner = self._drains(cluster).back if change.plan.drain is not None else self.planner(cluster).undo
        return await planner(change, intent or Intent())

    def steering(self) -> Steering:
        """How the operator steers one drain: at its deadline the console asks."""
        return Steering(on_deadline=OnDeadline.ASK)

    def run(self, plan: Plan, steering: Steering | None = None) -> AsyncGenerator[Told, None]:
        """Carry out a confirmed plan."""
        return self.executor().run(plan, steering=steering)

    def resume(self, change: Change, steering: Steering | None = None) -> AsyncGenerator[Told, None]:
        """Take up a change that was cut off."""
        return self.executor().resume(change, steering=steering)

    def _drains(self, cluster: str) -> DrainPlanner:
        return DrainPlanner(lambda: self._writer(cluster), self._look, self.all, self._clock, read_only=self._read_only)

    def _writer(self, cluster: str) -> ObjectWriter:
        if cluster not in self._writers:
            self._writers[cluster] = KubernetesWriter(self._find_cluster(cluster))
        return self._writers[cluster]


def one_of(found: tuple[Change, ...], id_: str) -> Change:
    """Return the change of this id, or of which it is the unique beginning or end.

    Raises:
        UsageError: there is none, or several.
    """
    fitting = [each for each in found if each.id == id_] or [
        each for each in found if each.id.startswith(id_) or each.id.endswith(id_)
    ]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise UsageError(f"{id_!r} fits {len(fitting)} changes", f"name one: {', '.join(each.id for each in fitting)}")
    raise UsageError(f"there is no change {id_!r}", "`gwtui changes` lists them")


def _operator() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
