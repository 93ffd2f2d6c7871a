"""Countries by their telephone regions.

The names lie in regions.txt (CLDR's English names, as phonenumbers carries them): asking phonenumbers for a name
loads its whole geography, 3 seconds and 190 MB.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import phonenumbers


@cache
def regions() -> list[tuple[str, str]]:
    """``(ISO 3166 code, "United Kingdom (+44)")`` of every region that has telephone numbers, by name."""
    lines = (Path(__file__).with_name("regions.txt")).read_text(encoding="utf-8").splitlines()
    pairs = (line.split(" ", 1) for line in lines)
    return [(code, f"{name} (+{phonenumbers.country_code_for_region(code)})") for code, name in pairs]
