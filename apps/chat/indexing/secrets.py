"""Hiding what must not leave the vault before a text becomes a vector: keys, card numbers, passwords.

A vector says something about its text to whoever holds the model. What is hidden here is not in it.
"""

from __future__ import annotations

import re

HIDDEN = "[hidden]"
_CARD = re.compile(r"(?<![\d-])\d(?:[ -]?\d){12,18}(?![\d-])")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b")
_KEY = re.compile(
    r"\b(?:sk|pk|rk|ghp|gho|xox[abpr]|AKIA|ASIA|AIza|whsec|zerodb)[-_]?[A-Za-z0-9_-]{12,}"
    r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"
    r"|-----BEGIN [A-Z ]+-----.*?-----END [A-Z ]+-----",
    re.DOTALL,
)
_TOLD = re.compile(
    r"(?i)\b(pass(?:word|code|phrase)|pin|secret|token|api[ _-]?key|cvv|cvc|one[- ]time code)"
    r"(\s*(?:is|was|:|=)\s*)[\"'“]?(\S+)"
)


def without_secrets(text: str) -> str:
    """``text`` with card numbers (ISO/IEC 7812, checked by Luhn), IBANs, keys, tokens and told passwords hidden."""
    text = _KEY.sub(HIDDEN, text)
    text = _CARD.sub(lambda found: HIDDEN if _passes_luhn(found.group()) else found.group(), text)
    text = _IBAN.sub(HIDDEN, text)
    return _TOLD.sub(lambda found: f"{found.group(1)}{found.group(2)}{HIDDEN}", text)


def _passes_luhn(number: str) -> bool:
    digits = [int(letter) for letter in number if letter.isdigit()]
    doubled = [digit if place % 2 == 0 else sum(divmod(digit * 2, 10)) for place, digit in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0
