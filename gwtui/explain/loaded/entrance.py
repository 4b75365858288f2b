"""Through which listener and filter chain a request comes in.

*Source:* `envoy.config.listener.v3.FilterChainMatch`: one property after the other narrows the chains down, the most
specific value of each wins, and there is no way back to a less specific one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gwtui.explain.loaded.answers import MISSHAPEN, Body, CannotTell, Unrouted, misshapen
from gwtui.explain.loaded.domains import names_taken
from gwtui.explain.request import Request

_MANAGER = "HttpConnectionManager"
_TCP_PROXY = "TcpProxy"
_SOURCES = frozenset(
    {
        "address_suffix", "direct_source_prefix_ranges", "prefix_ranges", "source_ports", "source_prefix_ranges",
        "source_type", "suffix_len",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrance:
    """Where a request comes in."""

    listener: str
    port: int | None
    chain: str
    """Name of the filter chain, which may have none."""
    is_encrypted: bool
    """Whether the chain speaks TLS."""
    manager: Body | None
    """The HTTP connection manager; None where bytes are passed on."""
    tcp_proxy: Body | None = None


def entrance_of(
    listeners: Iterable[Body], request: Request, *, listener: str = "", port: int = 0
) -> Entrance | Unrouted | CannotTell:
    """Return where a request comes in.

    Args:
        listeners: The listeners of a proxy.
        request: The request.
        listener: Name of the listener.
        port: Where it listens, for when there is none of that name; 0 when it is not known.
    """
    try:
        return _entrance_of(tuple(listeners), request, listener, port)
    except MISSHAPEN:
        return misshapen()


def _entrance_of(
    known: tuple[Body, ...], request: Request, listener: str, port: int
) -> Entrance | Unrouted | CannotTell:
    found = next((each for each in known if each.get("name") == listener), None)
    found = found or next((each for each in known if port and _port(each) == port), None)
    if found is None:
        called = f"a listener {listener}" if listener else f"a listener on port {port}"
        return Unrouted(reason=f"the proxy has not loaded {called}", status=None)
    if "filter_chain_matcher" in found:
        return CannotTell("the listener picks its filter chain by a matcher that is not read here")
    chain = _chain(found, request)
    return chain if isinstance(chain, Unrouted | CannotTell) else _entrance(found, chain, request)


def _entrance(listener: Body, chain: Body, request: Request) -> Entrance | Unrouted | CannotTell:
    is_encrypted = "transport_socket" in chain and "raw_buffer" not in str(chain["transport_socket"].get("name", ""))
    if is_encrypted and not request.is_encrypted:
        return Unrouted(reason="the listener speaks TLS alone, and the request comes without", status=None)
    config = (_config(each) for each in chain.get("filters", ()))
    ends = {kind: each for each in config for kind in (_MANAGER, _TCP_PROXY) if each.get("@type", "").endswith(kind)}
    if not ends:
        return CannotTell("the filter chain neither speaks HTTP nor passes bytes on")
    return Entrance(
        listener=listener.get("name", ""),
        port=_port(listener),
        chain=chain.get("name", ""),
        is_encrypted=is_encrypted,
        manager=ends.get(_MANAGER),
        tcp_proxy=ends.get(_TCP_PROXY),
    )


def _config(each: Body) -> Mapping[str, Any]:
    found: Mapping[str, Any] = each.get("typed_config") or {}
    return found


def _port(listener: Body) -> int | None:
    address: Mapping[str, Any] = (listener.get("address") or {}).get("socket_address") or {}
    return address.get("port_value")


def _chain(listener: Body, request: Request) -> Body | Unrouted | CannotTell:
    chains: Sequence[Body] = listener.get("filter_chains", ())
    chains = _for_port(chains, _port(listener))
    chains = _for_name(chains, request.sni if request.is_encrypted else "")
    chains = _for_transport(chains, "tls" if request.is_encrypted else "raw_buffer")
    if any(_SOURCES & _match(each).keys() for each in chains):
        return CannotTell("the filter chain depends on the addresses of the connection")
    if len(chains) > 1 and any(_match(each).get("application_protocols") for each in chains):
        return CannotTell("the filter chain depends on what the client offers to speak within TLS")
    if chains:
        return chains[0]
    default: Body | None = listener.get("default_filter_chain")
    return default or Unrouted(reason="no filter chain of the listener takes the connection", status=None)


def _for_port(chains: Sequence[Body], port: int | None) -> Sequence[Body]:
    mine = [each for each in chains if port is not None and _match(each).get("destination_port") == port]
    return mine or [each for each in chains if not _match(each).get("destination_port")]


def _for_name(chains: Sequence[Body], name: str) -> Sequence[Body]:
    """Those that name the server exactly, else by the longest ending, else those for any."""
    names = {each: None for chain in chains for each in names_taken(_match(chain).get("server_names", ()), name)}
    if names and name:
        best = min(names, key=lambda each: (each.startswith("*"), -len(each)))
        return [each for each in chains if best in _match(each).get("server_names", ())]
    return [each for each in chains if not _match(each).get("server_names")]


def _for_transport(chains: Sequence[Body], transport: str) -> Sequence[Body]:
    mine = [each for each in chains if _match(each).get("transport_protocol") == transport]
    return mine or [each for each in chains if not _match(each).get("transport_protocol")]


def _match(chain: Body) -> Mapping[str, Any]:
    found: Mapping[str, Any] = chain.get("filter_chain_match") or {}
    return found
