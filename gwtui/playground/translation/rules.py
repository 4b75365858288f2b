"""One rule of an HTTPRoute: the Envoy action it becomes, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from gwtui.playground.translation.durations import envoy_duration
from gwtui.playground.translation.filters import header_fields, mirrors, redirect, rewrite
from gwtui.playground.translation.references import BLACKHOLE, Refusal, Target, resolve
from gwtui.playground.world import DIRECT_RESPONSES, KGATEWAY, Json, World

REPLACED_BODY = "invalid route configuration detected and replaced with a direct response."
"""Body of the 500 that stands in for a rule that cannot be programmed. *Source:* kgateway 2.x."""

ALL_ZERO = "All backend weights are 0. At least one backendRef in the HTTPRoute rule must specify a non-zero weight"
"""Message of the condition for a rule of two or more backends that all weigh 0. *Source:* kgateway 2.x."""


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """What became of one match of a rule."""

    fields: Json
    """The action and its companions, ready to be merged into an Envoy route."""
    targets: tuple[Target, ...] = ()
    """The Services it needs clusters for, mirrors included."""
    refusals: tuple[Refusal, ...] = ()
    """backendRefs that do not resolve."""
    replaced: str = ""
    """Why the whole rule was replaced by a 500; empty when it was not."""


def translate_rule(world: World, namespace: str, rule: Json, match: Json, *, kind: str = "HTTPRoute") -> RuleOutcome:
    """Translate one match of a rule of a route in `namespace`; `kind` is that of the route."""
    filters = rule.get("filters", ())
    headers = header_fields(filters)
    if (target := redirect(filters, match)) is not None:
        return RuleOutcome({"redirect": target, **headers})
    if (answer := _direct_response(world, namespace, filters)) is not None:
        return RuleOutcome({"directResponse": answer, **headers})
    refs = rule.get("backendRefs") or []
    leads_to = partial(resolve, world, namespace, route_kind=kind)
    resolved = [leads_to(ref) for ref in refs]
    mirrored = [
        leads_to(each["requestMirror"]["backendRef"]) for each in filters if each.get("type") == "RequestMirror"
    ]
    refusals = tuple(each for each in [*resolved, *mirrored] if isinstance(each, Refusal))
    targets = tuple(each for each in [*resolved, *mirrored] if isinstance(each, Target))
    if len(refs) > 1 and not any(ref.get("weight", 1) for ref in refs):
        return RuleOutcome(replacement(), refusals=refusals, replaced=ALL_ZERO)
    if not refs:
        return RuleOutcome({"directResponse": {"status": 500}, **headers})
    action: Json = {"clusterNotFoundResponseCode": "INTERNAL_SERVER_ERROR"}
    if len(refs) == 1:
        # A lone backendRef keeps all traffic whatever its weight: kgateway never looks at it.
        action["cluster"] = _cluster(resolved[0])
        headers = header_fields([*filters, *refs[0].get("filters", ())])
    else:
        action["weightedClusters"] = {
            "clusters": [
                {"name": _cluster(found), "weight": ref.get("weight", 1), **header_fields(ref.get("filters", ()))}
                for ref, found in zip(refs, resolved, strict=True)
            ]
        }
    action |= rewrite(filters, match)
    if policies := mirrors(filters, lambda ref: _resolved_cluster(leads_to(ref))):
        action["requestMirrorPolicies"] = policies
    timeouts = rule.get("timeouts") or {}
    if written := timeouts.get("request") or timeouts.get("backendRequest"):
        action["timeout"] = envoy_duration(written)
    return RuleOutcome({"route": action, **headers}, targets=targets, refusals=refusals)


def _direct_response(world: World, namespace: str, filters: Iterable[Json]) -> Json | None:
    """The fixed answer of a DirectResponse that an ExtensionRef names, or None when there is none."""
    for each in filters:
        ref = each.get("extensionRef") or {}
        if (ref.get("group"), ref.get("kind")) == (KGATEWAY, "DirectResponse"):
            found = world.get(DIRECT_RESPONSES, namespace, ref["name"])
            if found is not None:
                spec = found["spec"]
                body = {"body": {"inlineString": spec["body"]}} if spec.get("body") else {}
                return {"status": spec["status"], **body}
    return None


def _cluster(found: Target | Refusal) -> str:
    return found.cluster if isinstance(found, Target) else BLACKHOLE


def _resolved_cluster(found: Target | Refusal) -> str | None:
    return found.cluster if isinstance(found, Target) else None


def replacement() -> Json:
    """The fields of a route that stands in for a rule which cannot be programmed."""
    return {"directResponse": {"status": 500, "body": {"inlineString": REPLACED_BODY}}}
