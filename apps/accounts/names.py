"""Names that people see: of accounts, of people, of keys."""

from __future__ import annotations

import unicodedata

from django.core.exceptions import ValidationError

_CONTROL = {"Cc", "Zl", "Zp"}
# What turns the direction of the text around it: a name could rewrite the sentence it stands in.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_INVISIBLE = {"Cf", "Zs", "Cn", "Co"}


def one_line(name: str) -> None:
    """A validator. Names stand in mails and headings: one line, as it reads, with something to be seen."""
    for letter in name:
        if unicodedata.category(letter) in _CONTROL or letter in _TURNING:
            words = f"The name holds a control character (U+{ord(letter):04X}). Type it again."
            raise ValidationError(words, code="control_character")
    if name.strip() and is_invisible(name):
        raise ValidationError("Nothing of this name can be seen. Type it again.", code="invisible")


def is_invisible(text: str) -> bool:
    """Whether nothing of it can be seen: spaces, joiners, marks of direction. Also true of no text at all."""
    return all(letter.isspace() or unicodedata.category(letter) in _INVISIBLE for letter in text)


def check_name(name: str) -> None:
    """The same for a model's ``clean``. Raises ValidationError naming the field ``name``."""
    try:
        one_line(name)
    except ValidationError as error:
        raise ValidationError({"name": error}) from None
