"""The form that says how the file of an import is read, and the first rows it makes of it."""

from __future__ import annotations

from typing import Any

from django import forms

from apps.vault.contact_import import dialects
from apps.vault.contact_import.encodings import NAMES as ENCODING_NAMES
from apps.vault.contact_import.encodings import display_name
from apps.vault.contact_import.reading import Format
from apps.vault.contact_import.records import Record
from apps.vault.models import ContactImport
from apps.vault.services.import_reading import first_rows

# The rows that can be chosen to name the columns, and how much of each is shown.
SHOWN_ROWS, SHOWN_CELLS, SHOWN_CHARACTERS = 8, 4, 60


class ReadingForm(forms.Form):
    """Encoding, delimiter and header row of a file, as they are now; each can be changed.

    ``cleaned_data`` is what ``reread_import`` takes. Where the file's first bytes say the encoding, it stands fast.
    """

    encoding = forms.ChoiceField(label="Encoding")
    delimiter = forms.ChoiceField(label="Delimiter")
    header_row = forms.TypedChoiceField(label="Column names", coerce=int)

    def __init__(self, found: ContactImport, data: Any = None) -> None:
        self.read = Format.from_json(found.format)
        initial = {
            "encoding": self.read.encoding,
            "delimiter": self.read.delimiter_name,
            "header_row": self.read.header_row,
        }
        super().__init__(data, initial=initial, auto_id="read_%s")
        fields: dict[str, Any] = self.fields
        fields["encoding"].choices = _encodings(self.read.encoding)
        fields["encoding"].disabled = self.encoding_is_marked
        names = dict.fromkeys([*dialects.NAMES.values(), self.read.delimiter_name])
        fields["delimiter"].choices = [(name, name.capitalize()) for name in names]
        fields["header_row"].choices = _header_rows(first_rows(found, SHOWN_ROWS), self.read)

    @property
    def encoding_is_marked(self) -> bool:
        """Whether the file begins with a byte-order mark."""
        return self.read.bytes_skipped > 0

    def clean_delimiter(self) -> str:
        name: str = self.cleaned_data["delimiter"]
        return next((mark for mark, known in dialects.NAMES.items() if known == name), self.read.delimiter)


def _encodings(current: str) -> list[tuple[str, str]]:
    """By name, the likeliest first; of encodings that share one (byte orders), the current one or the first."""
    by_name: dict[str, str] = {}
    for encoding, name in ENCODING_NAMES.items():
        by_name.setdefault(name, encoding)
    by_name[display_name(current)] = current
    return [(encoding, name) for name, encoding in by_name.items()]


def _header_rows(first: list[Record], read: Format) -> list[tuple[int, str]]:
    rows = {record.number: _in_short(record.cells) for record in first}
    if read.header_row and read.header_row not in rows:
        rows[read.header_row] = _in_short(list(read.columns))
    return [
        *((number, f"Row {number:,}: {words}") for number, words in rows.items()),
        (0, "No row: the first one is a contact already"),
    ]


def _in_short(cells: list[str]) -> str:
    filled = [" ".join(cell.split()) for cell in cells if cell.strip()]
    words = ", ".join(filled[:SHOWN_CELLS])
    cut = len(words) > SHOWN_CHARACTERS or len(filled) > SHOWN_CELLS
    return words[:SHOWN_CHARACTERS].rstrip(", ") + (" …" if cut else "")
