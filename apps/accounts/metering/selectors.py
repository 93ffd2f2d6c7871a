"""What was used and what it cost, read from the sums of the days: a year of a busy account is some thousand rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Case, CharField, F, Q, Sum, UUIDField, When
from django.utils import timezone

from apps.accounts.metering.lines import CALLS
from apps.accounts.metering.names import declared_sources, item_label, source_label, subject_names
from apps.accounts.models import APIKey, DailyUsage, User

ZERO = Decimal(0)
_DIRECT = Q(cause="")
_COLUMNS: dict[str, dict[str, Any]] = {
    "day": {"key": F("day")},
    # What something was for: a call that a workflow made counts for the workflow.
    "source": {"key": Case(When(_DIRECT, then=F("source")), default=F("cause"), output_field=CharField())},
    "subject": {
        "key": Case(When(_DIRECT, then=F("subject")), default=F("cause_subject"), output_field=UUIDField()),
        "part": Case(When(_DIRECT, then=F("source")), default=F("cause"), output_field=CharField()),
    },
    "connection": {"key": F("subject")},
    "member": {"key": F("user_id")},
    "key": {"key": F("api_key_id")},
    "unit": {"key": F("unit")},
    "item": {"key": F("item"), "part": F("unit")},
}
GROUPS = tuple(_COLUMNS)
MOST = 1000
"""Groups in one answer; days are never left out."""


@dataclass
class Group:
    """The sums of one day, source, member …; ``cost`` None: nobody knew any of the prices."""

    key: Any
    label: str
    part: str = ""
    calls: int = 0
    errors: int = 0
    duration_ms: int = 0
    priced: Decimal = ZERO
    unpriced: int = 0
    quantities: dict[str, Decimal] = field(default_factory=dict)

    @property
    def cost(self) -> Decimal | None:
        """What is known of the cost; None when nothing is."""
        return None if self.unpriced and not self.priced else self.priced

    @property
    def average_ms(self) -> int | None:
        """How long a call took, on average."""
        return round(self.duration_ms / self.calls) if self.calls else None

    def take(self, row: dict[str, Any]) -> None:
        """Add the sums of one unit."""
        self.calls += row["calls"]
        self.errors += row["errors"]
        self.duration_ms += row["duration"]
        self.priced += row["cost"]
        self.unpriced += row["unpriced"]
        self.quantities[row["unit"]] = self.quantities.get(row["unit"], ZERO) + row["quantity"]


def usage(group: str, first: date, last: date, **conditions: Any) -> list[Group]:
    """The account's use from ``first`` to ``last`` (days in UTC, both in it), the dearest MOST first; days by date.

    ``conditions`` narrow it to rows of DailyUsage (``source="integrations", subject=connection.id``).
    """
    columns = _COLUMNS[group]
    every = DailyUsage.objects.filter(day__gte=first, day__lte=last, **conditions).annotate(
        **{f"by_{name}": column for name, column in columns.items()}
    )
    if group != "day":
        every = _dearest(every)
    rows = every.values(*(f"by_{name}" for name in columns), "unit").annotate(**_sums()).order_by()
    found: dict[tuple[Any, str], Group] = {}
    for row in rows:
        place = (row["by_key"], row.get("by_part", ""))
        found.setdefault(place, Group(row["by_key"], "", place[1])).take(row)
    groups = list(found.values())
    _label(group, groups)
    if group == "day":
        return sorted(groups, key=lambda one: one.key)
    return sorted(groups, key=lambda one: (-one.priced, -one.unpriced, -one.calls, str(one.key)))


def _dearest(rows: Any) -> Any:
    """The rows of the MOST dearest keys; all of them where there are no more."""
    sums = rows.order_by().values("by_key").annotate(spent=Sum("cost"), times=Sum("calls"))
    keys = list(sums.order_by("-spent", "-times", "by_key").values_list("by_key", flat=True)[: MOST + 1])
    if len(keys) <= MOST:
        return rows
    named = [key for key in keys[:MOST] if key is not None]
    return rows.filter(Q(by_key__in=named) | Q(by_key=None) if len(named) < MOST else Q(by_key__in=named))


def _sums() -> dict[str, Any]:
    # Names of their own where Django would take the sum for the column.
    return {
        "quantity": Sum("quantity"),
        "cost": Sum("cost"),
        "unpriced": Sum("unpriced"),
        "calls": Sum("calls"),
        "errors": Sum("errors"),
        "duration": Sum("duration_ms"),
    }


def total(groups: Iterable[Group]) -> Group:
    """The sum of groups."""
    whole = Group(None, "")
    for one in groups:
        for name in ("calls", "errors", "duration_ms", "priced", "unpriced"):
            setattr(whole, name, getattr(whole, name) + getattr(one, name))
        for unit, quantity in one.quantities.items():
            whole.quantities[unit] = whole.quantities.get(unit, ZERO) + quantity
    return whole


def every_day(groups: list[Group], first: date, last: date) -> list[Group]:
    """Groups by day with the days between on which nothing happened."""
    found = {one.key: one for one in groups}
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return [found.get(day) or Group(day, day.isoformat()) for day in days]


def known_sources() -> list[str]:
    """The parts that have been declared or used in the last three months."""
    return sorted({*declared_sources(), *_used("source"), *_used("cause")} - {""})


def known_units() -> list[str]:
    """The units used in the last three months, and calls."""
    return sorted({CALLS, *_used("unit")})


def _used(column: str) -> set[str]:
    since = timezone.now().date() - timedelta(days=92)
    return set(DailyUsage.objects.filter(day__gte=since).values_list(column, flat=True).distinct().order_by())


def _label(group: str, groups: list[Group]) -> None:
    ids = [one.key for one in groups if isinstance(one.key, UUID)]
    names: dict[Any, str] = {}
    if group == "member":
        names = {user.id: user.display_name for user in User.objects.filter(pk__in=ids)}
    elif group == "subject":
        for source in {one.part for one in groups}:
            names |= subject_names(source, [one.key for one in groups if one.part == source and one.key])
    elif group == "key":
        names = dict(APIKey.objects.filter(pk__in=ids).values_list("id", "name"))
    for one in groups:
        if group in {"member", "key"}:
            none = "No member" if group == "member" else "No API key"
            one.label = none if one.key is None else names.get(one.key, "Deleted")
        elif group == "source":
            one.label = source_label(one.key)
        elif group == "subject":
            one.label = source_label(one.part) if one.key is None else names.get(one.key, "Deleted")
        elif group == "item":
            one.label = item_label(one.key)
        elif group == "unit":
            one.label = one.key.replace("_", " ").capitalize()
        else:
            one.label = str(one.key or "")
