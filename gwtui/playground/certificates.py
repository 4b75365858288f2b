"""Certificates whose dates are relative to now, so that one can be expired whenever a scenario starts."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from gwtui.playground.world import Json

if TYPE_CHECKING:
    from trustme import CA


class Certificate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A Secret of type `kubernetes.io/tls` that is made at the start."""

    namespace: str
    secret: str
    hosts: tuple[str, ...]
    valid_from_days: float
    """Days from now at which it becomes valid; negative lies in the past."""
    valid_to_days: float
    """Days from now at which it expires; negative lies in the past."""


def secrets(certificates: Sequence[Certificate], now: datetime) -> list[Json]:
    """Return the Secrets, signed by an authority that is made here and thrown away."""
    if not certificates:
        return []
    from trustme import CA  # noqa: PLC0415 - slow to import, and most scenarios have no certificate

    authority = CA()
    return [_secret(each, authority, now) for each in certificates]


def _secret(wanted: Certificate, authority: CA, now: datetime) -> Json:
    issued = authority.issue_cert(
        *wanted.hosts,
        not_before=now + timedelta(days=wanted.valid_from_days),
        not_after=now + timedelta(days=wanted.valid_to_days),
    )
    chain = b"".join(blob.bytes() for blob in issued.cert_chain_pems)
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": wanted.secret, "namespace": wanted.namespace},
        "type": "kubernetes.io/tls",
        "data": {
            "tls.crt": base64.b64encode(chain).decode(),
            "tls.key": base64.b64encode(issued.private_key_pem.bytes()).decode(),
        },
    }
