"""Charts of block characters, and documents that fold: laws that hold for every input."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gwtui.views.proxy.charts import GAP, HOLDS_S, ZERO, chart, highest, placed
from gwtui.views.proxy.difference import canonical
from gwtui.views.proxy.tree import Tree, node_line
from gwtui.views.spans import plain
from tests.tui import inspected

values = st.lists(st.none() | st.floats(0, 1e9), max_size=200)
cells = st.integers(1, 150)
documents = st.dictionaries(
    st.text(max_size=5),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
        max_leaves=30,
    ),
    max_size=5,
)


@given(values, cells, st.integers(1, 6))
def test_a_chart_has_the_size_it_was_given(series: list[float | None], width: int, rows: int) -> None:
    drawn = chart(series, rows=rows, cells=width)
    assert len(drawn) == rows
    assert {len(each) for each in drawn} == {width}


START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def every(seconds: float, *told: float | None) -> list[tuple[datetime, float | None]]:
    return [(START + timedelta(seconds=seconds * at), value) for at, value in enumerate(told)]


@given(values, st.lists(st.floats(0.5, 100), min_size=200, max_size=200), cells)
def test_peaks_survive_wherever_they_stand(series: list[float | None], waits: list[float], width: int) -> None:
    moments = [
        (START + timedelta(seconds=at), value) for at, value in zip(itertools.accumulate(waits), series, strict=False)
    ]
    shown = placed(moments, width)
    assert len(shown) <= width
    assert highest(shown) == highest(series)
    if series:
        assert shown[-1] is not None or series[-1] is None
        if all(value is None for value in series):
            assert set(shown) == {None}


def test_values_stand_where_their_time_is_and_not_side_by_side() -> None:
    often, seldom = every(2, *[1.0] * 11), every(10, *[5.0] * 3)
    later = [(at + timedelta(seconds=30), value) for at, value in seldom]
    assert placed([*often, *later], 26) == (1.0,) * 11 + (5.0,) * 15
    assert placed(every(2, 1, 2, 3), 10) == (1, 2, 3), "a short course is not stretched"
    assert placed(every(2, 7), 10) == (7,)
    assert placed([], 10) == placed(every(2, 1, 2), 0) == ()


def test_no_answer_is_a_gap_as_long_as_it_lasted_and_is_not_joined() -> None:
    assert placed(every(2, 4, None, None, 6), 4) == (4, None, None, 6)
    silent_s = 3 * HOLDS_S
    after = [(at + timedelta(seconds=silent_s), value) for at, value in every(2, 6, 6, 6)]
    shown = placed([*every(2, 4, 4, 4), *after], 200)
    assert set(shown[:3]) == {4}
    assert set(shown[-3:]) == {6}
    assert set(shown[3:-3]) == {None}
    assert len(shown) == silent_s / 2 + 3
    (drawn,) = chart(shown, rows=1, cells=len(shown))
    assert drawn.count(GAP) == len(shown) - 6


def test_nothing_unknown_and_little_look_different() -> None:
    (drawn,) = chart([0.0, None, 0.001, 100.0], rows=1, cells=6)
    assert drawn[:2] == "  "
    assert drawn[2:4] == ZERO + GAP
    assert drawn[4] == "▁"
    assert drawn[5] > "▅"


def test_a_higher_value_is_drawn_higher() -> None:
    top, middle, bottom = chart([10.0, 50.0, 100.0], rows=3, cells=3)
    assert bottom[1:] == "██"
    assert middle[0] == " "
    assert top[0] == top[1] == " "
    assert top[2] != " "


@given(documents)
def test_equal_documents_have_equal_lines_and_others_have_not(body: dict) -> None:
    assert canonical(body) == canonical(dict(reversed(body.items())))
    assert canonical(body) != canonical({**body, "another key": 1})


@given(documents, st.data())
def test_what_is_searched_is_found_and_can_be_reached(body: dict, data: st.DataObject) -> None:
    tree = Tree(body)
    nodes = tree.everything
    if not nodes:
        return
    wanted = data.draw(st.sampled_from(nodes))
    assert wanted.path in {node.path for node in tree.reaching(wanted.path).shown}
    pattern = wanted.label or wanted.value
    if pattern:
        assert wanted.path in tree.found(pattern)


def test_folding_hides_what_lies_within_and_nothing_else() -> None:
    tree = Tree(inspected.routes_body("15s"))
    assert len(tree.everything) > len(tree.shown)
    path = ("virtual_hosts",)
    folded = tree.with_open(path, is_open=False)
    assert [node.path for node in folded.shown] == [("@type",), ("name",), path]
    assert folded.with_open(path, is_open=True).shown == tree.shown
    assert tree.with_open(path, is_open=True) is tree


def test_a_small_document_is_open_and_its_lists_have_names() -> None:
    tree = Tree({"filters": [{"name": "router"}, {}], "n": 1})
    drawn = [plain(node_line(tree, node, "")) for node in tree.shown]
    assert drawn == ["▾ filters", "  ▾ [0] router", '      name: "router"', "    [1]: {}", "  n: 1"]


def test_a_search_goes_round_in_both_directions() -> None:
    tree = Tree({"a": "x", "b": {"c": "x"}, "d": "x"})
    matches = tree.found("X")
    assert matches == (("a",), ("b", "c"), ("d",))
    assert [tree.beside(path, "X", 1) for path in matches] == [matches[1], matches[2], matches[0]]
    assert [tree.beside(path, "X", -1) for path in matches] == [matches[2], matches[0], matches[1]]
    assert tree.beside(("b",), "X", 1) == ("b", "c")
    assert tree.beside(None, "X", 1) == ("a",)
    assert tree.beside(("a",), "none such", 1) is None


def test_a_match_is_set_off_wherever_it_stands() -> None:
    tree = Tree({"shop": "my shop is a SHOP"})
    marked = [span.text for span in node_line(tree, tree.shown[0], "shop") if span.role.value == "badge"]
    assert marked == ["shop", "shop", "SHOP"]
