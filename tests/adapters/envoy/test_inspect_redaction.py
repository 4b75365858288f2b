"""No credential survives, wherever it is, and nothing else changes."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwtui.adapters.envoy.redaction import REDACTED, is_credential_name, redact

HIDDEN = "pLaNtEd-5ecret"
Pair = tuple[Any, Any]
"""A structure, and what must be left of it."""

FIELDS = [
    "@type", "name_of", "virtual_hosts", "routes", "match", "route", "cluster", "typed_config", "token_bucket",
    "max_tokens", "tokens_per_fill", "filter_chains", "common_tls_context", "secret", "tls_certificate", "keys", "key",
    "name", "value", "header", "headers", "prefix", "inline_string", "filename", "stat_prefix", "forward_bearer_token",
    "tls_certificate_sds_secret_configs", "credential", "token_endpoint", "authorization_request", "users", "input",
]  # fmt: skip
TEXTS = st.text(max_size=8).filter(lambda text: not is_credential_name(text))
MESSAGES = {"secret", "credential", "users", "forward_bearer_token"}
"""Keys that may hold a message or a claim; their texts are credentials."""


def is_harmless(key: str) -> bool:
    squeezed = "".join(char for char in key.lower() if char.isalnum())
    words = (
        "secret",
        "token",
        "password",
        "key",
        "cred",
        "auth",
        "cookie",
        "users",
        "passwd",
        "jwks",
        "passphrase",
        "map",
    )
    return not any(word in squeezed for word in words)


KEYS = st.sampled_from(FIELDS) | st.text(max_size=6).filter(is_harmless)
LEAVES = (st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False)).map(lambda leaf: (leaf, leaf))
WORDS = TEXTS.map(lambda text: (text, text))

HEADER_NAMES = st.sampled_from(
    [
        "authorization", "Authorization", "proxy-authorization", "cookie", "Set-Cookie", "x-api-key", "API-Key",
        "x-auth-token", "X-Vault-Token", "my-secret-header", "x-password", "x-amz-security-token",
    ]
)  # fmt: skip
SECRET_KEYS = st.sampled_from(
    [
        "private_key", "password", "passwords", "session_ticket_keys", "generic_secret", "client_secret",
        "clientSecret", "hmac_secret", "api_key", "apiKey", "API-KEY", "credentials", "auth_password", "json_key",
        "secret_access_key", "session_token", "inline_credential", "signing_key",
    ]
)  # fmt: skip
TEXT_KEYS = st.sampled_from(
    [
        "token", "access_token", "refreshToken", "bearer-token", "secret", "app_secret", "db_password", "authorization",
        "cookie", "x-api-key", "users", "credential",
    ]
)  # fmt: skip
MATCH_KINDS = st.sampled_from(["exact_match", "prefix_match", "suffix_match", "contains_match"])
STRING_MATCHES = st.sampled_from(["exact", "prefix", "suffix", "contains"])


@st.composite
def planted(draw: st.DrawFn) -> Pair:
    """One of the places a credential may be in, and what must be left of it."""
    header, secret_key, text_key = draw(HEADER_NAMES), draw(SECRET_KEYS), draw(TEXT_KEYS)
    source = draw(st.sampled_from(["inline_string", "inline_bytes"]))
    value = draw(st.sampled_from(["value", "raw_value"]))
    kind, string = draw(MATCH_KINDS), draw(STRING_MATCHES)
    reference = {"name": "delivered apart", "sds_config": {"ads": {}}}
    read = {"name": "i", "typed_config": {"@type": "x", "header_name": header}}
    return draw(
        st.sampled_from(
            [
                ({secret_key: HIDDEN}, {secret_key: REDACTED}),
                ({secret_key: {source: HIDDEN, "filename": "/a"}}, {secret_key: {source: REDACTED, "filename": "/a"}}),
                ({secret_key: [HIDDEN, {"k": HIDDEN}]}, {secret_key: [REDACTED, {"k": REDACTED}]}),
                (
                    {secret_key: {"deep": {"er": [HIDDEN]}, "hmac": reference, "on": True}},
                    {secret_key: {"deep": {"er": [REDACTED]}, "hmac": reference, "on": True}},
                ),
                ({text_key: HIDDEN}, {text_key: REDACTED}),
                ({text_key: [HIDDEN]}, {text_key: [REDACTED]}),
                ({text_key: {source: HIDDEN, "max": 1}}, {text_key: {source: REDACTED, "max": 1}}),
                ({"header": {"key": header, value: HIDDEN}}, {"header": {"key": header, value: REDACTED}}),
                ({"name": header, kind: HIDDEN}, {"name": header, kind: REDACTED}),
                (
                    {"name": header, "string_match": {string: HIDDEN, "ignore_case": True}, "invert_match": True},
                    {"name": header, "string_match": {string: REDACTED, "ignore_case": True}, "invert_match": True},
                ),
                (
                    {"name": header, "string_match": {"safe_regex": {"regex": HIDDEN}}},
                    {"name": header, "string_match": {"safe_regex": {"regex": REDACTED}}},
                ),
                ({"input": read, "value_match": {string: HIDDEN}}, {"input": read, "value_match": {string: REDACTED}}),
                (
                    {"input": read, "exact_match_map": {"map": {HIDDEN: {"action": 1}}}},
                    {"input": read, "exact_match_map": {"map": {f"{REDACTED} 1": {"action": 1}}}},
                ),
                (
                    {"local_jwks": {"inline_string": json.dumps({"keys": [{"kty": "oct", "k": HIDDEN}]})}},
                    {"local_jwks": {"inline_string": REDACTED}},
                ),
            ]
        )
    )


def within(inner: st.SearchStrategy[Pair]) -> st.SearchStrategy[Pair]:
    def in_list(pairs: list[Pair]) -> Pair:
        return [before for before, _ in pairs], [after for _, after in pairs]

    def in_object(pairs: dict[str, Pair]) -> Pair:
        kept = {key: pair for key, pair in pairs.items() if not (key in MESSAGES and isinstance(pair[0], (str, list)))}
        if any(
            isinstance(before, dict) and "inline_string" in before
            for key, (before, _) in kept.items()
            if key in MESSAGES
        ):
            kept = {key: pair for key, pair in kept.items() if key not in MESSAGES}
        return {key: before for key, (before, _) in kept.items()}, {key: after for key, (_, after) in kept.items()}

    return st.lists(inner, max_size=4).map(in_list) | st.dictionaries(KEYS, inner, max_size=5).map(in_object)


STRUCTURES = st.recursive(LEAVES | WORDS | planted(), within, max_leaves=25)


@given(STRUCTURES)
def test_no_planted_credential_survives_and_everything_else_is_unchanged(pair: Pair):
    before, after = pair
    untouched = copy.deepcopy(before)
    seen = redact(before)
    assert HIDDEN not in json.dumps(seen)
    assert seen == after
    assert before == untouched


@given(STRUCTURES)
def test_redacting_twice_changes_nothing_more(pair: Pair):
    once = redact(pair[0])
    again = redact(once)
    assert again == once


@given(STRUCTURES, st.lists(st.sampled_from(["typed_config", "route", "secret", "a-b"]), max_size=30), planted())
def test_depth_does_not_matter(pair: Pair, path: list[str], inner: Pair):
    before, after = [pair[0], inner[0]], [pair[1], inner[1]]
    for key in path:
        before, after = [{key: {"deep": before}}], [{key: {"deep": after}}]
    assert redact(before) == after


PUBLIC = json.dumps({"keys": [{"kty": "RSA", "n": "abc", "e": "AQAB"}, {"kty": "EC", "x": "1", "y": "2"}]})


@pytest.mark.parametrize(
    ("inline", "left"),
    [
        (PUBLIC, PUBLIC),
        (json.dumps({"keys": [{"kty": "RSA", "n": "a", "d": "x"}]}), REDACTED),
        (json.dumps({"keys": [{"kty": "oct", "k": "x"}]}), REDACTED),
        (json.dumps({"keys": "x"}), REDACTED),
        (json.dumps(["x"]), REDACTED),
        (json.dumps({"kty": "oct", "k": "x"}), REDACTED),
        ("no JSON", REDACTED),
        ("[" * 100_000, REDACTED),
        (7, REDACTED),
    ],
)
def test_key_sets_are_shown_when_all_of_their_keys_are_public(inline: Any, left: Any):
    assert redact({"local_jwks": {"inline_string": inline}}) == {"local_jwks": {"inline_string": left}}
    assert redact({"local_jwks": {"inline_bytes": inline}}) == {"local_jwks": {"inline_bytes": REDACTED}}
    assert redact({"local_jwks": {"filename": "/jwks"}}) == {"local_jwks": {"filename": "/jwks"}}


def test_the_place_of_a_secret_is_told_unless_there_is_more_to_it():
    reference = {"name": "oauth", "sds_config": {"path_config_source": {"path": "/a"}}}
    assert redact({"client_secret": reference}) == {"client_secret": reference}
    assert redact({"client_secret": {**reference, "value": "x"}})["client_secret"]["value"] == REDACTED
    initial = {"initial_metadata": [{"key": "authorization", "value": "x"}]}
    seen = redact({"client_secret": {"name": "a", "sds_config": {"api_config_source": initial}}})
    assert seen["client_secret"]["sds_config"]["api_config_source"]["initial_metadata"][0]["value"] == REDACTED


@pytest.mark.parametrize("name", ["x-token", "AUTHORIZATION", "x-my-cookie", "x_api_key", "db-password", "apikey"])
def test_names_of_credentials(name: str):
    assert is_credential_name(name)


@pytest.mark.parametrize("name", ["", "host", ":path", "x-request-id", "accept", "x-key-id", "content-type"])
def test_other_names(name: str):
    assert not is_credential_name(name)
