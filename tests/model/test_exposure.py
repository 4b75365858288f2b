from __future__ import annotations

import pytest

from gwtui.model.exposure import intersects


@pytest.mark.parametrize(
    ("these", "those", "expected"),
    [
        ((), ("a.com",), True),
        (("*",), ("a.com",), True),
        (("a.com",), ("b.com",), False),
        (("a.com", "b.com"), ("b.com",), True),
        (("*.a.com",), ("x.a.com",), True),
        (("*.a.com",), ("a.com",), False),
        (("*.a.com",), ("*.b.a.com",), True),
        (("*.b.a.com",), ("*.a.com",), True),
        (("*.a.com",), ("*.b.com",), False),
    ],
)
def test_hostnames_that_meet(these, those, expected):
    assert intersects(these, those) is expected
    assert intersects(those, these) is expected
