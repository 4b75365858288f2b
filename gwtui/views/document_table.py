"""The fleet document as plain text, for a terminal without a console or for a chat message."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from gwtui.views import text

Json = dict[str, Any]

_GAP = "  "


def fleet_table(document: Json) -> str:
    """Return the fleet document as aligned text; `–` stands for what is unknown.

    Args:
        document: As `document.fleet_document` returns it.
    """
    sections = (
        _heads(document),
        _table(("CLUSTER", "GATEWAY", "TIER", "PROXIES", "RPS", "ERR", "P50", "P99", "SERVES"), _gateways(document)),
        _table(("CLUSTER", "GATEWAY", "PROXY", "STATE", "RPS", "ERR", "P50", "P99", "ACTIVE"), _proxies(document)),
        _table(("CLUSTER", "FROM", "TO", "RULE", "RPS", "SHARE", "ERR"), _hops(document)),
        _problems(document),
    )
    return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"


def _heads(document: Json) -> list[str]:
    lines = [f"{cluster['name']}: {cluster['state']}" for cluster in document["clusters"]]
    for pattern in document["patterns"]:
        lines.append(f"{pattern['cluster']}: {text.PATTERNS.get(pattern['id'], pattern['id'])}")
        lines.extend(f"{_GAP}{evidence}" for evidence in pattern["evidence"])
    return lines


def _gateways(document: Json) -> Iterable[Sequence[str]]:
    for gateway in document["gateways"]:
        yield (
            gateway["cluster"],
            f"{gateway['namespace']}/{gateway['name']}",
            str(gateway["tier"]),
            f"{gateway['answering']}/{len(gateway['proxies'])}",
            *_figures(gateway),
            ", ".join(gateway["namespaces"]) or text.UNKNOWN,
        )


def _proxies(document: Json) -> Iterable[Sequence[str]]:
    for proxy in document["proxies"]:
        yield (
            proxy["cluster"],
            proxy["gateway"] or text.UNKNOWN,
            f"{proxy['namespace']}/{proxy['name']}",
            proxy["state"],
            *_figures(proxy),
            _words(proxy["active_requests"], text.count),
        )


def _hops(document: Json) -> Iterable[Sequence[str]]:
    for hop in document["hops"]:
        yield (
            hop["cluster"],
            hop["from"],
            hop["to"],
            hop["rule"],
            _words(hop["rps"], text.rate),
            _words(hop["observed_share"], text.percent),
            _words(hop["error_ratio"], text.ratio),
        )


def _figures(row: Json) -> tuple[str, str, str, str]:
    return (
        _words(row["rps"], text.rate),
        _words(row["error_ratio"], text.ratio),
        _words(row["p50_ms"], text.ms),
        _words(row["p99_ms"], text.ms),
    )


def _words(value: float | None, words: Callable[[float], str]) -> str:
    return text.UNKNOWN if value is None else words(value)


def _problems(document: Json) -> list[str]:
    lines = [f"{cluster['name']}: {problem}" for cluster in document["clusters"] for problem in cluster["problems"]]
    for gateway in document["gateways"]:
        name = f"{gateway['cluster']}: {gateway['namespace']}/{gateway['name']}"
        lines.extend(f"{name}: {problem}" for problem in gateway["problems"])
    lines.extend(
        f"{proxy['cluster']}: {proxy['namespace']}/{proxy['name']}: {proxy['reason']}"
        for proxy in document["proxies"]
        if proxy["reason"]
    )
    answering = {source["cluster"] for source in document["sources"] if source["state"] == "ready"}
    for source in document["sources"]:
        # Where nothing could be read, the API server says why, and no kind has more to say.
        if source["cluster"] not in answering and source["source"] != "api":
            continue
        if source["state"] not in {"ready", "partial", "not served"}:
            detail = f" ({source['detail']})" if source["detail"] else ""
            lines.append(f"{source['cluster']}: {source['source']}: {source['state']}{detail}")
    return ["PROBLEMS", *lines] if lines else []


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    cells = [tuple(titles), *(tuple(row) for row in rows)]
    if len(cells) == 1:
        return []
    widths = [max(len(row[column]) for row in cells) for column in range(len(titles))]
    return [_GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
