"""A request in the words an operator types it: a URL with headers, or a command line of curl."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from urllib.parse import SplitResult, urlsplit

from gwtui.errors import UsageError

GRPC_METHOD = "POST"
"""Method of every gRPC call."""

_HINT = "try: GET https://HOST/PATH -H 'NAME: VALUE', or paste a curl command"
_SCHEMES = {"http": 80, "https": 443, "ws": 80, "wss": 443, "grpc": 80, "grpcs": 443, "tls": 443, "tcp": 0}
_LONGEST = 64_000
_GOES_ON = re.compile(r"\\[ \t]*(?:\r\n|\r|\n)")
"""A backslash at the end of a line."""
_QUOTED_ANEW = re.compile(r"(^|\s)\$(?=')")
"""`$'…'`, as browsers quote what holds a `!`: read as a plain quote."""
_HOST = re.compile(r"[\w.:-]+", re.ASCII)

_TAKING_A_VALUE = frozenset(
    {
        "-c", "--cookie-jar", "-C", "--continue-at", "-D", "--dump-header", "-E", "--cert", "-K",
        "--config", "-m", "--max-time", "-o", "--output", "-P", "--ftp-port", "-Q", "--quote", "-r", "--range", "-t",
        "--telnet-option", "-U", "--proxy-user", "-w", "--write-out", "-x", "--proxy", "-y", "--speed-time", "-Y",
        "--speed-limit", "-z", "--time-cond", "--abstract-unix-socket", "--alt-svc", "--aws-sigv4", "--cacert",
        "--capath", "--cert-type", "--ciphers", "--connect-timeout", "--connect-to", "--create-file-mode", "--crlfile",
        "--curves", "--dns-interface", "--dns-servers", "--doh-url", "--ech", "--engine", "--expect100-timeout",
        "--happy-eyeballs-timeout-ms", "--hsts", "--interface", "--keepalive-time", "--key",
        "--key-type", "--limit-rate", "--local-port", "--max-filesize", "--max-redirs", "--netrc-file", "--noproxy",
        "--output-dir", "--parallel-max", "--pass", "--pinnedpubkey", "--preproxy", "--proto",
        "--proto-default", "--proto-redir", "--proxy-cacert", "--proxy-cert", "--proxy-header", "--proxy-key",
        "--rate", "--request-target", "--resolve", "--retry", "--retry-delay", "--retry-max-time", "--socks4",
        "--socks4a", "--socks5", "--socks5-hostname", "--stderr", "--tls-max", "--tls13-ciphers",
        "--trace", "--trace-ascii", "--unix-socket", "--variable",
    }
)  # fmt: skip
"""Options of curl with a value that changes nothing of what a route looks at.

*Source:* the manual of curl 8; an option that is not known here is taken to have no value.
"""

_ALONE_SHORT = frozenset("#0123469:BGIJLMNORSVZafgijklnpqsv")
"""Letters of curl's options without a value, which may stand together: `-skv`."""

_SHORT = {
    "-X": "--request", "-H": "--header", "-A": "--user-agent", "-e": "--referer", "-b": "--cookie", "-u": "--user",
    "-F": "--form", "-T": "--upload-file", "-I": "--head", "-G": "--get", "-d": "--data",
}  # fmt: skip
_DATA = frozenset(
    {"--data", "--data-ascii", "--data-binary", "--data-raw", "--data-urlencode", "--json", "--form", "--form-string"}
)
_FLAGS = frozenset({"--head", "--get", "--upload-file"})
_READ = frozenset({*_SHORT.values(), *_DATA, "--oauth2-bearer", "--url", "--url-query"}) - {"--head", "--get"}
"""Options with a value that is read."""


MASK = "…"
"""In place of a credential."""
_CREDENTIALS = ("authorization", "cookie", "api-key", "apikey", "api_key", "token", "secret", "password")
"""Parts of names of headers and query parameters that carry credentials."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request of a client, as far as routes look at it."""

    method: str
    """Upper case."""
    scheme: str
    """`http` or `https`; `tls` and `tcp` for a connection that is passed through."""
    host: str
    """Lower case, without a port: what the `Host` header says where one is given, else what the URL says."""
    port: int | None
    """None where the URL names none: that of the scheme."""
    path: str
    """Raw, without the query; `/` at least."""
    query: tuple[tuple[str, str], ...] = ()
    """In order and as they are sent, escapes and all: so a proxy compares them."""
    headers: tuple[tuple[str, str], ...] = ()
    """In order, names in lower case; `host` is not among them."""
    server_name: str = ""
    """Host of the URL where the `Host` header is another: the name the TLS handshake asks for."""

    @property
    def is_encrypted(self) -> bool:
        """Whether it comes within TLS."""
        return self.scheme in {"https", "tls"}

    @property
    def wanted_port(self) -> int | None:
        """The port it is sent to; None where nothing says so."""
        return self.port if self.port is not None else _SCHEMES.get(self.scheme) or None

    @property
    def sni(self) -> str:
        """The name the TLS handshake asks for."""
        return self.server_name or self.host

    def header(self, name: str) -> str | None:
        """The value of a header, that of several joined by commas; None without it. *Source:* RFC 9110 5.2."""
        found = self.values(name)
        return ",".join(found) if found else None

    def values(self, name: str) -> tuple[str, ...]:
        """The values of a header, in order."""
        wanted = name.lower()
        if wanted == "host":
            return (self.host if self.port is None else f"{self.host}:{self.port}",)
        return tuple(value for each, value in self.headers if each == wanted)

    def parameter(self, name: str) -> str | None:
        """The first value of a query parameter; None without it."""
        return next((value for each, value in self.query if each == name), None)


def request_of(text: str) -> Request:
    """Return the request a line of text stands for: `[METHOD] URL -H…`, or a command line of curl.

    Raises:
        UsageError: the line cannot be read; the message says why, the hint what to type.
    """
    return request_of_words(words_in(text))


def words_in(text: str) -> list[str]:
    """Return a line as a shell splits it; it may go on after a backslash, as what browsers copy does.

    Raises:
        UsageError: a quote is not closed, or it is too long.
    """
    if len(text) > _LONGEST:
        raise UsageError("this is too long for one request", hint=_HINT)
    try:
        return shlex.split(_QUOTED_ANEW.sub(r"\1", _GOES_ON.sub(" ", text)).strip().removeprefix("$ "))
    except ValueError as error:
        message = "a quote is not closed" if "quotation" in str(error) else "a backslash stands at the end"
        raise UsageError(message, hint=_HINT) from error


def request_of_words(words: Sequence[str]) -> Request:
    """Return the request some words stand for, as a shell has split them.

    Raises:
        UsageError: they cannot be read.
    """
    if words and words[0].rsplit("/", 1)[-1] in {"curl", "curl.exe"}:
        return _of_curl(words[1:])
    method, rest = "", list(words)
    is_alone = len(rest) < 2 or rest[1].startswith("-")
    if rest and rest[0].isalpha() and (rest[0].isupper() or not is_alone):
        method = rest.pop(0).upper()
    return _read(_Line(method=method), rest)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """A command line while it is read."""

    method: str = ""
    url: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    added: tuple[str, ...] = ()
    """Parts of the query that are given apart from the URL."""
    body: str | None = None
    flags: frozenset[str] = frozenset()


def _of_curl(words: Sequence[str]) -> Request:
    return _read(_Line(), words)


def _read(line: _Line, words: Sequence[str]) -> Request:
    for name, value in _options(words):
        line = _with(line, name, value)
    if not line.url:
        raise UsageError("there is no URL", hint=_HINT)
    return _assembled(line, line.method or _method(line))


def _method(line: _Line) -> str:
    """The method where none is named. *Source:* the manual of curl."""
    if "--head" in line.flags:
        return "HEAD"
    if "--get" in line.flags or (line.body is None and "--upload-file" not in line.flags):
        return "GET"
    return "POST" if line.body is not None else "PUT"


def _options(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Options with their values, long names; what is no option is a `--url`. Those without effect are left out."""
    pending = list(reversed(words))
    are_over = False
    while pending:
        word = pending.pop()
        if are_over or word == "-" or not word.startswith("-"):
            yield "--url", word
        elif word == "--":
            are_over = True
        elif word.startswith("--"):
            name, has_value, value = word.partition("=")
            yield from _option(name, [value] if has_value else pending)
        else:
            yield from _letters(word, pending)


def _letters(word: str, pending: list[str]) -> Iterator[tuple[str, str]]:
    """Short options in one word: `-skXPOST`, `-sH 'a: b'`."""
    rest = word[1:]
    while rest:
        name, rest = f"-{rest[0]}", rest[1:]
        if name[1] in _ALONE_SHORT:
            yield from _option(name, pending)
            continue
        yield from _option(name, [rest] if rest else pending)
        return


def _option(name: str, values: list[str]) -> Iterator[tuple[str, str]]:
    """One option, which takes its value from the end of `values` when it has one."""
    full = _SHORT.get(name, name)
    if full in _READ:
        yield full, _value(name, values)
    elif full in _FLAGS:
        yield full, ""
    elif full in _TAKING_A_VALUE:
        _value(name, values)


def _value(name: str, values: list[str]) -> str:
    if not values:
        raise UsageError(f"{name} needs a value", hint=_HINT)
    return values.pop()


def _with(line: _Line, name: str, value: str) -> _Line:
    """The line with one more option."""
    if name in _FLAGS:
        return replace(line, flags=line.flags | {name})
    match name:
        case "--url":
            if line.url:
                raise UsageError(f"there are two URLs, {line.url!r} and {value!r}", hint=f"ask for one, {_HINT}")
            return replace(line, url=value)
        case "--request":
            return replace(line, method=value.upper())
        case "--url-query":
            return replace(line, added=(*line.added, value))
        case _ if name in _DATA:
            joined = value if line.body is None else f"{line.body}&{value}"
            return replace(line, body=joined, headers=(*line.headers, *_headers_of(name, value)))
        case _:
            return replace(line, headers=(*line.headers, *_headers_of(name, value)))


def _headers_of(name: str, value: str) -> Iterator[tuple[str, str]]:
    """The headers an option stands for."""
    match name:
        case "--header":
            yield from _header(value)
        case "--user-agent" | "--referer" | "--cookie":
            yield name.removeprefix("--"), value
        case "--user" | "--oauth2-bearer":
            # What it says is nobody's business; that it is there may decide.
            yield "authorization", f"Basic {MASK}" if name == "--user" else f"Bearer {MASK}"
        case "--json":
            yield from (("content-type", "application/json"), ("accept", "application/json"))
        case _:
            pass


def _header(text: str) -> Iterator[tuple[str, str]]:
    """A header as curl takes it; `name:` leaves one out, `name;` sends it empty."""
    name, has_colon, value = text.partition(":")
    if not has_colon and text.endswith(";"):
        yield text[:-1].strip().lower(), ""
    elif not has_colon or not name.strip():
        raise UsageError(f"-H {text!r} is no header", hint="write it as -H 'name: value'")
    elif value.strip():
        yield name.strip().lower(), value.strip()


def _assembled(line: _Line, method: str) -> Request:
    strange = next((each for pair in (*line.headers, (line.url, "")) for each in pair if not each.isprintable()), None)
    if strange is not None:
        raise UsageError(f"{strange!r} holds a control character", hint=_HINT)
    url = _url(line.url)
    called, port = _host(url, line.url)
    host = called
    named = [value for name, value in line.headers if name in {"host", ":authority"}]
    if named:
        # The listener is the one that is called; the routes look at what the header says.
        host = _without_port(named[-1]).strip("[]")
    if not method.isalpha():
        raise UsageError(f"{method!r} is no method", hint=_HINT)
    data = (line.body,) if "--get" in line.flags and line.body else ()
    query = "&".join((*filter(None, (url.query,)), *line.added, *data))
    scheme = {"ws": "http", "wss": "https", "grpc": "http", "grpcs": "https"}.get(url.scheme, url.scheme)
    return Request(
        method=GRPC_METHOD if url.scheme in {"grpc", "grpcs"} and method == "GET" else method,
        scheme=scheme,
        host=host.lower().rstrip("."),
        port=port,
        path=url.path or "/",
        query=query_of(query),
        headers=tuple(_kept(line.headers)),
        server_name=called.lower() if called.lower() != host.lower().rstrip(".") else "",
    )


def _without_port(host: str) -> str:
    name, _, port = host.rpartition(":")
    return name if port.isdigit() and (":" not in name or name.endswith("]")) else host


def _kept(headers: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Headers that are sent as such: the host is a field of the request."""
    return ((name, value) for name, value in headers if name not in {"host", ":authority"})


def _url(text: str) -> SplitResult:
    try:
        url = urlsplit(text if "://" in text else f"http://{text}")
    except ValueError as error:
        raise UsageError(f"{text!r} is no URL", hint=_HINT) from error
    if url.scheme not in _SCHEMES:
        known = "http and https (ws, grpc, tls and tcp are understood as well)"
        raise UsageError(f"{url.scheme}:// is not what gateways route", hint=f"use {known}")
    if " " in url.path:
        raise UsageError("the path holds a blank", hint="write it as %20")
    return url


def _host(url: SplitResult, text: str) -> tuple[str, int | None]:
    try:
        host, port = url.hostname or "", url.port
    except ValueError as error:
        raise UsageError(f"the port of {text!r} is no number up to 65535", hint=_HINT) from error
    if not host or not _HOST.fullmatch(host):
        raise UsageError(f"{text!r} names no host", hint=_HINT)
    return host, port


def query_of(text: str) -> tuple[tuple[str, str], ...]:
    """Return the parameters of a query, as they are sent."""
    parts = (each.partition("=") for each in text.split("&") if each)
    return tuple((name, value) for name, _, value in parts)


def line_of(request: Request) -> str:
    """Return the line that stands for a request: `GET https://shop.example.com/cart -H 'x-canary: 1'`."""
    port = f":{request.port}" if request.port is not None else ""
    called = _bracketed(request.server_name or request.host)
    headers = (("host", _bracketed(request.host)), *request.headers) if request.server_name else request.headers
    query = "&".join(f"{name}={value}" if value else name for name, value in request.query)
    url = f"{request.scheme}://{called}{port}{request.path}{'?' if query else ''}{query}"
    parts = [request.method, shlex.quote(url) if any(letter in url for letter in " '&;?*[]{}()$") else url]
    parts += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in headers]
    return " ".join(parts)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def masked(request: Request) -> Request:
    """Return a request as it may be shown to others: without what its headers and query tell of credentials."""
    return replace(
        request,
        headers=tuple((name, MASK if _is_credential(name) else value) for name, value in request.headers),
        query=tuple((name, MASK if value and _is_credential(name) else value) for name, value in request.query),
    )


def _is_credential(name: str) -> bool:
    plain = name.lower()
    return any(word in plain for word in _CREDENTIALS)
