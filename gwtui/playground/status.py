"""What the controller claims: conditions of classes, Gateways, routes and policies.

*Source:* condition types and reasons of Gateway API 1.6 and kgateway 2.4.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from gwtui.playground.translation.attachment import Attachment
from gwtui.playground.translation.delegation import childless, delegates
from gwtui.playground.translation.listeners import certificates, conflicting
from gwtui.playground.translation.policies import targets
from gwtui.playground.translation.precedence import candidates, kind_of
from gwtui.playground.translation.rules import translate_rule
from gwtui.playground.translation.waypoints import PROTOCOL
from gwtui.playground.world import CONTROLLER, GATEWAY_API, GRPC_ROUTES, HTTP_ROUTES, Json, World, key_of

_MESSAGES = {
    "Accepted": "Successfully accepted {kind}",
    "Programmed": "Successfully programmed {kind}",
    "ResolvedRefs": "Successfully resolved all references",
}
_ATTACH_MESSAGES = {
    "NoMatchingParent": "No listener of the Gateway matches the sectionName and port of the parentRef",
    "NotAllowedByListeners": "No listener of the Gateway allows routes of this kind from this namespace",
    "NoMatchingListenerHostname": "No hostname of the route intersects with a listener hostname",
}


@dataclass(frozen=True, slots=True)
class Claims:
    """Writes the conditions of one object."""

    held: Iterable[Json]
    """Its present conditions: those that do not change keep their transition time."""
    generation: int
    now: str
    """Transition time of what changes, as Kubernetes writes it."""

    def say(self, kind: str, reason: str, message: str, *, status: bool = True) -> Json:
        """One condition."""
        value = "True" if status else "False"
        same = next((each for each in self.held if each["type"] == kind and each["status"] == value), None)
        return {
            "type": kind,
            "status": value,
            "reason": reason,
            "message": message,
            "observedGeneration": self.generation,
            "lastTransitionTime": same["lastTransitionTime"] if same else self.now,
        }

    def good(self, kind: str, of: str) -> Json:
        """A condition that is as it should be, `of` being the kind of the object."""
        return self.say(kind, kind.rpartition("/")[2], _MESSAGES[kind.rpartition("/")[2]].format(kind=of))


def _claims(item: Json, held: Iterable[Json], now: str) -> Claims:
    return Claims(held, item["metadata"].get("generation", 1), now)


def class_status(gateway_class: Json, now: str) -> Json:
    """Status of a GatewayClass of ours."""
    claims = _claims(gateway_class, gateway_class.get("status", {}).get("conditions", ()), now)
    supported = claims.say("SupportedVersion", "SupportedVersion", "Gateway API CRD version is supported")
    return {"conditions": [claims.good("Accepted", "GatewayClass"), supported]}


def gateway_status(world: World, gateway: Json, attached: Iterable[Attachment], addresses: list[str], now: str) -> Json:
    """Status of a Gateway.

    Args:
        world: every object.
        gateway: a Gateway of ours.
        attached: the attachments of all routes.
        addresses: its addresses; empty while it has none.
        now: transition time of what changes.
    """
    held = gateway.get("status", {})
    claims = _claims(gateway, held.get("conditions", ()), now)
    key = key_of(gateway)
    mine = [each for each in attached if key_of(each.gateway) == key]
    listeners = [_listener_status(world, gateway, each, mine, now) for each in gateway["spec"].get("listeners", ())]
    valid = all(_is_true(each, "Accepted") for each in listeners)
    accepted = (
        claims.good("Accepted", "Gateway")
        if valid
        else claims.say("Accepted", "ListenersNotValid", "Some listeners are not valid")
    )
    programmed = (
        claims.good("Programmed", "Gateway")
        if addresses
        else claims.say("Programmed", "AddressNotAssigned", "No address has been assigned yet", status=False)
    )
    return {
        "addresses": [{"type": _address_type(value), "value": value} for value in addresses],
        "conditions": [accepted, programmed],
        "listeners": listeners,
    }


def _address_type(value: str) -> str:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return "Hostname"
    return "IPAddress"


def _listener_status(world: World, gateway: Json, listener: Json, mine: list[Attachment], now: str) -> Json:
    held: Json = next(
        (each for each in gateway.get("status", {}).get("listeners", ()) if each["name"] == listener["name"]), {}
    )
    claims = _claims(gateway, held.get("conditions", ()), now)
    attached = {_name(each.route) for each in mine for own, _ in each.listeners if own["name"] == listener["name"]}
    accepted = claims.good("Accepted", "Listener")
    resolved = claims.good("ResolvedRefs", "Listener")
    programmed = claims.good("Programmed", "Listener")
    conflicted = claims.say("Conflicted", "NoConflicts", "No conflicts detected", status=False)
    if listener["name"] in conflicting(gateway):
        text = f"port {listener['port']} is taken by a listener of another protocol"
        conflicted = claims.say("Conflicted", "ProtocolConflict", text)
        accepted = claims.say("Accepted", "ProtocolConflict", text, status=False)
        programmed = claims.say("Programmed", "ProtocolConflict", text, status=False)
    elif listener["protocol"] not in {"HTTP", "HTTPS", PROTOCOL}:
        text = f"the playground does not serve protocol {listener['protocol']}"
        accepted = claims.say("Accepted", "UnsupportedProtocol", text, status=False)
        programmed = claims.say("Programmed", "Invalid", text, status=False)
    elif listener["protocol"] == "HTTPS" and not certificates(world, gateway["metadata"]["namespace"], listener):
        text = "a certificateRef does not resolve to a Secret with tls.crt and tls.key"
        resolved = claims.say("ResolvedRefs", "InvalidCertificateRef", text, status=False)
        programmed = claims.say("Programmed", "Invalid", text, status=False)
    return {
        "name": listener["name"],
        "supportedKinds": [{"group": GATEWAY_API, "kind": kind} for kind in ("HTTPRoute", "GRPCRoute")],
        "attachedRoutes": len(attached),
        "conditions": [
            accepted,
            conflicted,
            resolved,
            programmed,
        ],
    }


def route_status(world: World, route: Json, attached: Iterable[Attachment], now: str) -> Json:
    """Status of a route: one entry per parent of ours; entries of other controllers stay as they are."""
    held = route.get("status", {}).get("parents", [])
    parents = [each for each in held if each.get("controllerName") != CONTROLLER]
    mine = [each for each in attached if _name(each.route) == _name(route)]
    for attachment in mine:
        previous: Json = next(
            (
                each
                for each in held
                if each.get("controllerName") == CONTROLLER and each["parentRef"] == attachment.parent
            ),
            {},
        )
        claims = _claims(route, previous.get("conditions", ()), now)
        parents.append(
            {
                "parentRef": attachment.parent,
                "controllerName": CONTROLLER,
                "conditions": _route_conditions(world, attachment, claims),
            }
        )
    return {"parents": parents}


def _name(route: Json) -> tuple[str, str, str]:
    return kind_of(route), *key_of(route)


def _route_conditions(world: World, attachment: Attachment, claims: Claims) -> list[Json]:
    route = attachment.route
    namespace = route["metadata"]["namespace"]
    outcomes = [
        (each, translate_rule(world, namespace, each.rule, each.match, kind=kind_of(route)))
        for each in candidates(route)
        if not delegates(each.rule)
    ]
    refusals = [refusal for _, outcome in outcomes for refusal in outcome.refusals]
    refusals += [found for rule in route["spec"].get("rules", ()) if (found := childless(world, route, rule))]
    replaced = {each.rule_index: outcome.replaced for each, outcome in outcomes if outcome.replaced}
    accepted = claims.good("Accepted", "Route")
    if attachment.reason != "Accepted":
        accepted = claims.say("Accepted", attachment.reason, _ATTACH_MESSAGES[attachment.reason], status=False)
    resolved = claims.good("ResolvedRefs", "Route")
    if refusals:
        resolved = claims.say("ResolvedRefs", refusals[0].reason, refusals[0].message, status=False)
    programmed = claims.good("kgateway.dev/Programmed", "Route")
    if replaced:
        text = "; ".join(f"Replaced Rule ({index}): {reason}" for index, reason in sorted(replaced.items()))
        programmed = claims.say("kgateway.dev/Programmed", "RouteRuleReplaced", text, status=False)
    return [accepted, resolved, programmed]


def policy_status(world: World, policy: Json, attached: Iterable[Attachment], now: str) -> Json:
    """Status of a policy: one ancestor per Gateway of ours it takes effect on."""
    held = policy.get("status", {}).get("ancestors", [])
    ancestors = [each for each in held if each.get("controllerName") != CONTROLLER]
    every = (*world.all(HTTP_ROUTES), *world.all(GRPC_ROUTES))
    routes = {_name(route) for route in every if targets(policy, kind_of(route), route)}
    ours = [each for each in attached if each.reason == "Accepted" and _name(each.route) in routes]
    reached = {key_of(each.gateway) for each in ours}
    reached |= {key_of(gateway) for gateway in world.gateways() if targets(policy, "Gateway", gateway)}
    for namespace, name in sorted(reached):
        ref = {"group": GATEWAY_API, "kind": "Gateway", "namespace": namespace, "name": name}
        previous: Json = next((each for each in held if each["ancestorRef"] == ref), {})
        claims = _claims(policy, previous.get("conditions", ()), now)
        ancestors.append(
            {
                "ancestorRef": ref,
                "controllerName": CONTROLLER,
                "conditions": [
                    claims.say("Accepted", "Valid", "Policy accepted"),
                    claims.say("Attached", "Attached", "Attached to all targets"),
                ],
            }
        )
    return {"ancestors": ancestors}


def _is_true(item: Json, kind: str) -> bool:
    return any(each["type"] == kind and each["status"] == "True" for each in item["conditions"])
