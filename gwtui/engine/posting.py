"""Steps that tell a proxy something: sent once, then read again from the proxy itself.

Of the four truths one applies: `loaded`, what the proxy says it does now. Log levels it is asked for; whether it passes
health checks the samples tell; that its listeners close nobody tells before they have.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime

from gwtui.changes.door import Approval
from gwtui.changes.journal import Entry, Seen, Writing, Written
from gwtui.changes.log_levels import differing, levels_of
from gwtui.changes.plan import AdminPost, Plan, Verdict
from gwtui.engine.pods import is_gone
from gwtui.engine.stepping import StepFailed
from gwtui.engine.truths import Truth
from gwtui.errors import Denied, GwtuiError, NotServed, Refused, Rejected, Unreachable
from gwtui.model.health import ProxyState
from gwtui.model.ids import ProxyKey
from gwtui.model.snapshot import Snapshot
from gwtui.ports import Clock, FindAdmin

POST_S = 10.0
"""Seconds a proxy may take to do it, and to tell that it did."""

LOOKS_S = 20.0
"""How long a proxy that does not answer, or says otherwise, is asked again."""

LOOK_S = 1.0

HEALTH = {"/healthcheck/fail": ProxyState.DRAINING, "/healthcheck/ok": ProxyState.LIVE}
"""By POST: what the proxy says of itself afterwards."""

DRAIN_LISTENERS = "/drain_listeners"

MOST_NAMED = 4
"""Loggers that are named where several differ."""


class Posting:
    """Carries out steps that tell a proxy something. What it yields is to be kept before it is asked to go on.

    Args:
        find: who tells a proxy.
        look: the current snapshot.
        clock: the time of everything.
    """

    def __init__(self, find: FindAdmin, look: Callable[[], Snapshot], clock: Clock) -> None:
        self._find = find
        self._look = look
        self._clock = clock

    async def carry_out(
        self, plan: Plan, approval: Approval, index: int, applied: frozenset[int]
    ) -> AsyncGenerator[Entry, None]:
        """Send a step, unless it is applied already, and look whether it is in force.

        Raises:
            StepFailed: it was not done, or is not seen in force.
        """
        step = _post(plan, index)
        if plan.undoes and is_gone(self._look(), step.proxy):
            yield self._seen(plan, index, is_met=True, text=_went(step))
            return
        if index not in applied:
            yield Writing(change=plan.id, at=self._clock.now(), step=index)
            await self._send(approval, step, step.path)
            yield Written(change=plan.id, at=self._clock.now(), step=index)
        paths = _paths(plan, step.proxy, applied | {index})
        held, differs = await self._settled(approval, step.proxy, paths)
        if held is None:
            yield self._seen(plan, index, is_met=None, text=differs)
        elif differs:
            yield self._seen(plan, index, is_met=False, text=differs)
            raise StepFailed(Verdict.UNVERIFIED, f"not {Truth.LOADED} in time: {differs}")
        else:
            yield self._seen(plan, index, is_met=True, text=f"{step.proxy.pod} says {_words(step.path)}")

    async def take_back(self, plan: Plan, approval: Approval, index: int) -> AsyncGenerator[Entry, None]:
        """Send the reverse of a step, and look whether it is in force.

        Raises:
            StepFailed: it was not done, or is not seen in force.
        """
        async with aclosing(self.send_back(plan, approval, index)) as entries:
            async for entry in entries:
                yield entry
        await self.require_back(plan, approval, index)

    async def send_back(self, plan: Plan, approval: Approval, index: int) -> AsyncGenerator[Entry, None]:
        """Send the reverse of a step. One that has none is told, and stays as it is.

        Raises:
            StepFailed: it was not done.
        """
        step = _post(plan, index)
        if not step.reverse_path:
            yield self._seen(plan, index, is_met=None, text="cannot be taken back: only a restart does")
            return
        if is_gone(self._look(), step.proxy):
            yield self._seen(plan, index, is_met=True, text=_went(step))
        else:
            yield Writing(change=plan.id, at=self._clock.now(), step=index, is_reverse=True)
            await self._send(approval, step, step.reverse_path)
        yield Written(change=plan.id, at=self._clock.now(), step=index, is_reverse=True)

    async def require_back(self, plan: Plan, approval: Approval, index: int) -> None:
        """Look whether the reverse of a step that was sent is in force.

        Raises:
            StepFailed: it is not seen in force.
        """
        step = _post(plan, index)
        if step.reverse_path and not is_gone(self._look(), step.proxy):
            _, differs = await self._settled(approval, step.proxy, (step.reverse_path,))
            if differs:
                raise StepFailed(Verdict.UNVERIFIED, differs)

    async def is_in_force(self, plan: Plan, approval: Approval, index: int, applied: frozenset[int]) -> bool:
        """Whether a step that may have been sent is in force, together with those that are.

        Raises:
            GwtuiError: the proxy does not tell.
        """
        step = _post(plan, index)
        paths = _paths(plan, step.proxy, applied | {index})
        if levels_of(step.path):
            return not differing(await self._levels(approval, step.proxy), paths)
        # Listeners that close already are not closed by being told again.
        held, differs = await self._settled(approval, step.proxy, paths, told_once=True)
        if held is None and step.path in HEALTH:
            raise Unreachable(differs)
        return held is not None and not differs

    async def _send(self, approval: Approval, step: AdminPost, path: str) -> None:
        """Send a POST once. Where no answer came, the proxy is asked whether it did it."""
        try:
            admin, address = self._find(step.proxy)
            await admin.post(approval, address, path, deadline_s=POST_S)
        except (Rejected, Denied, NotServed, Refused) as error:
            raise StepFailed(Verdict.REFUSED, error.line()) from error
        except GwtuiError as error:
            held, differs = await self._settled(approval, step.proxy, (path,), told_once=True)
            if held is None:
                text = f"{error.line()}; whether it was done is not known: `gwtui resume` finds out"
                raise StepFailed(Verdict.UNVERIFIED, text) from error
            if differs:
                raise StepFailed(Verdict.REFUSED, f"not done: {error.line()}") from error

    async def _settled(
        self, approval: Approval, proxy: ProxyKey, paths: Sequence[str], *, told_once: bool = False
    ) -> tuple[object | None, str]:
        """Ask until the proxy does what these POSTs tell it, or time is up.

        Args:
            approval: of the plan that sends them.
            proxy: who is asked.
            paths: what was sent, one after the other.
            told_once: whether the first answer is taken, whatever it says.

        Returns:
            What it does and what differs in it; None and why when the proxy does not tell.
        """
        if not levels_of(paths[-1]) and paths[-1] not in HEALTH:
            return None, "whether its listeners close is told once they have: they close within its drain time"
        began, end = self._clock.now(), self._clock.mono() + LOOKS_S
        while True:
            told: tuple[object | None, str] = (
                self._health(proxy, HEALTH[paths[-1]], began)
                if paths[-1] in HEALTH
                else await _told(self._levels(approval, proxy), paths)
            )
            held, differs = told
            is_final = held is not None and (told_once or not differs)
            if is_final or self._clock.mono() >= end:
                return held, differs
            await self._clock.sleep(LOOK_S)

    def _health(self, proxy: ProxyKey, wanted: ProxyState, since: datetime) -> tuple[ProxyState | None, str]:
        """What a proxy said of itself after a moment, and what differs from what is wanted."""
        view = self._look().proxies.get(proxy)
        if view is None or view.answered_at is None or view.answered_at <= since:
            return None, (view.reason if view else "") or f"{proxy.pod} has not answered since"
        return view.state, "" if view.state is wanted else f"{proxy.pod} is {view.state}, not {wanted}"

    async def _levels(self, approval: Approval, proxy: ProxyKey) -> Mapping[str, str]:
        admin, address = self._find(proxy)
        return await admin.log_levels(approval, address, deadline_s=POST_S)

    def _seen(self, plan: Plan, index: int, *, is_met: bool | None, text: str) -> Seen:
        return Seen(change=plan.id, at=self._clock.now(), step=index, truth=Truth.LOADED, is_met=is_met, text=text)


async def _told(levels: Awaitable[Mapping[str, str]], paths: Sequence[str]) -> tuple[Mapping[str, str] | None, str]:
    try:
        held = await levels
    except GwtuiError as error:
        return None, error.line()
    differs = differing(held, paths)
    more = f" and {len(differs) - MOST_NAMED} more" if len(differs) > MOST_NAMED else ""
    return held, ", ".join(differs[:MOST_NAMED]) + more


def _post(plan: Plan, index: int) -> AdminPost:
    """The step, when it is one that is carried out here."""
    step = plan.steps[index]
    if isinstance(step, AdminPost):
        page = step.path.partition("?")[0]
        if levels_of(step.path) or step.path in HEALTH or page == DRAIN_LISTENERS:
            return step
    raise StepFailed(Verdict.REFUSED, "this plan has steps that are not carried out here")


def _words(path: str) -> str:
    """What a proxy does once it did what it was told."""
    if path in HEALTH:
        return f"it is {HEALTH[path]}"
    return ", ".join(f"{logger or 'every logger'} {level}" for logger, level in levels_of(path).items())


def _went(step: AdminPost) -> str:
    what = "log levels" if levels_of(step.path) else "state"
    return f"the pod is gone, and its {what} with it"


def _paths(plan: Plan, proxy: ProxyKey, applied: frozenset[int]) -> list[str]:
    """What was posted to a proxy, in order."""
    steps = (plan.steps[index] for index in sorted(applied))
    return [step.path for step in steps if isinstance(step, AdminPost) and step.proxy == proxy]
