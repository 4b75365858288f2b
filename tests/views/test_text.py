from __future__ import annotations

import math
from datetime import timedelta

import pytest

from gwtui.model.known import Known, Unknown
from gwtui.views import text
from tests.tui.fleet import NOW


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "0"),
        (0.01, "<0.1"),
        (0.4, "0.4"),
        (7, "7"),
        (9.96, "10"),
        (812.4, "812"),
        (999.6, "1.0k"),
        (12_412, "12.4k"),
        (181_000, "181k"),
        (999_600, "1.0M"),
        (1_240_000, "1.2M"),
    ],
)
def test_rate(value: float, words: str) -> None:
    assert text.rate(value) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [(0, "0%"), (0.00004, "<0.01%"), (0.0031, "0.31%"), (0.0104, "1.04%"), (0.042, "4.2%"), (0.37, "37%"), (1, "100%")],
)
def test_ratio(value: float, words: str) -> None:
    assert text.ratio(value) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.4, "0.4 ms"), (3, "3 ms"), (41.2, "41 ms"), (999.7, "1.0 s"), (37_000, "37 s"), (math.inf, "off scale")],
)
def test_ms(value: float, words: str) -> None:
    assert text.ms(value) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-3, "0 s"), (2.9, "2 s"), (240, "4 min"), (3 * 3600, "3 h"), (40 * 3600, "40 h"), (12 * 86400, "12 d")],
)
def test_age(seconds: float, words: str) -> None:
    assert text.age(seconds) == words


def test_unknown_is_never_zero() -> None:
    assert text.figure(Unknown("no sample yet"), text.rps) == "–"
    assert text.figure(Known(0.0, NOW), text.rps) == "0 rps"
    assert text.age_of(None, NOW) == "–"
    assert text.age_of(NOW - timedelta(seconds=5), NOW) == "5 s"


def test_a_share_above_nothing_is_not_nothing() -> None:
    assert [text.percent(share) for share in (0, 0.001, 0.71, 1)] == ["0%", "<1%", "71%", "100%"]


def test_sparkline_marks_what_was_not_measured() -> None:
    assert text.sparkline((0, 4, None, 8), 10) == "▁▄·▇"
    assert text.sparkline((0, 0), 10) == "▁▁"
    assert text.sparkline((1, 2, 3), 2) == "▅▇"
    assert text.sparkline((), 5) == ""


def test_shorten_keeps_both_ends() -> None:
    assert text.shorten("edge-5f6d8-abc12", 9) == "edge…bc12"
    assert text.shorten("edge", 9) == "edge"
    assert len(text.shorten("edge-5f6d8-abc12", 4)) == 4


def test_times_of_api_objects() -> None:
    assert text.moment("2026-02-17T09:00:00Z") is not None
    assert text.moment("") is None
    assert text.moment("soon") is None
