"""Lines that are too long go on in the next one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gwtui.views.spans import Role, Span, plain, width, wrapped

words = st.text(st.characters(codec="utf-8", categories=("L", "N")), min_size=1, max_size=12)
spans = st.lists(
    st.builds(lambda parts, role: Span(" ".join(parts) + " ", role), st.lists(words, max_size=6), st.sampled_from(Role))
)


@given(spans, st.integers(20, 60))
def test_every_word_stays_in_order_with_its_meaning_and_fits(made, cells) -> None:
    lines = wrapped(tuple(made), cells, 4)
    told = [(word, span.role) for line in lines for span in line for word in span.text.split()]
    assert told == [(word, span.role) for span in made for word in span.text.split()]
    assert all(width(line) <= cells + 1 for line in lines)
    assert all(plain(line).startswith("    ") for line in lines[1:])


def test_a_short_line_stays_as_it_is() -> None:
    short = (Span("Moves     "), Span("14 rps", Role.STRONG), Span(", 1 hostname"))
    assert plain(wrapped(short, 80, 10)[0]) == plain(short)
