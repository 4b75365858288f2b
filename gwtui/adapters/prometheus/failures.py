"""What a refusal of a Prometheus API and a broken connection mean to an operator: one line, and what to try."""

from __future__ import annotations

import re
from http import HTTPStatus

import msgspec
import requests

from gwtui.adapters.prometheus.decode import TooMuch, printable
from gwtui.errors import BadPayload, Denied, NotServed, SourceError, Unreachable

_SIGN_IN = "does it need a sign-in? set token_file, or name the API's own address as url"


class _ErrorBody(msgspec.Struct):
    """*Source:* Prometheus HTTP API: `{"status":"error","errorType":…,"error":…}`."""

    error: str
    error_type: str = msgspec.field(default="", name="errorType")


def refusal(where: str, status: int, body: bytes, *, location: str = "") -> SourceError:
    """Return the error that an answer of another status than 200 means.

    Args:
        where: The server as it may be shown.
        status: HTTP status.
        body: The error as JSON, or anything else.
        location: Where a redirect leads.
    """
    said = _said(status, body)
    if status in {401, 403}:
        return Denied(
            f"{where} refuses our questions ({status})", "set token_file, or user and password in url", status=status
        )
    if 300 <= status < 400:
        # A redirect is not followed: it would carry the token to wherever the answer says.
        to = re.sub(r"//[^/@]*@", "//", location.partition("?")[0])
        return BadPayload(f"{where} redirects to {printable(to) or 'nowhere'} ({status})", _SIGN_IN)
    if status == 404:
        return NotServed(
            f"{where} has no Prometheus API (404)", "check the path in url: Mimir serves it under /prometheus"
        )
    if status in {400, 422}:
        return TooMuch(f"{where} cannot answer: {said} ({status})", _hint_for(said))
    if status in {429, 503, 504}:
        return Unreachable(f"{where} is busy: {said} ({status})", "we ask again later; narrow `match` if it stays so")
    return Unreachable(f"{where} failed: {said} ({status})", "see its logs; is url the API's own address?")


def _said(status: int, body: bytes) -> str:
    try:
        return printable(msgspec.json.decode(body, type=_ErrorBody).error)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "unknown status"


def _hint_for(said: str) -> str:
    if "too many" in said or "limit" in said or "max" in said:
        return "raise the server's query limits (--query.max-samples), or narrow `match`"
    return "check `match` of the [[prometheus]] table, and that url is a Prometheus-compatible API"


def breakdown(where: str, error: Exception) -> SourceError:
    """Return the error that a failed connection or an unusable answer means. Chain it with `from None`.

    The library's own texts may hold the URL, and with it a password: they are never passed on.
    """
    if isinstance(error, requests.exceptions.ChunkedEncodingError | requests.exceptions.ContentDecodingError):
        return BadPayload(f"{where}: the answer was cut off or damaged", "the connection broke; we ask again")
    said, hint = _what_broke(error)
    return Unreachable(f"{where}: {said}", hint)


def _what_broke(error: Exception) -> tuple[str, str]:
    match error:
        case requests.exceptions.SSLError():
            broke = f"its certificate or TLS is not accepted{_tls(error)}", "set ca_file, or check the scheme of url"
        case requests.exceptions.ProxyError():
            broke = "the HTTP proxy on the way failed", "check HTTPS_PROXY and NO_PROXY"
        case requests.exceptions.Timeout():
            broke = "no answer in time", "is it overloaded, or the way to it slow?"
        case requests.exceptions.ConnectionError():
            broke = _connection(error), "is it up, and is the VPN connected? check url"
        case requests.exceptions.InvalidHeader() | UnicodeEncodeError():
            broke = "the token cannot be sent", "token_file must hold one line, the token"
        case OSError() if "CA certificate" in str(error):
            broke = "ca_file cannot be read", "name a PEM file with the server's authority"
        case _:
            broke = type(error).__name__, "check url of the [[prometheus]] table"
    return broke


def _tls(error: BaseException) -> str:
    known = r"(certificate verify failed: [^(]+|wrong version number|hostname mismatch)"
    found = re.search(known, str(error), re.IGNORECASE)
    return f": {printable(found.group(1))}" if found else ""


def _connection(error: BaseException) -> str:
    text = str(error)
    if "NameResolution" in text or "getaddrinfo" in text:
        return "its name cannot be resolved"
    if found := re.search(r"\[Errno \d+\] ([A-Za-z ]+)", text):
        return found.group(1).strip().lower()
    return "the connection broke"
