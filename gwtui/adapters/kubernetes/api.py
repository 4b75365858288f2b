"""The API server itself as a source: whether it answers, and in which version."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import msgspec

from gwtui.adapters.kubernetes.health import HealthLog
from gwtui.adapters.kubernetes.transport import ApiTransport
from gwtui.backoff import between
from gwtui.errors import Denied, GwtuiError
from gwtui.model.health import SourceState
from gwtui.model.observations import Observation
from gwtui.ports import Clock, Source

API_SOURCE = "api"
PERIOD_S = 15.0
DEADLINE_S = 5.0
FAILURES_TO_DROP = 2
"""After this many failures in a row the open watches are taken for dead: after a lost VPN nothing else tells."""


class _Version(msgspec.Struct, rename="camel"):
    git_version: str = ""


class ApiSource(Source):
    """Asks for `/version` every `PERIOD_S` seconds."""

    def __init__(self, transport: ApiTransport, clock: Clock) -> None:
        self._transport = transport
        self._clock = clock
        self._health = HealthLog(transport.access.context, API_SOURCE, clock)

    @property
    def id(self) -> str:
        """`api`."""
        return API_SOURCE

    async def observe(self) -> AsyncGenerator[Observation, None]:
        """Report health until cancelled."""
        for report in self._health.report(SourceState.LOADING):
            yield report
        failures = 0
        has_answered = False
        while True:
            state, detail, hint = await self._ask(has_answered=has_answered)
            has_answered = has_answered or state is SourceState.READY
            failures = failures + 1 if state in (SourceState.FAILED, SourceState.STALE) else 0
            if failures == FAILURES_TO_DROP:
                self._transport.drop_streams()
            for report in self._health.report(state, detail, hint):
                yield report
            await self._clock.sleep(between(0.8, 1.0) * PERIOD_S)

    async def _ask(self, *, has_answered: bool) -> tuple[SourceState, str, str]:
        try:
            body = await self._transport.get_json_bytes("/version", deadline_s=DEADLINE_S)
            version = msgspec.json.decode(body, type=_Version).git_version
        except Denied as error:
            return SourceState.FORBIDDEN, error.message, error.hint
        except GwtuiError as error:
            return (SourceState.STALE if has_answered else SourceState.FAILED), error.message, error.hint
        except msgspec.DecodeError:
            where = f"{self._transport.access.context} ({self._transport.access.host})"
            return SourceState.FAILED, f"{where}: answers, but not as a Kubernetes API", "check the server address"
        return SourceState.READY, f"{version or 'unknown version'} at {self._transport.access.host}", ""
