"""Credentials out of a proxy's configuration, before anybody sees it.

Envoy redacts what its API marks as sensitive (private keys, passwords, generic secrets) and nothing else: headers it
adds, matches of headers, and what extensions keep in their own fields are shown in clear. Here the rule is by name and
place, on both what Envoy marks and what it does not:

- a key that names a credential (`private_key`, `client_secret`, `credentials`, …): everything below it, but for names
  of files and variables and for references to a secret that is delivered apart;
- a key that may name one (`token`, `secret`, `users`, anything that ends in `_token`, …): a text, and inline data;
- a header (`key` and `value`) and a match of a header or query parameter (`name` and what it is compared with) whose
  name is that of a credential; also in the form of matcher trees, where the compared values are keys;
- a key set (`local_jwks`) that holds private or symmetric keys.

Keys are compared without regard to `camelCase`, `kebab-case` and case. Booleans stay: they are no credentials.
"""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Any

import msgspec

REDACTED = "[redacted]"

_SECRET_KEYS = frozenset(
    {
        "access_key", "api_key", "api_keys", "auth_password", "client_secret", "credentials", "encryption_key",
        "generic_secret", "hmac_key", "hmac_secret", "inline_credential", "json_key", "password", "passwords",
        "private_key", "secret_access_key", "secret_key", "session_ticket_keys", "session_token", "shared_secret",
        "signing_key",
    }
)  # fmt: skip
"""Keys below which everything is a credential."""

_DOUBTFUL_KEYS = frozenset(
    {
        "apikey", "authorization", "cookie", "credential", "passwd", "proxy_authorization", "secret", "secrets",
        "set_cookie", "token", "tokens", "users", "x_api_key",
    }
)  # fmt: skip
"""Keys that hold a credential or a message of that name, such as `secret` of a configuration dump."""
_DOUBTFUL_ENDINGS = ("_token", "_secret", "_password", "_api_key", "_private_key", "_passphrase")

_HEADER_WORDS = ("authorization", "cookie", "api-key", "apikey", "api_key", "token", "secret", "password")
"""Parts of names of headers and query parameters that carry credentials."""

_HEADER_VALUES = frozenset({"value", "raw_value"})
_MATCHES = frozenset(
    {
        "contains_match", "exact_match", "prefix_match", "range_match", "regex_match", "safe_regex_match",
        "string_match", "suffix_match", "value",
    }
)  # fmt: skip
_MATCH_MAPS = frozenset({"exact_match_map", "prefix_match_map"})
_DATA = frozenset({"inline_string", "inline_bytes"})
_PLACES = frozenset({"@type", "environment_variable", "filename", "watched_directory"})
_REFERENCE = frozenset({"@type", "name", "sds_config"})
"""Members of `SdsSecretConfig`, which names a secret that is delivered apart."""

_PRIVATE_PARTS = frozenset({"k", "d", "p", "q", "dp", "dq", "qi", "oth"})
"""Members of a JSON Web Key that are secret (RFC 7518 §6.2.2, §6.3.2, §6.4.1)."""


class _KeySet(msgspec.Struct):
    keys: list[dict[str, Any]]


_KEY_SET = msgspec.json.Decoder(_KeySet)

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def redact(body: Any) -> Any:
    """Return a copy of decoded JSON in which no credential is left; each is `[redacted]`.

    Args:
        body: objects with text keys, lists, texts, numbers, booleans and None. It is not changed.

    Raises:
        RecursionError: it is nested deeper than Python goes.
    """
    if isinstance(body, list):
        return [redact(each) for each in body]
    if not isinstance(body, dict):
        return body
    hidden: Container[str] = ()
    if _is_named(body.get("key")):  # envoy.config.core.v3.HeaderValue
        hidden = _HEADER_VALUES
    elif _is_named(body.get("name")):  # envoy.config.route.v3.HeaderMatcher, QueryParameterMatcher
        hidden = _MATCHES
    elif _reads_credential(body.get("input")):  # xds.type.matcher.v3.Matcher
        return {key: _hide_compared(key, value) for key, value in body.items()}
    return {key: _hide(value) if key in hidden else _member(key, value) for key, value in body.items()}


def is_credential_name(name: str) -> bool:
    """Whether a header or query parameter of this name carries a credential."""
    lower = name.lower()
    return any(word in lower for word in _HEADER_WORDS)


def _is_named(name: Any) -> bool:
    return isinstance(name, str) and is_credential_name(name)


def _reads_credential(read: Any) -> bool:
    """Whether the input of a matcher is a header or query parameter that carries a credential."""
    config = read.get("typed_config") if isinstance(read, dict) else None
    return isinstance(config, dict) and any(_is_named(config.get(key)) for key in ("header_name", "query_param"))


def _member(key: str, value: Any) -> Any:
    plain = _HUMP.sub("_", key).replace("-", "_").lower()
    if plain in _SECRET_KEYS:
        return _hide(value)
    if plain in _DOUBTFUL_KEYS or plain.endswith(_DOUBTFUL_ENDINGS):
        return _hide_doubtful(value)
    if plain == "local_jwks" and isinstance(value, dict):
        return {name: REDACTED if _is_private(name, each) else redact(each) for name, each in value.items()}
    return redact(value)


def _hide(value: Any) -> Any:
    """Blank every leaf, but for what only says where a credential comes from."""
    if isinstance(value, list):
        return [_hide(each) for each in value]
    if isinstance(value, dict):
        if "sds_config" in value and value.keys() <= _REFERENCE:
            return redact(value)
        return {key: redact(each) if key in _PLACES else _hide(each) for key, each in value.items()}
    return value if value is None or isinstance(value, bool) else REDACTED


def _hide_doubtful(value: Any) -> Any:
    """Blank texts and inline data; a message of that name is read like any other."""
    if isinstance(value, str):
        return REDACTED
    if isinstance(value, list):
        return [_hide_doubtful(each) for each in value]
    if isinstance(value, dict):
        return {key: _hide(each) if key in _DATA else each for key, each in redact(value).items()}
    return value


def _hide_compared(key: str, value: Any) -> Any:
    """Blank what the input of a matcher is compared with; in maps those are the keys."""
    if key == "value_match":
        return _hide(value)
    if key in _MATCH_MAPS and isinstance(value, dict) and isinstance(value.get("map"), dict):
        hidden = {f"{REDACTED} {number}": redact(each) for number, each in enumerate(value["map"].values(), 1)}
        return {**redact(value), "map": hidden}
    return _member(key, value)


def _is_private(name: str, value: Any) -> bool:
    """Whether inline data of a key set holds a key that must not be known; when in doubt it does."""
    if name not in _DATA:
        return False
    try:
        keys = _KEY_SET.decode(value if name == "inline_string" else b"").keys
    except (msgspec.MsgspecError, TypeError, ValueError, RecursionError):
        return True
    return any(key.keys() & _PRIVATE_PARTS for key in keys)
