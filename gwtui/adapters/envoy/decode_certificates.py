"""Bytes of Envoy's `/certs` into the model."""

from __future__ import annotations

import msgspec

from gwtui.adapters.envoy.admin_json import Moment, reading, utc
from gwtui.model.inspection import Certificate


class _AlternativeName(msgspec.Struct, gc=False):
    """One of these is set."""

    dns: str = ""
    uri: str = ""
    ip_address: str = ""


class _Details(msgspec.Struct):
    path: str = ""
    serial_number: str = ""
    subject_alt_names: list[_AlternativeName] = []
    valid_from: Moment | None = None
    expiration_time: Moment | None = None


class _Pair(msgspec.Struct):
    ca_cert: list[_Details] = []
    cert_chain: list[_Details] = []


class _Certificates(msgspec.Struct):
    certificates: list[_Pair] = []


_DECODER = msgspec.json.Decoder(_Certificates)


def decode_certificates(body: bytes) -> tuple[Certificate, ...]:
    """Return the certificates a proxy holds: own ones first, by path, then those of authorities; each once.

    *Source:* `/certs` `certificates[]`, one for each TLS context, so that the same certificate is listed by every
    listener and cluster that uses it. `days_until_expiration` is a string of whole days; `expiration_time` is exact.

    Raises:
        BadPayload: not this page.
    """
    with reading("/certs", body):
        pairs = _DECODER.decode(body).certificates
        found = {_certificate(each, is_authority=False): None for pair in pairs for each in pair.cert_chain}
        found |= {_certificate(each, is_authority=True): None for pair in pairs for each in pair.ca_cert}
    return tuple(sorted(found, key=lambda each: (each.is_authority, each.path, each.serial)))


def _certificate(details: _Details, *, is_authority: bool) -> Certificate:
    return Certificate(
        path=details.path,
        serial=details.serial_number,
        names=tuple(name for each in details.subject_alt_names if (name := each.dns or each.uri or each.ip_address)),
        valid_from=utc(details.valid_from),
        expires_at=utc(details.expiration_time),
        is_authority=is_authority,
    )
