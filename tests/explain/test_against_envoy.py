"""Which rule takes a request: explain, by objects and by loaded configuration, agrees with real Envoys."""

from __future__ import annotations

import asyncio
import json
import random
import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme

from bench.matching import MOST_UNTOLD, compare
from gwtui.adapters.envoy.scratch import Scratch, envoy_binary, plain_listener
from gwtui.errors import NotServed
from gwtui.explain.loaded.entrance import Entrance, entrance_of
from gwtui.explain.request import Request

PAIRS, SEED = 2000, 3


def needs_envoy() -> None:
    try:
        envoy_binary()
    except NotServed as error:
        pytest.skip(error.line())


async def test_2000_random_requests_are_taken_as_real_envoys_take_them():
    needs_envoy()
    outcome = await compare(PAIRS, SEED)
    assert outcome.pairs == PAIRS
    assert outcome.routed.total() > PAIRS / 4
    assert outcome.routed.keys() == {"http", "grpc", "delegated"}
    for name in ("objects", "loaded", "native"):
        told = getattr(outcome, name)
        assert told.differed == [], name
        assert told.untold.total() <= PAIRS * MOST_UNTOLD, (name, told.untold)
        assert told.agreed > PAIRS / 2


NAMES = ("a.test", "b.a.test", "*.a.test", "*.test", "*.b.a.test", "x.org", "")
ASKED = ("a.test", "b.a.test", "c.a.test", "z.b.a.test", "b.test", "x.org", "y.org", "ba.test")


async def test_the_filter_chain_is_the_one_a_real_envoy_picks_by_the_server_name():
    needs_envoy()
    authority = trustme.CA()
    certificate = authority.issue_cert(*{each for name in NAMES if name for each in (name, name.replace("*", "z"))})
    dice = random.Random(5)
    listeners = {f"l{number}": secure_listener(dice, certificate) for number in range(12)}
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    compared = 0
    async with Scratch(listeners) as envoy:
        dump = json.loads(await envoy.admin("/config_dump?resource=static_listeners"))
        for each in dump["configs"]:
            loaded = each["listener"]
            for name in ASKED:
                told = await chain_that_answers(Path(loaded["address"]["pipe"]["path"]), context, name)
                request = Request(method="GET", scheme="https", host=name, port=None, path="/")
                found = entrance_of([loaded], request, listener=loaded["name"])
                assert told == (found.chain if isinstance(found, Entrance) else None), (name, loaded)
                compared += 1
    assert compared == len(listeners) * len(ASKED)


def secure_listener(dice: random.Random, certificate: trustme.LeafCert) -> dict[str, Any]:
    """Filter chains for random server names; each answers with its name."""
    context = {
        "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
        "common_tls_context": {
            "tls_certificates": [
                {
                    "certificate_chain": {"inline_string": certificate.cert_chain_pems[0].bytes().decode()},
                    "private_key": {"inline_string": certificate.private_key_pem.bytes().decode()},
                }
            ]
        },
    }
    names = dice.sample(NAMES, dice.randint(1, len(NAMES)))
    named = [each for each in names if each]
    groups = [named[at : at + 2] for at in range(0, len(named), 2)] + ([[]] if "" in names else [])
    socket = {"name": "envoy.transport_sockets.tls", "typed_config": context}
    chains = [{**answering(f"chain {group}", group), "transport_socket": socket} for group in groups]
    inspector = "type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector"
    return {
        "filter_chains": chains,
        "listener_filters": [{"name": "envoy.filters.listener.tls_inspector", "typed_config": {"@type": inspector}}],
    }


def answering(name: str, server_names: list[str]) -> dict[str, Any]:
    answer = {"match": {"prefix": "/"}, "direct_response": {"status": 200, "body": {"inline_string": name}}}
    routes = {"name": "r", "virtual_hosts": [{"name": "v", "domains": ["*"], "routes": [answer]}]}
    (chain,) = plain_listener(routes, {})["filter_chains"]
    return {**chain, "name": name, "filter_chain_match": {"server_names": server_names}}


async def chain_that_answers(path: Path, context: ssl.SSLContext, name: str) -> str | None:
    """Name of the filter chain that takes a TLS connection for a server name; None when it is closed."""
    try:
        reader, writer = await asyncio.open_unix_connection(path, ssl=context, server_hostname=name)
    except (ConnectionError, ssl.SSLError):
        return None
    writer.write(f"GET / HTTP/1.1\r\nhost: {name}\r\n\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = int(head.partition("content-length:")[2].partition("\r\n")[0])
    body = await reader.readexactly(length)
    writer.close()
    return body.decode()
