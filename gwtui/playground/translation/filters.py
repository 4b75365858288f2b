"""HTTPRoute filters to fields of an Envoy route."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from gwtui.playground.translation.precedence import path_of
from gwtui.playground.world import Json

_REDIRECT_CODES = {
    301: "MOVED_PERMANENTLY",
    302: "FOUND",
    303: "SEE_OTHER",
    307: "TEMPORARY_REDIRECT",
    308: "PERMANENT_REDIRECT",
}

_DEFAULT_PORTS = {"http": 80, "https": 443}


def header_fields(filters: Iterable[Json]) -> Json:
    """The header edits of RequestHeaderModifier and ResponseHeaderModifier, for a route or a weighted cluster."""
    fields: Json = {}
    for each in filters:
        for name, prefix in (("requestHeaderModifier", "request"), ("responseHeaderModifier", "response")):
            if edits := each.get(name):
                _edit_headers(fields, prefix, edits)
    return fields


def _edit_headers(fields: Json, prefix: str, edits: Json) -> None:
    added = [
        {
            # A percent sign starts a format operator in Envoy.
            "header": {"key": item["name"], "value": item["value"].replace("%", "%%")},
            "appendAction": action,
        }
        for verb, action in (("set", "OVERWRITE_IF_EXISTS_OR_ADD"), ("add", "APPEND_IF_EXISTS_OR_ADD"))
        for item in edits.get(verb, ())
    ]
    if added:
        fields.setdefault(f"{prefix}HeadersToAdd", []).extend(added)
    if removed := edits.get("remove"):
        fields.setdefault(f"{prefix}HeadersToRemove", []).extend(removed)


def redirect(filters: Iterable[Json], match: Json) -> Json | None:
    """The Envoy redirect of a RequestRedirect filter, or None when the rule has none."""
    wanted = next((each["requestRedirect"] for each in filters if each.get("type") == "RequestRedirect"), None)
    if wanted is None:
        return None
    found: Json = {"responseCode": _REDIRECT_CODES.get(wanted.get("statusCode", 302), "FOUND")}
    if scheme := wanted.get("scheme"):
        found["schemeRedirect"] = scheme
    if hostname := wanted.get("hostname"):
        found["hostRedirect"] = hostname
    if port := wanted.get("port", _DEFAULT_PORTS.get(wanted.get("scheme", ""))):
        found["portRedirect"] = port
    path = wanted.get("path") or {}
    if path.get("type") == "ReplaceFullPath":
        found["pathRedirect"] = path["replaceFullPath"]
    elif path.get("type") == "ReplacePrefixMatch":
        found |= _replace_prefix(path["replacePrefixMatch"], match)
    return found


def rewrite(filters: Iterable[Json], match: Json) -> Json:
    """The fields of an Envoy route action that a URLRewrite filter sets."""
    fields: Json = {}
    for each in filters:
        wanted = each.get("urlRewrite") or {}
        if hostname := wanted.get("hostname"):
            fields["hostRewriteLiteral"] = hostname
        path = wanted.get("path") or {}
        if path.get("type") == "ReplaceFullPath":
            fields["regexRewrite"] = {"pattern": {"regex": "^/.*$"}, "substitution": path["replaceFullPath"]}
        elif path.get("type") == "ReplacePrefixMatch":
            fields |= _replace_prefix(path["replacePrefixMatch"], match)
    return fields


def _replace_prefix(replacement: str, match: Json) -> Json:
    prefix = path_of(match)[1].rstrip("/")
    target = replacement.rstrip("/")
    if not prefix:
        return {"prefixRewrite": f"{target}/"}
    if not target:
        # Replacing `/x` by `/` in `/x/y` must give `/y`, not `//y`; a plain prefix swap cannot do that.
        return {"regexRewrite": {"pattern": {"regex": f"^{re.escape(prefix)}/*"}, "substitution": "/"}}
    return {"prefixRewrite": target}


def mirrors(filters: Iterable[Json], cluster_of: Callable[[Json], str | None]) -> list[Json]:
    """The mirror policies of RequestMirror filters; a mirror whose backend does not resolve is left out."""
    policies = []
    for each in filters:
        wanted = each.get("requestMirror")
        cluster = cluster_of(wanted["backendRef"]) if wanted else None
        if wanted is None or cluster is None:
            continue
        policy: Json = {"cluster": cluster}
        fraction = wanted.get("fraction") or {}
        if fraction:
            share = 1_000_000 * fraction["numerator"] // fraction.get("denominator", 100)
            policy["runtimeFraction"] = {"defaultValue": {"numerator": share, "denominator": "MILLION"}}
        elif "percent" in wanted:
            policy["runtimeFraction"] = {"defaultValue": {"numerator": wanted["percent"]}}
        policies.append(policy)
    return policies
