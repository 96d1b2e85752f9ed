"""Cards fill the rows of their page."""

import pytest

from apps.components.pages.rows_of_cards import filled


@pytest.mark.parametrize(
    ("widths", "expected"),
    [
        ([], []),
        (["c12", "c8 x-c12", "c4 x-c12"], ["c12", "c8 x-c12", "c4 x-c12"]),
        (["c4 x-c12", "c3 x-c6", "c3 x-c6"], ["c4 x-c12", "c4 x-c6", "c4 x-c6"]),
        (["c3 x-c6", "c3 x-c6", "c12", "c8"], ["c6 x-c6", "c6 x-c6", "c12", "c12"]),
        (["c8 x-c12", "c3"], ["c8 x-c12", "c4"]),
    ],
)
def test_no_row_ends_in_a_hole(widths, expected):
    assert filled(widths) == expected
