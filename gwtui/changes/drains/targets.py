"""What an operator names as what is to be drained, found among what is known.

- `NS/GATEWAY`, else `NS/POD`: a gateway, else a proxy of one.
- `NS/ROUTE:NS/BACKEND`: what a route sends to one of its backends.
- `namespace/NAME`, `host/NAME`: what one gateway serves of it, to be served by another.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from gwtui.changes.documents import KINDS, route_resource
from gwtui.changes.drains.senders import hops_to, senders_of
from gwtui.changes.drains.wish import Backend, Moved, OneProxy, Shard, Target
from gwtui.errors import UsageError
from gwtui.model.gateway_api import Route, Rule
from gwtui.model.ids import GatewayKey, ObjectKey
from gwtui.model.relations.attachment import is_delegation
from gwtui.model.snapshot import ClusterView, Snapshot

NAMESPACE, HOST = "namespace", "host"
"""Words before a slash that name no namespace of an object."""

_FORMS = "name NS/GATEWAY, NS/POD, NS/ROUTE:NS/BACKEND, namespace/NAME or host/NAME"


def parse_target(snapshot: Snapshot, cluster: str, text: str, *, source: str = "") -> Target:
    """Return what a text names.

    Args:
        snapshot: Everything known.
        cluster: Kubeconfig context.
        text: What was typed.
        source: `<namespace>/<name>` of the gateway that a namespace or hostname is moved from; empty: the only one
            that serves it behind another.

    Raises:
        UsageError: it names nothing of the cluster, or several things; the hint tells what to try.
    """
    view = snapshot.clusters.get(cluster)
    if view is None:
        raise UsageError(f"nothing is known of cluster {cluster}", "`gwtui doctor` tells why")
    first, slash, rest = text.partition("/")
    if not (first and slash and rest):
        raise UsageError(f"{text!r} names nothing that can be drained", _FORMS)
    if first in {NAMESPACE, HOST}:
        return _moved(view, first, rest, source)
    if ":" in rest:
        return _backend(view, text)
    return _gateway_or_proxy(view, text)


def _gateway_or_proxy(view: ClusterView, text: str) -> Target:
    for node in view.topology.gateways:
        if str(node.key) == text:
            return Shard(node.key)
    proxies = {str(key): key for node in view.topology.gateways for key in node.proxies}
    if text in proxies:
        return OneProxy(proxies[text])
    names = [*(str(node.key) for node in view.topology.gateways), *proxies]
    raise UsageError(f"no gateway and no proxy is called {text}", _near(text, names))


def _backend(view: ClusterView, text: str) -> Backend:
    route, _, backend = text.partition(":")
    namespace, _, name = route.partition("/")
    key = _route(view, namespace, name)
    if key is None:
        names = [f"{each[0]}/{each[1]}" for kind in KINDS for each in view.objects.get(route_resource(kind), {})]
        raise UsageError(f"no route is called {route}", _near(route, names))
    wanted = backend if "/" in backend else f"{namespace}/{backend}"
    found = _backends(view, key)
    if wanted not in found:
        raise UsageError(f"{route} sends nothing to {wanted}", _near(wanted, found))
    return Backend(key, wanted)


def _route(view: ClusterView, namespace: str, name: str) -> ObjectKey | None:
    """The route of a name, of the kind that comes first among `KINDS`."""
    for resource in map(route_resource, KINDS):
        if (namespace, name) in view.objects.get(resource, {}):
            return ObjectKey(view.name, resource, namespace, name)
    return None


def _backends(view: ClusterView, key: ObjectKey) -> list[str]:
    route: Route = view.objects[key.resource][(key.namespace, key.name)]
    rules: tuple[Rule, ...] = route.spec.rules
    refs = (ref for rule in rules for ref in rule.backend_refs if not is_delegation(ref))
    return list(dict.fromkeys(f"{ref.namespace or key.namespace}/{ref.name}" for ref in refs))


def _moved(view: ClusterView, word: str, name: str, source: str) -> Moved:
    nodes = [node for node in view.topology.gateways if node.is_managed]
    near = [node for node in nodes if word == HOST or name in node.namespaces]
    serving = [node.key for node in near if _serves(view, node.key, word, name)]
    if source:
        key = next((node.key for node in view.topology.gateways if str(node.key) == source), None)
        if key is None:
            raise UsageError(f"no gateway is called {source}", _near(source, map(str, serving)))
        return _made(key, word, name)
    if not serving:
        served = {
            each
            for node in nodes
            if hops_to(view, node.key)
            for each in (node.namespaces if word == NAMESPACE else node.hostnames)
        }
        raise UsageError(f"no gateway behind another serves {word} {name}", _near(name, served))
    if len(serving) > 1:
        names = ", ".join(map(str, serving))
        raise UsageError(f"{word} {name} is served by {names}", "name the one it is moved from with --from")
    return _made(serving[0], word, name)


def _serves(view: ClusterView, gateway: GatewayKey, word: str, name: str) -> bool:
    """Whether a gateway gets requests of a namespace or a hostname from another one."""
    return bool(senders_of(view, _made(gateway, word, name)))


def _made(gateway: GatewayKey, word: str, name: str) -> Moved:
    return Moved(gateway, namespace=name) if word == NAMESPACE else Moved(gateway, hostname=name)


def _near(name: str, names: Iterable[str]) -> str:
    known = sorted(set(names))
    near = get_close_matches(name, known, n=3)
    if near:
        return f"did you mean {' or '.join(near)}?"
    return f"there are {', '.join(known[:8])}{', …' if len(known) > 8 else ''}" if known else _FORMS
