"""Attached policies, as far as they are played here: stat prefixes, upgrades, what protects backends."""

from __future__ import annotations

from collections.abc import Iterable

from gwtui.playground.translation.durations import envoy_duration
from gwtui.playground.translation.precedence import kind_of
from gwtui.playground.world import BACKEND_POLICIES, GATEWAY_API, LISTENER_POLICIES, TRAFFIC_POLICIES, Json, World

_BREAKERS = ("maxConnections", "maxPendingRequests", "maxRequests", "maxRetries")


def targets(policy: Json, kind: str, item: Json, *, group: str = GATEWAY_API) -> Json | None:
    """The targetRef or targetSelector by which a policy applies to an object of its own namespace, or None."""
    metadata = item["metadata"]
    if policy["metadata"]["namespace"] != metadata["namespace"]:
        return None
    spec = policy["spec"]
    for ref in spec.get("targetRefs", ()):
        if (ref.get("group", GATEWAY_API), ref["kind"], ref["name"]) == (group, kind, metadata["name"]):
            return dict(ref)
    labels = metadata.get("labels", {})
    for selector in spec.get("targetSelectors", ()):
        wanted = selector.get("matchLabels", {})
        if selector["kind"] == kind and wanted and all(labels.get(key) == value for key, value in wanted.items()):
            return dict(selector)
    return None


def stat_prefix(world: World, route: Json, rule: Json) -> tuple[str, str] | None:
    """(stat prefix, provenance) of a rule, from the TrafficPolicy that names it most closely; the oldest wins ties."""
    found = []
    for policy in world.within(TRAFFIC_POLICIES, route["metadata"]["namespace"]):
        template = policy["spec"].get("statPrefix")
        ref = targets(policy, kind_of(route), route)
        if not template or ref is None:
            continue
        section = ref.get("sectionName", "")
        if section and section != rule.get("name"):
            continue
        metadata = policy["metadata"]
        found.append((not section, metadata.get("creationTimestamp", ""), metadata["name"], template))
    if not found:
        return None
    _, _, name, template = min(found)
    namespace = route["metadata"]["namespace"]
    return _expand(template, route, rule), f"gateway.kgateway.dev/TrafficPolicy/{namespace}/{name}"


def _expand(template: str, route: Json, rule: Json) -> str:
    values = {
        "route_namespace": route["metadata"]["namespace"],
        "route_name": route["metadata"]["name"],
        "rule_name": rule.get("name", ""),
    }
    for name, value in values.items():
        template = template.replace("{{" + name + "}}", value)
    return template


def protection(world: World, namespace: str, service: str) -> Json:
    """Fields of an Envoy cluster that a BackendConfigPolicy of its Service asks for; the oldest policy wins."""
    item = {"metadata": {"namespace": namespace, "name": service}}
    policies = [each for each in world.within(BACKEND_POLICIES, namespace) if targets(each, "Service", item, group="")]
    if not policies:
        return {}
    spec = min(policies, key=lambda each: each["metadata"].get("creationTimestamp", ""))["spec"]
    found: Json = {}
    if timeout := spec.get("connectTimeout"):
        found["connectTimeout"] = envoy_duration(timeout)
    if breakers := spec.get("circuitBreakers"):
        found["circuitBreakers"] = {"thresholds": [{key: breakers[key] for key in _BREAKERS if key in breakers}]}
    if outliers := spec.get("outlierDetection"):
        found["outlierDetection"] = {
            key: envoy_duration(value) if isinstance(value, str) else value for key, value in outliers.items()
        }
    return found


def upgrades(world: World, gateway: Json, port: int) -> tuple[str, ...]:
    """Connection upgrades (`websocket`) that ListenerPolicies enable on one port of a Gateway."""
    enabled: list[str] = []
    for policy in world.within(LISTENER_POLICIES, gateway["metadata"]["namespace"]):
        if targets(policy, "Gateway", gateway) is not None:
            enabled += _enabled(policy["spec"], port)
    return tuple(dict.fromkeys(enabled))


def _enabled(spec: Json, port: int) -> Iterable[str]:
    own = next((each["listener"] for each in spec.get("perPort", ()) if each["port"] == port), None)
    settings = (own if own is not None else spec.get("default") or {}).get("httpSettings") or {}
    enabled: Iterable[str] = (settings.get("upgradeConfig") or {}).get("enabledUpgrades", ())
    return enabled
