"""The form in which values are compared: what two people mean by "the same" address or number."""

from __future__ import annotations

import unicodedata


def email(value: str) -> str | None:
    """Trimmed, NFC, lower case: mail systems treat both parts without regard to case in practice."""
    return unicodedata.normalize("NFC", value.strip()).lower() or None


def phone(value: str) -> str | None:
    """E.164 already, by validation; only white space is dropped here."""
    return "".join(value.split()) or None


def identifier(value: str) -> str | None:
    """Trimmed and NFC; case counts, because other systems' ids may differ in nothing else."""
    return unicodedata.normalize("NFC", value.strip()) or None


def said(value: str) -> str | None:
    """What two people mean by "the same message": NFC, without regard to case and white space."""
    return " ".join(unicodedata.normalize("NFC", value).casefold().split()) or None
