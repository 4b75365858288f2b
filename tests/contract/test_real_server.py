"""That the cases ran against a real server too: passes or says in one line that they did not."""

from __future__ import annotations

import os

import pytest

from api_client import connect


async def test_the_cases_run_against_a_real_kube_apiserver(server) -> None:
    if "GWTUI_CONTRACT_KUBECONFIG" not in os.environ:
        pytest.skip("no real kube-apiserver: the contract was held against the embedded API alone (docs/testing.md)")
    client = connect(server.kubeconfig, server.admin)
    async with client.session:
        is_emulated = "playground" in (await client.get("/version"))["gitVersion"]
    assert is_emulated is (server.name == "embedded")
