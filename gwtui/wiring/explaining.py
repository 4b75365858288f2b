"""`gwtui explain`: where a request goes, by the objects of the clusters and by what the proxies on its way hold."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from collections.abc import Sequence

from gwtui.adapters.envoy import oracle
from gwtui.arguments import ExplainRequest, names
from gwtui.engine.clock import SystemClock
from gwtui.engine.explaining import with_loaded_answers
from gwtui.errors import Exit, GwtuiError
from gwtui.explain.agreement import is_as_intended
from gwtui.explain.course import Explanation, Hop, Proof
from gwtui.explain.entries import Question, explained
from gwtui.explain.loaded.answers import Body
from gwtui.explain.loaded.entrance import Entrance
from gwtui.explain.request import Request, request_of, request_of_words
from gwtui.model.ids import ProxyKey
from gwtui.settings import Settings
from gwtui.views.explain import explanation_lines
from gwtui.views.explain_document import explanation_document
from gwtui.views.explain_terrain import terrains_of
from gwtui.views.explain_verdict import verdict_of_all
from gwtui.views.spans import plain
from gwtui.wiring.session import Session, start

ASKED_WITHIN_S = 5.0
UNSEEN_CELLS = 140
"""Width of a text that does not go to a terminal."""


def run(settings: Settings, asked: ExplainRequest) -> int:
    """Explain one request and print the answer.

    Returns:
        0 when all of the requests are answered well; 1 when a part of them goes wrong, when it cannot be told, or when
        a proxy holds another answer.

    Raises:
        GwtuiError: the request or the gateway cannot be read as typed, no cluster answered, or nothing may be read.
    """
    question = Question(
        request=_request(asked.words, asked.headers, asked.method),
        entry=names(asked.entry, "a gateway") if asked.entry else None,
    )
    session = start(settings, SystemClock())
    found = asyncio.run(_answer(session, question, asked))
    if asked.output == "json":
        print(json.dumps(explanation_document(found), indent=2), flush=True)
    else:
        cells = shutil.get_terminal_size((UNSEEN_CELLS, 0)).columns
        print("\n".join(plain(each).rstrip() for each in explanation_lines(found, cells)), flush=True)
    if found.is_well:
        return Exit.OK
    told = verdict_of_all(found)
    print(f"gwtui: {GwtuiError(told.sentence, told.fix).line()}", file=sys.stderr)
    return Exit.FINDINGS


def _request(words: Sequence[str], headers: Sequence[str], method: str) -> Request:
    """The request as typed; one word with blanks in it is a whole line."""
    if len(words) == 1 and any(letter.isspace() for letter in words[0].strip()) and not headers and not method:
        return request_of(words[0])
    extra = [part for each in headers for part in ("-H", each)]
    return request_of_words([*words, *extra, *(("-X", method) if method else ())])


async def _answer(session: Session, question: Question, asked: ExplainRequest) -> Explanation:
    async with session.running():
        await session.listed()
        if asked.settle_s:
            await session.sampled(ASKED_WITHIN_S)
            await asyncio.sleep(asked.settle_s)
        session.store.fold()
        snapshot = session.store.snapshot
        found = explained(terrains_of(snapshot), question)
        if asked.intended_alone:
            return found
        return await with_loaded_answers(found, session.pages.config, snapshot, prove if asked.proves else None)


async def prove(hop: Hop, proxy: ProxyKey, table: Body, entrance: Entrance, request: Request) -> Proof:
    """Ask a throw-away Envoy which of the routes of a proxy takes a request."""
    found = await oracle.prove(table, entrance, request)
    if found.verdict is None:
        return Proof(proxy=proxy, agrees=None, words=f"cannot be proved: {found.problem}")
    told = found.verdict
    agrees = is_as_intended(hop, told.route, told.status)
    words = told.target if told.route else f"no route takes it: {told.status}"
    return Proof(proxy=proxy, agrees=agrees, words=words, route=told.route, doubts=found.doubts)
