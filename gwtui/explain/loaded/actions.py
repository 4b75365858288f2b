"""What a route does with a request. *Source:* `envoy.config.route.v3.Route`, `RouteAction`, `RedirectAction`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gwtui.explain.loaded.answers import Action, Body, CannotTell, Forward, Redirect, Reply, Share

DEFAULT_TIMEOUT_S = 15.0
_REDIRECT_CODES = {
    "MOVED_PERMANENTLY": 301,
    "FOUND": 302,
    "SEE_OTHER": 303,
    "TEMPORARY_REDIRECT": 307,
    "PERMANENT_REDIRECT": 308,
}


def action_of(route: Body) -> Action:
    """Return what a route does."""
    if "route" in route:
        return _forward(route["route"])
    if "redirect" in route:
        return _redirect(route["redirect"])
    if "direct_response" in route:
        answer = route["direct_response"]
        return Reply(status=answer.get("status", 0), body=(answer.get("body") or {}).get("inline_string", ""))
    return CannotTell("what it does is of a kind that is not known here")


def shares_of(action: Body) -> tuple[Share, ...] | CannotTell:
    """Return the clusters of a route action, or of a TCP proxy."""
    if "cluster" in action:
        return (Share(cluster=action["cluster"], ratio=1.0),)
    if "weighted_clusters" in action:
        return _weighted(action["weighted_clusters"].get("clusters", ()))
    if "cluster_header" in action:
        return CannotTell(f"the cluster is named by the header {action['cluster_header']}")
    return CannotTell("an extension picks the cluster")


def _weighted(clusters: Any) -> tuple[Share, ...] | CannotTell:
    if any("name" not in each for each in clusters):
        return CannotTell("a cluster is named by a header")
    total = sum(each.get("weight", 0) for each in clusters)
    return tuple(
        Share(cluster=each["name"], weight=each.get("weight", 0), ratio=each.get("weight", 0) / total)
        for each in clusters
        if total
    )


def _forward(action: Body) -> Action:
    shares = shares_of(action)
    if isinstance(shares, CannotTell):
        return shares
    return Forward(
        shares=shares,
        timeout_s=_timeout_s(action),
        prefix_rewrite=action.get("prefix_rewrite", ""),
        regex_rewrite=_regex_rewrite(action),
        host_rewrite=action.get("host_rewrite_literal", ""),
        mirrors=tuple(each["cluster"] for each in action.get("request_mirror_policies", ()) if "cluster" in each),
    )


def _timeout_s(action: Body) -> float | None:
    if "timeout" not in action:
        return DEFAULT_TIMEOUT_S
    return float(action["timeout"].removesuffix("s")) or None


def _redirect(action: Body) -> Redirect:
    return Redirect(
        status=_REDIRECT_CODES.get(action.get("response_code", ""), 301),
        scheme="https" if action.get("https_redirect") else action.get("scheme_redirect", ""),
        host=action.get("host_redirect", ""),
        port=action.get("port_redirect"),
        path=action.get("path_redirect", ""),
        prefix_rewrite=action.get("prefix_rewrite", ""),
        regex_rewrite=_regex_rewrite(action),
        drops_query=bool(action.get("strip_query")),
    )


def _regex_rewrite(action: Body) -> tuple[str, str] | None:
    rewrite: Mapping[str, Any] | None = action.get("regex_rewrite")
    if rewrite is None:
        return None
    return (rewrite.get("pattern") or {}).get("regex", ""), rewrite.get("substitution", "")
