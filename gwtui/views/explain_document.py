"""Where a request goes, as data."""

from __future__ import annotations

from collections.abc import Iterable

from gwtui.explain.course import Branch, Course, End, Explanation, Hop, Other, Proof, RuleRef
from gwtui.explain.request import Request, line_of, masked
from gwtui.model.gateway_api import HttpMatch, ValueMatch
from gwtui.model.resources import ROUTES
from gwtui.views.document_values import Json
from gwtui.views.explain_verdict import verdict_of, verdict_of_all


def explanation_document(explanation: Explanation) -> Json:
    """Return the answer as a document. Shares are parts of the requests, 0 to 1; times carry their unit in the key."""
    courses = [_course(each) for each in explanation.courses]
    told = verdict_of_all(explanation)
    first = courses[0] if courses else {"entry": None, "hops": []}
    return {
        "request": _request(explanation.request),
        "verdict": told.sentence,
        "fix": told.fix or None,
        "outcome": told.outcome.value,
        "is_well": explanation.is_well,
        "entry": first["entry"],
        "hops": first["hops"],
        "courses": courses,
        "notes": list(explanation.notes),
    }


def _request(asked: Request) -> Json:
    request = masked(asked)
    return {
        "line": line_of(request),
        "method": request.method,
        "scheme": request.scheme,
        "host": request.host,
        "port": request.port,
        "path": request.path,
        "query": [list(each) for each in request.query],
        "headers": [list(each) for each in request.headers],
    }


def _course(course: Course) -> Json:
    told = verdict_of(course)
    numbers = {id(hop): number for number, hop in course.hops}
    return {
        "entry": {"cluster": course.first.gateway.cluster, "gateway": str(course.first.gateway)},
        "front_doors": [{"kind": door.kind, "name": door.name} for door in course.doors],
        "verdict": told.sentence,
        "fix": told.fix or None,
        "outcome": told.outcome.value,
        "wrong_ratio": round(course.wrong_share, 6),
        "unknown_ratio": round(course.unknown_share, 6),
        "hops": [_hop(number, hop, numbers) for number, hop in course.hops],
    }


def _hop(number: str, hop: Hop, numbers: dict[int, str]) -> Json:
    contest = hop.contest
    document: Json = {
        "number": number,
        "gateway": str(hop.gateway),
        "tier": hop.tier,
        "ratio": round(hop.share, 6),
        "request": _request(hop.request),
        "listeners": [
            {"name": each.name, "port": each.port, "protocol": each.protocol, "hostname": each.hostname or None}
            for each in hop.listeners
        ],
        "route_config": hop.route_config or None,
        "host": hop.host or None,
        "winner": _rule(contest.winner) if contest is not None and contest.winner is not None else None,
        "is_certain": contest is not None and contest.winner is not None and contest.is_certain,
        "losers": _others(contest.losers) if contest is not None else [],
        "losers_total": contest.losers_total if contest is not None else 0,
        "misses": _others(contest.misses) if contest is not None else [],
        "misses_total": contest.misses_total if contest is not None else 0,
        "undecided": _others(contest.undecided) if contest is not None else [],
        "reason": _reason(hop),
        "changes": list(hop.changes),
        "copies": list(hop.copies),
        "timeout_s": hop.timeout.seconds if hop.timeout is not None else None,
        "timeout_source": hop.timeout.source if hop.timeout is not None else None,
        "reservations": [
            {"policy": each.policy, "field": each.what, "changes_request": each.changes_request}
            for each in hop.reservations
        ],
        "notes": list(hop.notes),
        "answer": _end(hop.end),
        "backends": [_branch(each, numbers) for each in hop.branches],
        "loaded": [
            {
                "proxy": str(proxy),
                "agrees": each.agrees,
                "says": each.words,
                "route": each.route or None,
                "clusters": list(each.clusters),
            }
            for proxy, each in hop.loaded.items()
        ],
        "proof": _proof(hop.proof),
    }
    if contest is not None and contest.winner is None and contest.undecided:
        document["unknown"] = {"winner": contest.undecided[0].why}
    return document


def _proof(proof: Proof | None) -> Json | None:
    if proof is None:
        return None
    return {
        "proxy": str(proof.proxy),
        "agrees": proof.agrees,
        "says": proof.words,
        "route": proof.route or None,
        "doubts": list(proof.doubts),
    }


def _reason(hop: Hop) -> str | None:
    """Why it goes on as it does, in a few words."""
    if hop.end is not None:
        return hop.end.words
    contest = hop.contest
    if contest is None or contest.winner is None:
        return None
    return contest.losers[0].why if contest.losers else "no other rule fits"


def _rule(rule: RuleRef) -> Json:
    return {
        "kind": ROUTES[rule.route.resource],
        "route": f"{rule.route.namespace}/{rule.route.name}",
        "rule": rule.rule_index,
        "rule_name": rule.rule_name or None,
        "match": rule.match_index,
        "matches_on": _match(rule.match),
        "delegated_by": [f"{key.namespace}/{key.name}" for key in rule.via],
    }


def _match(match: HttpMatch) -> Json:
    return {
        "path": {"type": match.path.type, "value": match.path.value},
        "method": match.method or None,
        "headers": _values(match.headers),
        "query": _values(match.query_params),
    }


def _values(values: Iterable[ValueMatch]) -> list[Json]:
    return [{"name": each.name, "type": each.type, "value": each.value} for each in values]


def _others(others: Iterable[Other]) -> list[Json]:
    return [{**_rule(each.rule), "why": each.why} for each in others]


def _branch(branch: Branch, numbers: dict[int, str]) -> Json:
    document: Json = {
        "backend": branch.backend,
        "weight": branch.weight,
        "ratio": round(branch.share, 6),
        "leads_to": str(branch.target) if branch.target is not None else None,
        "envoy_cluster": branch.cluster or None,
        "changes": list(branch.changes),
        "ready_endpoints": branch.ready,
        "endpoints": branch.total,
        "rps": round(branch.rps, 3) if branch.rps is not None else None,
        "error_ratio": round(branch.error_ratio, 6) if branch.error_ratio is not None else None,
        "answer": _end(branch.end),
        "next_hop": numbers[id(branch.hop)] if branch.hop is not None else None,
        "note": branch.note or None,
    }
    unknown = {"ready_endpoints": branch.unknown, "endpoints": branch.unknown} if branch.unknown else {}
    if branch.cluster and branch.rps is None:
        unknown |= {"rps": "nobody measured it", "error_ratio": "nobody measured it"}
    elif branch.rps is not None and branch.error_ratio is None:
        unknown["error_ratio"] = "no requests in the window"
    return {**document, "unknown": unknown} if unknown else document


def _end(end: End | None) -> Json | None:
    if end is None:
        return None
    return {
        "outcome": end.outcome.value,
        "status": end.status,
        "why": end.words,
        "fix": end.fix or None,
        "location": end.location or None,
    }
