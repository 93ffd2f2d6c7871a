"""Rejected rows, given back as a CSV that can be corrected and imported again."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from apps.vault.contact_import.mapping import REJECTION_COLUMNS


class Rejection(NamedTuple):
    """A row that was not imported: its number in a spreadsheet, its cells as they were, and why."""

    row: int
    cells: list[str]
    reason: str


# A cell that begins so is run as a formula by spreadsheets (OWASP, "CSV Injection") …
_FORMULA = re.compile(r"\s*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]")
# … except a telephone number or an amount, which is only shown as one.
_NUMBER = re.compile(r"[+-][\d ().,/-]*\d[\d ().,/-]*")


def neutralised(cell: str) -> str:
    """``cell`` so that a spreadsheet shows it instead of running it: guarded by an apostrophe where needed."""
    if _FORMULA.match(cell) and not _NUMBER.fullmatch(cell):
        return "'" + cell
    return cell


def rejections_csv(columns: Sequence[str], rejections: Iterable[Rejection], *, delimiter: str = ",") -> Iterator[str]:
    """The CSV in pieces: the file's own columns, then ``row`` and ``reason``; surplus cells come after them.

    Begins with a byte-order mark, so that a spreadsheet reads it as UTF-8.
    """
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter)
    out.write("\ufeff")
    writer.writerow([neutralised(name) for name in (*columns, *REJECTION_COLUMNS)])
    for rejection in rejections:
        cells = [neutralised(cell) for cell in rejection.cells]
        own, surplus = cells[: len(columns)], cells[len(columns) :]
        own += [""] * (len(columns) - len(own))
        writer.writerow([*own, rejection.row, neutralised(rejection.reason), *surplus])
        if out.tell() > 64 * 1024:
            yield out.getvalue()
            out.seek(0)
            out.truncate()
    yield out.getvalue()
