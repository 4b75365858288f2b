"""What is explained is what happens: requests are explained, then sent through the real Envoys."""

from __future__ import annotations

import json

import httpx
import pytest

from running import Demo

pytestmark = pytest.mark.e2e

REQUESTS = [
    ("GET", "foo.example.com", "/"),
    ("GET", "foo.example.com", "/api/cart?x=1"),
    ("GET", "foo.example.com", "/partner"),
    ("GET", "foo.example.com", "/partners"),
    ("GET", "shop.example.com", "/"),
    ("POST", "bar.example.com", "//x/../products"),
    ("GET", "unknown.example.com", "/"),
]


def explained(demo: Demo, method: str, host: str, path: str, *more: str) -> tuple[int, dict]:
    done = demo.gwtui("explain", method, f"http://{host}:8080{path}", "-o", "json", *more)
    told = json.loads(done.stdout)
    fix = f"; {told['fix']}" if told["fix"] else ""
    assert done.stderr == (f"gwtui: {told['verdict']}{fix}\n" if done.returncode else "")
    return done.returncode, told


def ends(hops: dict[str, dict], number: str = "1") -> dict[str, float]:
    """The Service or status of every end behind a hop, with its share."""
    hop, found = hops[number], {}
    if hop["answer"] is not None:
        return {str(hop["answer"]["status"]): 1.0}
    for backend in hop["backends"]:
        behind = ends(hops, backend["next_hop"]) if backend["next_hop"] else {backend["leads_to"]: 1.0}
        for name, share in behind.items():
            found[name] = found.get(name, 0.0) + share * backend["ratio"]
    return found


@pytest.mark.parametrize(("method", "host", "path"), REQUESTS)
def test_a_request_goes_where_it_is_explained_to_go(demo: Demo, method: str, host: str, path: str) -> None:
    code, told = explained(demo, method, host, path)
    possible = ends({hop["number"]: hop for hop in told["hops"]})
    entry = demo.ready["entrypoints"]["playground/infra/edge/http"]
    with httpx.Client() as client:
        url = httpx.URL(entry).copy_with(raw_path=path.encode())
        answer = client.request(method, url, headers={"host": host})
    if answer.status_code == 200:
        body = answer.json()
        assert f"{body['namespace']}/{body['service']}" in possible
        assert code == 0
    else:
        assert possible == {str(answer.status_code): 1.0}
        assert (code, told["courses"][0]["wrong_ratio"]) == (1, 1.0)
    # What the proxies hold is what is intended, at every hop.
    assert all(each["agrees"] for hop in told["hops"] for each in hop["loaded"])
    assert all(hop["loaded"] for hop in told["hops"])


def test_envoys_own_matcher_agrees(demo: Demo) -> None:
    code, told = explained(demo, "GET", "foo.example.com", "/partner", "--prove")
    assert code == 0
    assert [hop["proof"]["agrees"] for hop in told["hops"]] == [True, True]
