"""Expressions are read as RE2 reads them, in bounded time, or not at all."""

from __future__ import annotations

import random

import pytest

from gwtui.explain.expressions import full_match, is_readable

TAKES = [
    ("a+b", "aab", True),
    ("a+b", "aabc", False),
    ("a", "ba", False),
    ("", "", True),
    ("", "a", False),
    ("a|", "", True),
    ("(a|b)*c", "ababc", True),
    ("/api/v[0-9]+/.*", "/api/v12/", True),
    ("/api/v[0-9]+/.*", "/api/v/", False),
    ("^/a$", "/a", True),
    ("/a^", "/a", False),
    ("^^/a$$", "/a", True),
    (".", "\n", False),
    ("(?s).", "\n", True),
    ("[^a]", "\n", True),
    ("a$", "a\n", False),
    ("(?m)a$\n^b", "a\nb", True),
    ("(?i)straße", "", None),
    ("(?i)aBc", "AbC", True),
    ("(?i:a)b", "AB", False),
    ("(?i:[b-d])", "C", True),
    ("(?i)[^b]", "B", False),
    ("a{2}", "aa", True),
    ("a{2,}", "a", False),
    ("a{2,3}", "aaaa", False),
    ("a{0}b", "b", True),
    ("a{,2}", "a{,2}", True),  # not a repetition in RE2, though it is one in Python
    ("a{,2}", "aa", False),
    ("x{a}", "x{a}", True),
    ("a*?b", "aab", True),
    ("[]a]+", "]a", True),
    ("[^]a]", "b", True),
    ("[a-]", "-", True),
    ("[--a]", ".", True),
    ("[\\d-z]", "-", True),
    ("[[:alpha:]_]+", "ab_", True),
    ("[[:^digit:]]", "5", False),
    ("\\w+\\W\\d\\D", "ab-5x", True),
    ("\\s", "\v", False),
    ("[[:space:]]", "\v", True),
    ("\\bab\\b", "ab", True),
    ("a\\Bb", "ab", True),
    ("a\\bb", "ab", False),
    ("\\Aab\\z", "ab", True),
    ("\\Qa.b\\E+", "a.bb", True),
    ("\\Qa.b", "a.b", True),
    ("\\x41\\x{62}\\.\\/\\_", "Ab./_", True),
    ("(?P<name>a)(?<other>b)", "ab", True),
    ("(a*)*b", "aab", True),
    ("(?:^)*a", "a", True),
]


@pytest.mark.parametrize(("pattern", "text", "expected"), TAKES)
def test_a_text_is_taken_or_not(pattern, text, expected):
    assert full_match(pattern, text) is expected


@pytest.mark.parametrize(
    "pattern",
    [
        "(", ")", "[", "a**", "*a", "a{2}{3}", "a{3,2}", "a{1001}", "(a{100}){100}", "[b-a]", "\\", "\\1", "\\Z",
        "\\pL", "\\C", "\\k", "(?=a)", "(?<!a)b", "(?P<n>a)(?P<n>b)", "(?x)a", "(?i-)a", "[[:nothing:]]", "é", "a*+",
        "(?P=n)", "(?i", "x(?", "[a", "a|*", "[\\pL]", "(" * 200 + ")" * 200,
        "((((a{9}){9}){9}){9}){9}", "a" * 5000,
    ],
)  # fmt: skip
def test_what_is_not_read_is_not_guessed(pattern):
    assert full_match(pattern, "a") is None
    assert not is_readable(pattern)


def test_texts_beyond_ascii_are_not_compared():
    assert full_match(".*", "é") is None
    assert is_readable(".*")


@pytest.mark.parametrize("pattern", ["(a*)*b", "(a|a)*b", "(a|aa)+$b", "(.*)*(.*)*(.*)*c", "(a?){500}a{400}"])
@pytest.mark.timeout(30)
def test_no_expression_takes_forever(pattern):
    assert full_match(pattern, "a" * 3000) in {False, None}


def test_it_agrees_with_re2_on_random_expressions():
    re2 = pytest.importorskip("re2", reason="google-re2 is not installed")
    options = re2.Options()
    options.log_errors = False
    dice = random.Random(11)
    compared = refused = 0
    for _ in range(8000):
        pattern = _pattern(dice, 0)
        try:
            theirs = re2.compile(pattern, options)
        except re2.error:
            assert not is_readable(pattern), f"RE2 refuses {pattern!r}"
            refused += 1
            continue
        for _ in range(4):
            text = "".join(dice.choices("aabB/-0A_c.\n z]{}", k=dice.randint(0, 6)))
            ours = full_match(pattern, text)
            if ours is not None:
                assert ours is (theirs.fullmatch(text) is not None), (pattern, text)
                compared += 1
    assert compared > 6000
    assert refused > 500


ATOMS = [
    *"ab/-0._AB{}]\n", ".", "[ab]", "[^a]", "[a-c0]", "\\d", "\\w", "\\s", "\\D", "\\W", "\\S", "^", "$", "\\b", "\\B",
    "\\A", "\\z", "[[:alpha:]]", "[^[:digit:]]", "[\\w-]", "[-a]", "[]a]", "[a-]", "\\.", "\\x61", "(?i)", "(?-i)",
    "(?s)", "(?m)", "{2", "{,2}", "\\Qa.b\\E", "[\\d-z]", "[--a]", "[[:foo:]]", "\\1", "\\Z", "(?=a)", "(?P<n>a)",
    "[", "(", ")", "|", "*", "\\", "[b-a]", "(?U)", "\\pL", "\\C", "\\_",
]  # fmt: skip
TIMES = ["", "", "", "*", "+", "?", "*?", "{2}", "{0,2}", "{1,}", "{0}", "{2,1}", "**", "{1001}", "*+"]


def _pattern(dice: random.Random, depth: int) -> str:
    parts = []
    for _ in range(dice.randint(1, 4)):
        chance = dice.random()
        if chance < 0.25 and depth < 3:
            parts.append(f"{dice.choice(['(', '(?:', '(?i:'])}{_pattern(dice, depth + 1)}){dice.choice(TIMES)}")
        elif chance < 0.35 and depth < 3:
            parts.append(f"(?:{_pattern(dice, depth + 1)}|{_pattern(dice, depth + 1)}){dice.choice(TIMES)}")
        else:
            atoms = ATOMS if dice.random() < 0.6 else ATOMS[:12]
            parts.append(dice.choice(atoms) + (dice.choice(TIMES) if dice.random() < 0.5 else ""))
    return "".join(parts)
