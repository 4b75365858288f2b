"""GRPCRoutes as HTTPRoutes: a call is a request for `/<service>/<method>`.

*Source:* kgateway 2.3 and later, which put both kinds into one order.
"""

from __future__ import annotations

from gwtui.playground.world import Json


def as_http(route: Json) -> Json:
    """A GRPCRoute with the matches of an HTTPRoute. It stays a GRPCRoute by its kind."""
    rules = [
        {**rule, "matches": [_match(each) for each in rule.get("matches", ())]}
        for rule in route["spec"].get("rules", ())
    ]
    return {**route, "kind": "GRPCRoute", "spec": {**route["spec"], "rules": rules}}


def _match(match: Json) -> Json:
    headers = {"headers": match["headers"]} if match.get("headers") else {}
    method = match.get("method") or {}
    service, call = method.get("service", ""), method.get("method", "")
    if not service and not call:
        return headers
    if method.get("type") == "RegularExpression":
        path = {"type": "RegularExpression", "value": f"/{service or '[^/]+'}/{call or '[^/]+'}"}
    elif not service:
        path = {"type": "RegularExpression", "value": f"/[^/]+/{call}"}
    elif not call:
        path = {"type": "PathPrefix", "value": f"/{service}/"}
    else:
        path = {"type": "Exact", "value": f"/{service}/{call}"}
    return {"path": path, **headers}
