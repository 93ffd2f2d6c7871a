"""How the columns of a text are set apart: the delimiter, and where the header is.

``csv.Sniffer`` counts characters and is misled by commas in addresses, by quoted line ends and by ragged
rows. Here every candidate reads the sample, and the one wins whose records agree on a column count and
whose cells look like single values (a number, a date, an e-mail address, a few words).
"""

from __future__ import annotations

import io
import re
from collections import Counter
from typing import NamedTuple

from apps.vault.contact_import.records import Record, Shape, records

SAMPLE_CHARACTERS = 64 * 1024
SAMPLE_RECORDS = 200
NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
DELIMITERS = tuple(NAMES)
_MAX_TITLE_ROWS = 10

# Excel's own first line, saying what the delimiter is. It is not a row of the sheet.
SEPARATOR_LINE = re.compile(r'"?sep=(?P<delimiter>[^\r\n"]|\\t)"?(?:\r\n|\r|\n|$)', re.IGNORECASE)

EMAIL = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s,;<>]+")
_VALUE = re.compile(
    r"""[-+]?[\d., '\u00a0]*\d[\d., '\u00a0]*\ ?[%€$£]?      # numbers, also 1.234,56
    | [+(]?[\d][\d\ ()./-]{4,}                             # phone numbers
    | \d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ][\d:.+Z-]+)?     # dates and times
    | [^@\s,;<>]+@[^@\s,;<>]+\.[^@\s,;<>]+                 # e-mail
    | https?://\S+
    | [^,;|\t]{1,60}                                       # a few words without any delimiter
    """,
    re.VERBOSE,
)
_NOT_A_NAME = re.compile(r"[-+]?[\d., ()/:-]*\d[\d., ()/:-]*[%€$£]?|https?://\S+")


class Layout(NamedTuple):
    """``header_row`` is the spreadsheet row of the header (0: the file has none)."""

    shape: Shape
    header_row: int
    columns: list[str]


def delimiter_said(text: str) -> str | None:
    """The delimiter of a leading "sep=;" line, if there is one."""
    said = SEPARATOR_LINE.match(text)
    if said is None:
        return None
    return "\t" if said["delimiter"] == "\\t" else said["delimiter"]


def layout_of(text: str, *, cut: bool = False, delimiter: str | None = None, header_row: int | None = None) -> Layout:
    """The layout of ``text``, the beginning of a file without its "sep=" line. What is given is not guessed.

    ``cut`` says that the file goes on after ``text``, so that its last record may be incomplete. A ``header_row``
    that holds nothing gives a layout without columns.
    """
    shapes = _candidates(text, delimiter)
    read = {shape: _sample(text, shape, cut) for shape in shapes}
    shape = max(shapes, key=lambda candidate: _score(read[candidate]))
    return _with_header(shape, read[shape], header_row)


def _candidates(text: str, delimiter: str | None) -> list[Shape]:
    # The first one that never occurs stands for "one column".
    absent = [mark for mark in DELIMITERS if mark not in text][:1]
    delimiters = [delimiter] if delimiter else [*(mark for mark in DELIMITERS if mark in text), *absent]
    plain = [Shape(mark) for mark in delimiters]
    spaced = [Shape(mark, space_after_delimiter=True) for mark in delimiters if f'{mark} "' in text]
    escaped = [shape._replace(backslash_escapes=True) for shape in (*plain, *spaced)] if '\\"' in text else []
    return [*plain, *spaced, *escaped]


def _sample(text: str, shape: Shape, cut: bool) -> list[Record]:
    found: list[Record] = []
    for record in records(io.StringIO(text, newline=""), shape):
        if not record.is_blank:
            found.append(record)
        if len(found) == SAMPLE_RECORDS:
            return found
    return found[:-1] if cut and len(found) > 1 else found


def _score(read: list[Record]) -> float:
    """0 … 1: agreement on a column count, weighted by how many cells look like one value each."""
    sound = [record.cells for record in read if _has_cells(record)]
    if not sound:
        return 0.0
    width = _width(sound)
    if width == 1:
        return 0.2 * len(sound) / len(read)
    if width == 2 and len(sound[0]) == 1 and all(cells[1].startswith(" ") for cells in sound if len(cells) == 2):
        return 0.0  # "Name" above "Müller, Jürgen": one column, written the way people write
    fitting = [cells for cells in sound if len(cells) == width]
    agreement = len(fitting) / len(read)
    cells = [cell.strip() for row in fitting for cell in row]
    values = sum(1 for cell in cells if not cell or _VALUE.fullmatch(cell)) / len(cells)
    headed = 1.0 if len(sound[0]) == width or len(fitting) == 1 else 0.7
    return agreement * (0.2 + 0.8 * values) * headed * (1 - 0.5 / width)


def _has_cells(record: Record) -> bool:
    """Were the cells told apart, even if a byte in one can't be read?"""
    return record.fault is None or record.fault.code == "unreadable_byte"


def _width(rows: list[list[str]]) -> int:
    """The column count most rows have; of two equally frequent ones the larger."""
    counts = Counter(len(cells) for cells in rows)
    return max(counts, key=lambda width: (counts[width], width))


def _with_header(shape: Shape, read: list[Record], header_row: int | None) -> Layout:
    sound = [record for record in read if _has_cells(record)]
    if not sound:
        return Layout(shape, 0, [])
    width = _width([record.cells for record in sound])
    if header_row is None:
        first = _first_below_titles(sound, width)
        following = [record.cells for record in sound[sound.index(first) + 1 :]]
        header_row = first.number if _is_header(first.cells, following) else 0
    if header_row == 0:
        return Layout(shape, 0, [column_letter(index) for index in range(width)])
    names = next((record.cells for record in sound if record.number == header_row), None)
    if names is None:
        return Layout(shape, header_row, [])
    nameless = [""] * (width - len(names))
    return Layout(shape, header_row, unique_names([*names, *nameless]))


def _first_below_titles(sound: list[Record], width: int) -> Record:
    """The first record that is no title ("Contacts, exported on …"): titles fill one cell of a wider table."""
    for index, record in enumerate(sound[:_MAX_TITLE_ROWS]):
        filled = sum(1 for cell in record.cells if cell.strip())
        if filled > 1 or width == 1:
            return record
        below = sound[index + 1] if index + 1 < len(sound) else None
        if width == 2 and below is not None and below.number == record.number + 1:
            return record
    return sound[0]


def _is_header(cells: list[str], following: list[list[str]]) -> bool:
    names = [cell.strip() for cell in cells]
    if any(EMAIL.fullmatch(name) or _NOT_A_NAME.fullmatch(name) for name in names if name):
        return False
    if not following:
        return True
    # A column whose header looks like its own values ("Maria" above "Anna") says nothing; typed columns do.
    typed = sum(1 for index in range(len(names)) if _is_typed([row[index] for row in following if index < len(row)]))
    return typed > 0 or not any(name in row for row in following[:50] for name in names if name) or len(names) == 1


def _is_typed(cells: list[str]) -> bool:
    filled = [cell.strip() for cell in cells if cell.strip()]
    fitting = sum(1 for cell in filled if EMAIL.fullmatch(cell) or _NOT_A_NAME.fullmatch(cell))
    return bool(filled) and fitting > len(filled) / 2


def column_letter(index: int) -> str:
    """The name a spreadsheet gives a column: A … Z, AA …, here "Column A"."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return f"Column {letters}"


def unique_names(cells: list[str]) -> list[str]:
    """Header cells as column names: spaces tidied, empty ones named by letter, repeated ones numbered."""
    names: list[str] = []
    for index, cell in enumerate(cells):
        name = plain = " ".join(cell.split()) or column_letter(index)
        count = 1
        while name in names:
            count += 1
            name = f"{plain} ({count})"
        names.append(name)
    return names
