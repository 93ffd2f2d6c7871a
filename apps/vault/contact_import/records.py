"""Records of delimited text, one at a time, in bounded memory, with every damaged one told apart.

The parser is Python's ``csv`` in strict mode. What is added is that no fault costs more than its own
line: a quotation mark that never closes would swallow the rest of the file, so on a fault only the first
line of the record is given up (as a faulty record with its raw cells) and reading goes on with the line
after it.

Bytes that the encoding cannot read arrive as marker characters (see ``MARKED``) instead of an exception,
so that they too cost one record.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections import deque
from collections.abc import Iterator
from typing import IO, NamedTuple

# A line without an end would otherwise be read into memory whole.
MAX_LINE_CHARACTERS = 1_000_000

# Lone surrogates U+DC00 … U+DCFF stand for the byte 00 … FF; no decoder makes them from valid input.
MARK_UNREADABLE = "contact_import.mark_unreadable"
MARKED = re.compile("[\udc00-\udcff]")


def _mark_unreadable(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    # One byte only, so that a delimiter or line end right after it is still seen; wide encodings go by unit.
    wide = error.encoding.lower().startswith(("utf-16", "utf-32", "utf16", "utf32"))
    end = error.end if wide else error.start + 1
    return "".join(chr(0xDC00 + byte) for byte in error.object[error.start : end]), end


codecs.register_error(MARK_UNREADABLE, _mark_unreadable)


class Fault(NamedTuple):
    """Why a record can't be used: a stable ``code`` and the reason in ``words``."""

    code: str
    words: str


class Record(NamedTuple):
    """``number`` is the row a spreadsheet shows the record in, from 1, blank rows counted."""

    number: int
    cells: list[str]
    fault: Fault | None = None

    @property
    def is_blank(self) -> bool:
        """Nothing in it, or only spaces (or the end-of-file mark old DOS programs leave)."""
        return self.fault is None and not any(cell.strip(" \t\x1a\xa0") for cell in self.cells)


class Shape(NamedTuple):
    """How cells are set apart in the text."""

    delimiter: str = ","
    backslash_escapes: bool = False
    space_after_delimiter: bool = False

    def reader(self, lines: Iterator[str], *, quoting: bool = True) -> Iterator[list[str]]:
        """A strict ``csv.reader`` of this shape."""
        return csv.reader(
            lines,
            delimiter=self.delimiter,
            doublequote=True,
            escapechar="\\" if self.backslash_escapes and quoting else None,
            skipinitialspace=self.space_after_delimiter,
            quoting=csv.QUOTE_MINIMAL if quoting else csv.QUOTE_NONE,
            strict=quoting,
        )


class _Lines:
    """Lines of the text with a memory: what the current record took can be put back."""

    def __init__(self, text: IO[str]) -> None:
        self._text = text
        self._waiting: deque[str] = deque()
        self.taken: list[str] = []

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if self._waiting:
            line = self._waiting.popleft()
        else:
            line = self._text.readline(MAX_LINE_CHARACTERS)
            if _is_cut(line):
                self._pass_rest_of_line()
        if not line:
            raise StopIteration
        if _is_cut(line) and self.taken:
            # It ends the record it was met in, and is a faulty record of its own after that.
            self._waiting.appendleft(line)
            raise csv.Error("line too long")
        self.taken.append(line)
        if _is_cut(line):
            raise csv.Error("line too long")
        return line

    def put_back_all_but_first(self) -> str:
        """Returns the first line taken; the others come again."""
        first = self.taken[0]
        self._waiting.extendleft(reversed(self.taken[1:]))
        return first

    def _pass_rest_of_line(self) -> None:
        while _is_cut(self._text.readline(MAX_LINE_CHARACTERS)):
            pass


def _is_cut(line: str) -> bool:
    return len(line) >= MAX_LINE_CHARACTERS and line[-1] not in "\r\n"


def records(text: IO[str], shape: Shape) -> Iterator[Record]:
    """Every record of ``text`` (opened with ``newline=""`` and ``errors=MARK_UNREADABLE``), blank ones too."""
    lines = _Lines(text)
    reader = shape.reader(lines)
    number = 0
    while True:
        lines.taken.clear()
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield _given_up(lines, number, shape)
            reader = shape.reader(lines)
            continue
        yield _checked(number, cells, lines.taken)


def _given_up(lines: _Lines, number: int, shape: Shape) -> Record:
    first = lines.put_back_all_but_first()
    if len(first) > csv.field_size_limit():
        words = f"A cell is longer than {csv.field_size_limit():,} characters. Shorten it."
        return Record(number, [_visible(first[:1000])], Fault("too_long", words))
    cells = next(shape.reader(iter([first.rstrip("\r\n")]), quoting=False), [])
    return Record(
        number,
        [_visible(cell) for cell in cells],
        Fault("quotes", 'The quotation marks don\'t pair. Write a quotation mark inside quoted text twice: "".'),
    )


def _checked(number: int, cells: list[str], taken: list[str]) -> Record:
    for line in taken:
        if not line.isascii() and (found := MARKED.search(line)):
            byte = ord(found.group()) - 0xDC00
            fault = Fault("unreadable_byte", f"Byte 0x{byte:02X} can't be read{_where(cells)}. Type the text again.")
            return Record(number, [_visible(cell) for cell in cells], fault)
    return Record(number, cells)


def _where(cells: list[str]) -> str:
    for index, cell in enumerate(cells):
        if MARKED.search(cell):
            return f" in “{_visible(cell)[:60]}”, cell {index + 1}"
    return ""


def _visible(text: str) -> str:
    r"""Marked bytes as ``\x81``: writable, and still telling which byte it was."""
    if text.isascii():
        return text
    return MARKED.sub(lambda mark: f"\\x{ord(mark.group()) - 0xDC00:02x}", text)
