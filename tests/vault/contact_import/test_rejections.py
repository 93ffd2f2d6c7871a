"""Rejected rows come back as a CSV that opens safely and can be imported again."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.vault.contact_import.reading import inspect, rows
from apps.vault.contact_import.rejections import Rejection, neutralised, rejections_csv

pytestmark = pytest.mark.covers("V-11")


def as_rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def test_a_rejected_row_stands_in_its_own_columns_with_row_and_reason() -> None:
    text = "".join(
        rejections_csv(
            ["Name", "Phone"],
            [
                Rejection(214, ["Zoë, Dr.", "call office"], 'Phone "call office" is not a number.'),
                Rejection(760, ["only"], "The row has 1 cell, 2 expected."),
                Rejection(761, ["a", "b", "c"], "The row has 3 cells, 2 expected."),
            ],
        )
    )
    assert text.startswith("\ufeff")
    assert as_rows(text) == [
        ["Name", "Phone", "row", "reason"],
        ["Zoë, Dr.", "call office", "214", 'Phone "call office" is not a number.'],
        ["only", "", "760", "The row has 1 cell, 2 expected."],
        ["a", "b", "761", "The row has 3 cells, 2 expected.", "c"],
    ]


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1",
        '=HYPERLINK("http://x","y")',
        "+cmd|' /C calc'!A0",
        "-2+3+cmd|x",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        " =1",
        "＝1",
    ],
)
def test_a_formula_is_shown_not_run(cell: str) -> None:
    assert neutralised(cell) == "'" + cell


@pytest.mark.parametrize("cell", ["+44 20 7946 0142", "-12.50", "plain", "", "a=b", "zoe@mail.example", "'quoted"])
def test_numbers_and_words_stay_as_they_are(cell: str) -> None:
    assert neutralised(cell) == cell


@given(
    table=st.lists(
        st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=15), min_size=2, max_size=2),
        min_size=1,
        max_size=5,
    )
)
def test_every_rejected_cell_is_in_the_file(table: list[list[str]]) -> None:
    pieces = rejections_csv(["A", "B"], [Rejection(number, cells, "no") for number, cells in enumerate(table)])
    back = as_rows("".join(pieces))[1:]
    assert [[cell.removeprefix("'") if cell[:1] == "'" else cell for cell in found[:2]] for found in back] == [
        [cell.removeprefix("'") if cell[:1] == "'" else cell for cell in cells] for cells in table
    ]


def test_the_file_of_rejected_rows_is_read_by_the_importer_itself() -> None:
    text = "".join(rejections_csv(["Name", "Mail"], [Rejection(2, ["Zoë", "=x@mail.example"], "x, y")]))
    file = io.BytesIO(text.encode())
    form = inspect(file)
    assert form.columns == ("Name", "Mail", "row", "reason")
    assert [record.cells for record in rows(file, form)] == [["Zoë", "'=x@mail.example", "2", "x, y"]]
