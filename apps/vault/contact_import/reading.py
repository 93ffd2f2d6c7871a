"""From the bytes of an uploaded file to its rows, as a stream.

``inspect`` looks at the file once and says how it is to be read (``Format``, which can be stored as JSON);
``rows`` then yields every row, as often as wanted and in constant memory. Row numbers are those a
spreadsheet shows: the header is row 1, a cell with line breaks is one row, blank rows count.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from typing import IO, Any

from apps.vault.contact_import import dialects
from apps.vault.contact_import.dialects import SEPARATOR_LINE, Layout
from apps.vault.contact_import.encodings import EncodingProbe, display_name, known_encoding, mark_length
from apps.vault.contact_import.records import MARK_UNREADABLE, Fault, Record, Shape, records

BLOCK_BYTES = 256 * 1024
MAX_COLUMNS = 200

_NOT_TEXT = (
    (b"PK\x03\x04", "This is an Excel or OpenDocument file, not a CSV. In it, choose “Save as”, “CSV UTF-8”."),
    (b"\xd0\xcf\x11\xe0", "This is an Excel 97 file, not a CSV. In it, choose “Save as”, “CSV UTF-8”."),
    (b"%PDF", "This is a PDF, not a CSV. Export the list as CSV where it comes from."),
    (b"\x1f\x8b", "This file is compressed (gzip). Unpack it first."),
    (b"7z\xbc\xaf", "This file is compressed (7z). Unpack it first."),
)


class UnreadableFile(ValueError):
    """The file as a whole can't be imported. ``code`` is stable, the message is for people."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code = code


@dataclass(frozen=True, slots=True)
class Format:
    """How a file is read. ``header_row`` 0 means that it has no header; ``rows`` counts the rows below it."""

    encoding: str
    delimiter: str
    backslash_escapes: bool
    space_after_delimiter: bool
    header_row: int
    columns: tuple[str, ...]
    bytes_skipped: int = 0
    separator_line: bool = False
    rows: int = 0

    @property
    def shape(self) -> Shape:
        return Shape(self.delimiter, self.backslash_escapes, self.space_after_delimiter)

    @property
    def encoding_name(self) -> str:
        """For people: "Windows-1252 (Western)"."""
        return display_name(self.encoding)

    @property
    def delimiter_name(self) -> str:
        """For people: "semicolon"."""
        return dialects.NAMES.get(self.delimiter, self.delimiter)

    def as_json(self) -> dict[str, Any]:
        """A dictionary of plain values that ``from_json`` takes back."""
        return {**asdict(self), "columns": list(self.columns)}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Format:
        return cls(**{**stored, "columns": tuple(stored["columns"])})


def inspect(
    file: IO[bytes],
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    header_row: int | None = None,
    max_bytes: int | None = None,
) -> Format:
    """Say how ``file`` (seekable) is to be read and how many rows it has. What is given is not guessed.

    ``header_row`` is the row that names the columns, 0 for none.

    Raises UnreadableFile when it is empty, too large, no text, or has a header and nothing below it.
    """
    guessed, skipped = _encoding_of(file, max_bytes)
    if encoding is not None and not skipped:
        guessed = _chosen(encoding)
    with _text(file, guessed, skipped) as text:
        sample = text.read(dialects.SAMPLE_CHARACTERS)
    if not sample.strip("\ufeff\r\n\t \x1a"):
        raise UnreadableFile("empty", "The file is empty.")
    if _control_characters(sample) > len(sample) * 0.05:
        raise UnreadableFile("not_text", "This is not a text file. Save the list as CSV and upload that.")
    said = SEPARATOR_LINE.match(sample)
    layout = dialects.layout_of(
        sample[said.end() :] if said else sample,
        cut=len(sample) == dialects.SAMPLE_CHARACTERS,
        delimiter=delimiter or dialects.delimiter_said(sample),
        header_row=header_row,
    )
    return _counted(file, _format(guessed, skipped, bool(said), layout))


def rows(file: IO[bytes], form: Format) -> Iterator[Record]:
    """The rows below the header that hold anything, in order; each damaged one carries its fault."""
    width = len(form.columns)
    with _text(file, form.encoding, form.bytes_skipped) as text:
        if form.separator_line:
            text.readline()
        for record in records(text, form.shape):
            if record.number <= form.header_row or record.is_blank:
                continue
            yield record if len(record.cells) == width or record.fault else _fitted(record, width)


def first_rows(file: IO[bytes], form: Format, count: int) -> list[Record]:
    """The first ``count`` rows that hold anything, header and titles above it included, as they stand in the file."""
    with _text(file, form.encoding, form.bytes_skipped) as text:
        if form.separator_line:
            text.readline()
        filled = (record for record in records(text, form.shape) if not record.is_blank)
        return list(islice(filled, count))


def _fitted(record: Record, width: int) -> Record:
    """A row with too many cells is sound when the surplus is empty; one with too few may have lost any cell."""
    if len(record.cells) > width and not any(cell.strip() for cell in record.cells[width:]):
        return record._replace(cells=record.cells[:width])
    have = len(record.cells)
    words = f"The row has {have} {'cell' if have == 1 else 'cells'}, {width} expected. "
    words += "Add the missing delimiters." if have < width else "Put text that holds a delimiter in quotation marks."
    return record._replace(fault=Fault("cell_count", words))


def _encoding_of(file: IO[bytes], max_bytes: int | None) -> tuple[str, int]:
    file.seek(0)
    probe = EncodingProbe()
    size = 0
    while block := file.read(BLOCK_BYTES):
        size += len(block)
        if max_bytes is not None and size > max_bytes:
            words = f"The file is larger than {max_bytes / 1e6:,.0f} MB. Split it and import the parts one by one."
            raise UnreadableFile("too_large", words)
        probe.feed(block)
    for magic, words in _NOT_TEXT:
        if probe.head.startswith(magic):
            raise UnreadableFile("not_text", words)
    return probe.encoding(), mark_length(probe.head)


class _text:
    """The decoded file from its first character; leaving the block does not close the file."""

    def __init__(self, file: IO[bytes], encoding: str, skipped: int) -> None:
        file.seek(skipped)
        self._file = file
        self._wrapper = io.TextIOWrapper(file, encoding=encoding, errors=MARK_UNREADABLE, newline="")

    def __enter__(self) -> io.TextIOWrapper:
        return self._wrapper

    def __exit__(self, *exception: object) -> None:
        if not self._file.closed:
            self._wrapper.detach()


def _chosen(encoding: str) -> str:
    known = known_encoding(encoding)
    if known is None:
        raise UnreadableFile("unknown_encoding", f"Encoding “{encoding}” is not known. Try UTF-8 or Windows-1252.")
    return known


def _control_characters(sample: str) -> int:
    return sum(1 for letter in sample if letter < " " and letter not in "\t\r\n\x1a")


def _format(encoding: str, skipped: int, separator_line: bool, layout: Layout) -> Format:
    if not layout.columns and layout.header_row:
        raise UnreadableFile("no_header_row", f"Row {layout.header_row} holds no names of columns.")
    if not layout.columns:
        raise UnreadableFile("not_a_table", "No row of this file can be read. Check that it is a CSV.")
    if len(layout.columns) > MAX_COLUMNS:
        words = f"The file has {len(layout.columns):,} columns, {MAX_COLUMNS} are possible. Leave some out."
        raise UnreadableFile("too_many_columns", words)
    return Format(
        encoding=encoding,
        delimiter=layout.shape.delimiter,
        backslash_escapes=layout.shape.backslash_escapes,
        space_after_delimiter=layout.shape.space_after_delimiter,
        header_row=layout.header_row,
        columns=tuple(layout.columns),
        bytes_skipped=skipped,
        separator_line=separator_line,
    )


def _counted(file: IO[bytes], form: Format) -> Format:
    count = sum(1 for _ in rows(file, form))
    if not count:
        raise UnreadableFile("no_rows", "The file has a header and no rows below it.")
    return Format.from_json({**form.as_json(), "rows": count})
