"""What callers may ask of analytics."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from apps.integrations.zerodb.server.call import Call
from apps.integrations.zerodb.server.fields import Fields

UNITS = {"hourly": "hour", "daily": "day", "weekly": "week", "monthly": "month"}
SEVERITIES = ("all", "low", "medium", "high", "critical")
_LONGEST_DAYS = 366


@dataclass(frozen=True)
class Period:
    """From ``since`` to before ``until``, in steps of ``unit``."""

    since: datetime
    until: datetime
    granularity: str

    @property
    def unit(self) -> str:
        """The step as the database names it."""
        return UNITS[self.granularity]


def read_period(fields: Fields) -> Period:
    """``start_date``, ``end_date`` and ``granularity``; the last 30 days by day unless told."""
    until = fields.moment("end_date", code="INVALID_TIMESTAMP") or timezone.now()
    since = fields.moment("start_date", code="INVALID_TIMESTAMP") or until - timedelta(days=30)
    if since > until:
        fields.fail("start_date", "start_date should not be after end_date", code="INVALID_TIMESTAMP")
    granularity = fields.choice("granularity", options=tuple(UNITS)) or "daily"
    return Period(max(since, until - timedelta(days=_LONGEST_DAYS)), until, granularity)


def read_days(fields: Fields, usual: int) -> Period:
    """``period``: a number of days, as ``30`` or ``30d``."""
    name, value = fields.raw("period")
    text = str(value).lower().removesuffix("d") if value is not None else str(usual)
    days = int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0
    if not 1 <= days <= _LONGEST_DAYS:
        fields.fail(name, f"Input should be a number of days from 1 to {_LONGEST_DAYS}", "int_parsing")
        days = usual
    granularity = fields.choice("granularity", options=tuple(UNITS)) or "daily"
    until = timezone.now()
    return Period(until - timedelta(days=days), until, granularity)


def read_project(call: Call) -> str | None:
    """The project that stands in the query, where the path has none."""
    return call.query.text("project_id", required=True, blank=False)
