"""Where the backends of a rule lead, and which part of the requests each gets.

*Source:* `backendRefs` of Gateway API 1.3 to 1.6; weights as kgateway 2.0 to 2.4 hands them to Envoy: an only backend
gets everything whatever its weight, and where all of several weigh 0 the rule answers 500.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from gwtui.explain.course import Branch, End, Hop, Outcome
from gwtui.explain.effects import AnyFilter, Where
from gwtui.explain.terrain import Endpoints, Terrain
from gwtui.model import resources
from gwtui.model.gateway_api import BackendRef, GrpcBackendRef, HttpBackendRef, L4Rule, Rule
from gwtui.model.ids import ExternalKey, GatewayKey, NamespacedName, ServiceKey
from gwtui.model.kgateway import KGATEWAY, Backend
from gwtui.model.known import Unknown
from gwtui.model.names import ANY_HOST
from gwtui.model.policies import Policy
from gwtui.model.relations.attachment import is_delegation
from gwtui.model.relations.backends import Destination
from gwtui.model.relations.remarks import Unseen, text_of
from gwtui.model.shape import DataPlane

TLS_POLICIES = (resources.BACKEND_TLS_POLICIES, resources.BACKEND_CONFIG_POLICIES)
"""Kinds that make a gateway speak TLS to a Service, or may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One branch before it is followed."""

    branch: Branch
    port: int | None
    """It is sent to; None where nothing tells."""
    scheme: str
    filters: tuple[AnyFilter, ...] = ()
    """Of this backend alone."""


def parts_of(terrain: Terrain, hop: Hop, where: Where, rule: Rule) -> tuple[Part, ...] | End:
    """Return where the backends of a rule lead; an end where the rule has none that gets anything."""
    refs = [ref for ref in rule.backend_refs if not is_delegation(ref)]
    called = f"rule {where.route.spec.rules.index(rule)} of {where.key.namespace}/{where.key.name}"
    is_bare = isinstance(rule, L4Rule)
    if not refs:
        return _wrong(f"{called} names no backend", f"give {called} a backend", is_bare=is_bare)
    total = sum(ref.weight for ref in refs)
    if len(refs) > 1 and not total:
        fix = f"give a backend of {called} a weight above 0"
        return _wrong(f"all weights of {called} are 0", fix, is_bare=is_bare)
    if len(refs) == 1 and not total and hop.data_plane is not DataPlane.KGATEWAY_ENVOY:
        words = f"the only backend of {called} weighs 0: what {hop.data_plane} makes of it is not known"
        return End(outcome=Outcome.UNKNOWN, status=None, words=words)
    found: list[Part] = []
    for ref in refs:
        share = 1.0 if len(refs) == 1 else ref.weight / total
        note = "the weight of an only backend counts for nothing" if len(refs) == 1 and not ref.weight else ""
        found += (
            replace(part, branch=replace(part.branch, note=part.branch.note or note))
            for part in _parts(terrain, hop, where, _Share(ref, share, called, is_bare=is_bare))
        )
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Share:
    """One backend of a rule with its part."""

    ref: BackendRef
    share: float
    called: str
    """The rule in words."""
    is_bare: bool
    """Whether connections are forwarded, not requests."""


def _parts(terrain: Terrain, hop: Hop, where: Where, of: _Share) -> Iterator[Part]:
    ref, namespace = of.ref, where.key.namespace
    name = (ref.namespace or namespace, ref.name)
    port = f":{ref.port}" if ref.port else ""
    branch = Branch(
        backend=f"{ref.kind} {name[0]}/{name[1]}{port}",
        weight=ref.weight,
        share=of.share,
        target=None,
        cluster="",
    )
    filters = ref.filters if isinstance(ref, HttpBackendRef | GrpcBackendRef) else ()
    if not of.share:
        yield Part(branch=replace(branch, note="weight 0: it gets nothing"), port=None, scheme="http")
        return
    end = _invalid(terrain, where, of, name)
    if end is not None:
        yield Part(branch=replace(branch, end=end), port=None, scheme="http")
        return
    kind = resources.ROUTES[where.key.resource]
    resolved = terrain.resolver.resolve(kind, namespace, ref)
    primary = [each for each in resolved.destinations if not each.is_standby]
    note = next((text_of(each) for each in resolved.remarks), "")
    for each in primary:
        share = of.share / len(primary)
        is_one_of = f"one of {len(primary)} hosts of it" if len(primary) > 1 else ""
        target = replace(branch, target=each.target, cluster=each.cluster, share=share, note=note or is_one_of)
        sent = _port(terrain, ref, name, each)
        scheme = hop.request.scheme if of.is_bare else _scheme(terrain, ref, name)
        target = _with_live(terrain, hop, target)
        yield Part(branch=_ended(terrain, hop, target), port=sent, scheme=scheme, filters=filters)


def _with_live(terrain: Terrain, hop: Hop, branch: Branch) -> Branch:
    live = terrain.measured(hop.gateway, branch.cluster) if branch.cluster else None
    return branch if live is None else replace(branch, rps=live.rps, error_ratio=live.error_ratio)


def _invalid(terrain: Terrain, where: Where, of: _Share, name: NamespacedName) -> End | None:
    """The end of a share whose reference leads nowhere; None where it leads somewhere."""
    ref, inventory = of.ref, terrain.inventory
    kind = resources.ROUTES[where.key.resource]
    what = f"{ref.kind} {name[0]}/{name[1]}"
    if not inventory.is_granted(
        kind=kind, namespace=where.key.namespace, group=ref.group, target_kind=ref.kind, target=name
    ):
        if inventory.was_read_in(resources.REFERENCE_GRANTS, name[0]):
            words = f"no ReferenceGrant in {name[0]} lets {kind}s of {where.key.namespace} use {what}"
            return _wrong(words, f"create one in {name[0]}", is_bare=of.is_bare)
        if inventory.was_read(resources.REFERENCE_GRANTS):
            words = f"whether {kind}s of {where.key.namespace} may use {what} is not read"
            return End(outcome=Outcome.UNKNOWN, status=None, words=words)
    if (ref.group, ref.kind) == ("", "Service"):
        return _invalid_service(terrain, of, name)
    resolved = terrain.resolver.resolve(kind, where.key.namespace, ref)
    if any(not each.is_standby for each in resolved.destinations):
        return None
    problem = next((each for each in resolved.remarks if not isinstance(each, Unseen)), None)
    if problem is not None:
        return _wrong(text_of(problem), f"mend {what}, or let {of.called} name another", is_bare=of.is_bare)
    words = next(map(text_of, resolved.remarks), f"where {what} leads is not read")
    return End(outcome=Outcome.UNKNOWN, status=None, words=words)


def _invalid_service(terrain: Terrain, of: _Share, name: NamespacedName) -> End | None:
    service = terrain.inventory.services.get(name)
    what, port = f"Service {name[0]}/{name[1]}", of.ref.port
    if service is None:
        if terrain.inventory.was_read_in(resources.SERVICES, name[0]):
            fix = f"create {what}, or let {of.called} name another"
            return _wrong(f"{what} does not exist", fix, is_bare=of.is_bare)
        return End(outcome=Outcome.UNKNOWN, status=None, words=f"{what} is not read")
    if all(each.port != port for each in service.spec.ports):
        offered = ", ".join(str(each.port) for each in service.spec.ports) or "none"
        fix = f"let {of.called} name one of its ports ({offered})"
        return _wrong(f"{what} has no port {port}", fix, is_bare=of.is_bare)
    return None


def _wrong(words: str, fix: str, *, is_bare: bool) -> End:
    """An error; of a connection that is passed through there is no answer."""
    return End(outcome=Outcome.WRONG, status=None if is_bare else 500, words=words, fix=fix)


def _ended(terrain: Terrain, hop: Hop, branch: Branch) -> Branch:
    """The branch with its end, where it leads to no further gateway."""
    match branch.target:
        case ServiceKey():
            end, (ready, total, unknown) = served(terrain, branch.target, branch.cluster, hop.gateway)
            return replace(branch, end=end, ready=ready, total=total, unknown=unknown)
        case ExternalKey():
            host = "whatever host the request names" if branch.target.host == ANY_HOST else branch.target.host
            end = End(outcome=Outcome.SERVED, status=None, words=f"leave the cluster for {host}")
            return replace(branch, end=end, unknown="outside the cluster")
        case _:
            return branch


def served(
    terrain: Terrain, service: ServiceKey, cluster: str, gateway: GatewayKey | None
) -> tuple[End, tuple[int | None, int | None, str]]:
    """Return what becomes of requests to a Service, with its ready endpoints, all of them, or why they are not known.

    Args:
        terrain: The cluster.
        service: The Service.
        cluster: The upstream that proxies count it by; empty where there is no name for it.
        gateway: Whose proxies count.
    """
    found = terrain.endpoints(service)
    if isinstance(found, Unknown) and cluster and gateway is not None:
        counted = terrain.members(gateway, cluster)
        found = counted if isinstance(counted, Endpoints) else found
    if isinstance(found, Unknown):
        end = End(
            outcome=Outcome.SERVED, status=None, words=f"reach {service}; how many endpoints are ready is not known"
        )
        return end, (None, None, found.reason)
    if found.ready:
        words = f"reach {service}, {found.ready} of {found.total} endpoint{'s' if found.total > 1 else ''} ready"
        return End(outcome=Outcome.SERVED, status=None, words=words), (found.ready, found.total, "")
    spec = terrain.inventory.services.get((service.namespace, service.name))
    if spec is not None and spec.spec.type == "ExternalName":
        end = End(outcome=Outcome.SERVED, status=None, words=f"leave the cluster for {spec.spec.external_name}")
        return end, (None, None, "an ExternalName has none")
    of = f"none of {found.total} endpoints" if found.total else "no endpoint"
    fix = f"bring pods of {service} up" if found.total else f"give {service} pods, or another selector"
    return End(outcome=Outcome.WRONG, status=503, words=f"{of} of {service} is ready", fix=fix), (*found, "")


def _port(terrain: Terrain, ref: BackendRef, name: NamespacedName, found: Destination) -> int | None:
    """The port a destination is sent to, as the listener of a gateway behind it has it."""
    if not ref.group and ref.kind == "Service":
        return _listened(terrain, found.target, ref.port, name)
    if (ref.group, ref.kind) == (KGATEWAY, "Backend"):
        backend: Backend | None = terrain.inventory.backends.get(name)
        hosts = backend.spec.static.hosts if backend is not None and backend.spec.static is not None else ()
        ports = {each.port for each in hosts}
        if len(ports) == 1:
            return _listened(terrain, found.target, ports.pop(), None)
    return ref.port or None


def _listened(
    terrain: Terrain, target: GatewayKey | ServiceKey | ExternalKey, port: int, name: NamespacedName | None
) -> int:
    """The listener's port behind a port of a gateway's Service: the same, or else its target port."""
    if not isinstance(target, GatewayKey):
        return port
    if any(place.listener.port == port for place in terrain.places(target)):
        return port
    node = terrain.nodes.get(target)
    names = [name] if name is not None else [(each.namespace, each.name) for each in (node.services if node else ())]
    for each in names:
        service = terrain.inventory.services.get(each)
        for offered in service.spec.ports if service is not None else ():
            if offered.port == port and isinstance(offered.target_port, int):
                return offered.target_port
    return port


def _scheme(terrain: Terrain, ref: BackendRef, name: NamespacedName) -> str:
    """`https` where a policy makes the gateway speak TLS to a backend, or may and nothing else would be taken there."""
    by_tls, by_settings = (_has_policy(terrain, kind, ref, name) for kind in TLS_POLICIES)
    if by_tls:
        return "https"
    # What such a policy sets is not read: TLS is among it.
    target = terrain.resolver.gateways.get(name) if by_settings else None
    spoken = (
        {each.listener.protocol for each in terrain.places(target) if each.listener.port == ref.port} if target else ()
    )
    return "https" if spoken and "HTTP" not in spoken else "http"


def _has_policy(terrain: Terrain, kind: str, ref: BackendRef, name: NamespacedName) -> bool:
    found: Mapping[NamespacedName, Policy] = terrain.inventory.of(kind)
    return any(
        (each.kind, each.name) == (ref.kind, ref.name)
        for (namespace, _), policy in found.items()
        if namespace == name[0]
        for each in policy.spec.target_refs
    )
