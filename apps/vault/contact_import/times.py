"""Dates and times as spreadsheets and other systems write them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache

_PARTS = re.compile(
    r"(?P<a>\d{1,2})[-/. ](?P<b>\d{1,2})[-/. ](?P<year>\d{4}|\d{2})"
    r"(?:[T ,]+(?P<hour>\d{1,2})[:.h](?P<minute>\d{2})(?::(?P<second>\d{2}))?\s*(?P<half>[AaPp]\.?[Mm]\.?)?)?"
)
_YEAR_FIRST = re.compile(r"(\d{4})[/.](\d{1,2})[/.](\d{1,2})(.*)")
_EPOCH = re.compile(r"\d{10}|\d{13}")
# Countries that write the month first; everybody else who uses slashes writes the day first.
_MONTH_FIRST_REGIONS = frozenset({"US", "PH", "PR", "GU", "AS", "VI", "MP", "FM", "MH", "PW"})


def is_day_first(values: Iterable[str], region: str | None) -> bool:
    """Does a column of dates put the day before the month? What the dates themselves prove comes first."""
    for value in values:
        found = _PARTS.match(value.strip())
        if found is not None and int(found["a"]) > 12:
            return True
        if found is not None and int(found["b"]) > 12:
            return False
    return region not in _MONTH_FIRST_REGIONS


@lru_cache(maxsize=4096)  # lists repeat their dates
def parse_time(text: str, *, day_first: bool) -> datetime | None:
    """The moment ``text`` means (UTC where it names no zone), or None.

    Reads ISO 8601, "2026/12/01 10:30", "1.12.2026", "12/01/26 4:05 PM" and Unix time in seconds or milliseconds.
    """
    try:
        return _parse(text.strip(), day_first)
    except (ValueError, OverflowError):
        return None


def _parse(text: str, day_first: bool) -> datetime | None:
    if _EPOCH.fullmatch(text):
        return datetime.fromtimestamp(int(text) / (1000 if len(text) == 13 else 1), UTC)
    if year_first := _YEAR_FIRST.fullmatch(text):
        text = f"{year_first[1]}-{int(year_first[2]):02}-{int(year_first[3]):02}{year_first[4]}"
    if text[:4].isdigit() and text[4:5] == "-":
        moment = datetime.fromisoformat(text.removesuffix(" UTC").replace(" +", "+"))
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    found = _PARTS.fullmatch(text)
    return _from_parts(found, day_first) if found else None


def _from_parts(found: re.Match[str], day_first: bool) -> datetime:
    first, second = int(found["a"]), int(found["b"])
    day, month = (first, second) if day_first else (second, first)
    year = int(found["year"])
    if year < 100:
        year += 2000 if year < 70 else 1900
    hour = int(found["hour"] or 0)
    if found["half"]:
        hour = hour % 12 + (12 if found["half"][0] in "Pp" else 0)
    return datetime(year, month, day, hour, int(found["minute"] or 0), int(found["second"] or 0), tzinfo=UTC)
