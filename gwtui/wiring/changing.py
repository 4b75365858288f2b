"""Commands that write: a plan, a question, and what became of it, without a console."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import sys
from collections.abc import AsyncGenerator
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from gwtui.arguments import ChangeRequest, names
from gwtui.changes import drafting
from gwtui.changes.documents import as_yaml, route_resource
from gwtui.changes.edits import set_weights, weight_args
from gwtui.changes.journal import Counted, Told
from gwtui.changes.plan import Document, Guard, Plan, Verdict
from gwtui.engine.clock import SystemClock
from gwtui.engine.execution import OnFailure
from gwtui.engine.planning import Intent
from gwtui.errors import Exit, Refused, UsageError
from gwtui.external_editor import edit
from gwtui.model.ids import ObjectKey, ProxyKey
from gwtui.settings import Settings
from gwtui.views.change_document import change_document, plan_document
from gwtui.views.change_words import told
from gwtui.views.drain_counts import Counts, event_document
from gwtui.views.plan_review import confirmation, confirms, plan_review
from gwtui.views.spans import plain
from gwtui.wiring.draining import aborted_by_interrupt, drain_of, steering_of, wish_of
from gwtui.wiring.session import Session, start

ASKED_WITHIN_S = 8.0
UNSEEN_CELLS = 140
"""Width of a text that does not go to a terminal."""

SETTLE_S = 3.0
"""So long the fleet is watched before a plan: its rates need two samples of each proxy."""

EXITS = {Verdict.VERIFIED: Exit.OK, Verdict.REFUSED: Exit.REFUSED}
"""Exit code by verdict; every other is `Exit.UNVERIFIED`."""


def run(settings: Settings, request: ChangeRequest) -> int:
    """Carry out a writing command.

    Returns:
        0 when the change was seen in force, 4 when it was refused, 5 when it was not verified or was taken back. With
        `--dry-run` 0 when the plan could run, 4 when it could not.

    Raises:
        GwtuiError: the command could not be carried out; nothing was written.
    """
    _need_consent(request)
    return asyncio.run(_run(settings, request))


def _need_consent(request: ChangeRequest) -> None:
    if not (request.yes or request.dry_run or sys.stdin.isatty()):
        raise Refused("nobody can be asked: this is no terminal", "add --yes, or --dry-run to see the plan")


async def _run(settings: Settings, request: ChangeRequest) -> int:
    clock = SystemClock()
    session = start(settings, clock)
    settle_s = 0.0 if request.action == "log" else SETTLE_S  # a log level moves no traffic
    async with session.watching(settle_s, asked_within_s=ASKED_WITHIN_S):
        if not (settings.read_only or request.dry_run):
            await session.leases(lambda words: print(f"gwtui: {words}", file=sys.stderr)).settle()
        if request.action == "resume":
            change = session.changes.find(request.target)
            steering = steering_of(request)
            running = session.changes.executor().resume(change, _mode(request), steering)
            with aborted_by_interrupt(change.plan, steering):
                return await _execute(request, change.plan, running, session)
        plan = await _plan(session, request)
        _show(request, plan)
        if request.dry_run:
            return Exit.OK if plan.can_run else Exit.REFUSED
        plan.require_allowed()
        if not (request.yes or _confirmed(plan)):
            raise Refused("not confirmed: nothing was written", "type the name that is asked for")
        steering = steering_of(request)
        running = session.changes.executor().run(plan, _mode(request), steering)
        with aborted_by_interrupt(plan, steering):
            return await _execute(request, plan, running, session)


async def _plan(session: Session, request: ChangeRequest) -> Plan:
    intent = Intent(reason=request.reason, lease_s=request.lease_s, guard=_guard(request))
    changes = session.changes
    match request.action:
        case "undo":
            return await changes.undo(changes.find(request.target), intent)
        case "undrain":
            cluster = session.clusters[0].context
            return await changes.undo(drain_of(changes.all(), cluster, request.target), intent)
        case "drain":
            return await changes.drain(wish_of(session.store.snapshot, session.clusters[0].context, request), intent)
        case "log":
            return await changes.log_level(_proxy(session, request.target), request.level, intent)
        case _:
            return await _route(session, request, intent)


async def _route(session: Session, request: ChangeRequest, intent: Intent) -> Plan:
    """The plan of a command that changes one route."""
    cluster = session.clusters[0].context
    planner = session.changes.planner(cluster)
    if request.action == "apply":
        wanted = _from_file(request.file or Path("-"))
        key = _key(cluster, wanted["kind"], (wanted["metadata"].get("namespace", ""), wanted["metadata"]["name"]))
        return await planner.edit(key, lambda current: drafting.with_content(current, wanted), intent)
    key = _key(cluster, request.kind, names(request.target))
    if request.action == "edit":
        base = await session.changes.read(key)
        # The editor opens once: what others write meanwhile is merged, not edited again.
        return await planner.replace(key, base, _in_editor(base), intent)
    return await planner.edit(key, lambda current: _weighted(current, request), intent)


def _key(cluster: str, kind: str, name: tuple[str, str]) -> ObjectKey:
    return ObjectKey(cluster, route_resource(kind), *name)


def _proxy(session: Session, name: str) -> ProxyKey:
    """The proxy of this name.

    Raises:
        UsageError: none has it, or it is one in each of several clusters.
    """
    namespace, pod = names(name, "a proxy")
    proxies = [each.key for cluster in session.reach.clusters for each in session.reach.addresses(cluster)]
    found = [key for key in proxies if (key.namespace, key.pod) == (namespace, pod)]
    if len(found) == 1:
        return found[0]
    if found:
        clusters = ", ".join(sorted(key.cluster for key in found))
        raise UsageError(f"{name} is a proxy in each of {clusters}", "name one with --context")
    near = get_close_matches(name, sorted({str(key) for key in proxies}), n=1)
    raise UsageError(
        f"no proxy is called {name}", f"did you mean {near[0]}?" if near else "`gwtui snapshot` lists them"
    )


def _weighted(current: Document, request: ChangeRequest) -> Document:
    rule, wanted = weight_args(current, request.weights, request.rule)
    return set_weights(current, rule, wanted)


def _from_file(path: Path) -> Document:
    """The route a file holds.

    Raises:
        UsageError: it cannot be read, or holds no single route.
    """
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
        found = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"cannot read {path}: {error}", "name a file with one route as YAML or JSON") from error
    return _one_route(found, str(path))


def _one_route(found: Any, where: str) -> Document:
    if not isinstance(found, dict) or not isinstance(found.get("metadata"), dict) or "name" not in found["metadata"]:
        raise UsageError(f"{where} holds no object with a name", "it needs kind, metadata.name and spec")
    route_resource(str(found.get("kind", "")))
    return found


def _in_editor(current: Document) -> Document:
    return edit(as_yaml(current), lambda typed: drafting.whole(current, typed))


def _guard(request: ChangeRequest) -> Guard | None:
    if request.max_error_ratio is None and request.max_p99_ms is None:
        return None
    return Guard(bake_s=request.bake_s, max_error_ratio=request.max_error_ratio, max_p99_ms=request.max_p99_ms)


def _mode(request: ChangeRequest) -> OnFailure:
    return OnFailure.REVERT if request.reverts else OnFailure.KEEP


def _show(request: ChangeRequest, plan: Plan) -> None:
    if request.output != "text":
        if request.dry_run or not plan.can_run:
            print(json.dumps(plan_document(plan), indent=2), flush=True)
        return
    print(f"{plan.title}   {plan.cluster}\n")
    cells = shutil.get_terminal_size((UNSEEN_CELLS, 0)).columns
    print("\n".join(plain(each).rstrip() for each in plan_review(plan, cells)), flush=True)


def _confirmed(plan: Plan) -> bool:
    print(f"\nType {confirmation(plan)} to apply, anything else to leave: ", end="", file=sys.stderr, flush=True)
    return confirms(plan, sys.stdin.readline())


async def _execute(request: ChangeRequest, plan: Plan, running: AsyncGenerator[Told, None], session: Session) -> int:
    counts = Counts()
    async with contextlib.aclosing(running):
        async for each in running:
            words = counts.words(each) if isinstance(each, Counted) else told(plan, each)
            if request.output == "events":
                print(json.dumps(event_document(plan, each)), flush=True)
            elif words:
                print(words, file=sys.stderr if request.output == "json" else sys.stdout, flush=True)
    change = session.changes.find(plan.id)
    if request.output == "json":
        print(json.dumps(change_document(change), indent=2), flush=True)
    if change.verdict is Verdict.REFUSED:
        raise Refused(change.text, "the plan was not carried out; make it anew")
    return EXITS.get(change.verdict, Exit.UNVERIFIED)
