"""Until when a conversation may sleep: moments of the reader's own day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format

_MORNING = time(9)


@dataclass(frozen=True)
class Choice:
    """One entry of the menu."""

    key: str
    words: str
    until: datetime | None

    @property
    def says(self) -> str:
        """ "Monday, 09:00"; empty when there is no such time."""
        return date_format(self.until, "l, H:i") if self.until else ""


def choices() -> list[Choice]:
    """What the menu offers now."""
    now = timezone.localtime()
    monday = (now + timedelta(days=7 - now.weekday())).date()
    later = (now + timedelta(hours=3)).replace(second=0, microsecond=0)
    return [
        Choice("later", "In three hours", later),
        Choice("tomorrow", "Tomorrow morning", _morning((now + timedelta(days=1)).date())),
        Choice("week", "Next Monday", _morning(monday)),
        Choice("answer", "Until the customer writes", None),
    ]


def moment(key: str, typed: str) -> datetime | None:
    """What was chosen (None: no time at all), or typed into a field ``datetime-local``. Raises ValidationError."""
    for choice in choices():
        if choice.key == key:
            return choice.until
    try:
        found = parse_datetime(typed.strip())
    except ValueError:
        found = None
    if found is None:
        words = "Choose a day and a time."
        raise ValidationError({"snoozed_until": ValidationError(words, code="invalid")})
    return found if timezone.is_aware(found) else timezone.make_aware(found)


def _morning(day: object) -> datetime:
    return timezone.make_aware(datetime.combine(day, _MORNING))  # type: ignore[arg-type]
