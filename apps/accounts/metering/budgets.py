"""Limits as people see them: what is limited, how far it is, and what happens at its end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.accounts.metering.alerts import step_of
from apps.accounts.metering.counters import current
from apps.accounts.metering.names import source_label, subject_names
from apps.accounts.metering.periods import end_of
from apps.accounts.models import APIKey, Counter, Limit, User


@dataclass(frozen=True)
class Budget:
    """A limit with where it stands now. ``state`` is "", "warn" or "bad"."""

    limit: Limit
    counter: Counter
    label: str
    resets_at: datetime | None
    changeable: bool

    @property
    def state(self) -> str:
        """By the steps at which people are told."""
        return {0: "", 100: "bad"}.get(self.step, "warn")

    @property
    def step(self) -> int:
        """80, 90 or 100 when that much is used, else 0."""
        return step_of(self.counter.used, self.limit.amount)

    @property
    def shown(self) -> Any:
        """What the bar shows: never more than the whole."""
        return min(self.counter.used, self.limit.amount)


def budgets(now: datetime, *, by_operator: bool = False) -> list[Budget]:
    """All limits of the account in scope, the ones of the whole account first, then the fullest."""
    rows = list(Limit.objects.all())
    counters, labels = current(rows), _labels(rows)
    found = [
        Budget(
            row,
            counters[row.id],
            labels[row.id],
            end_of(row.period, now),
            not row.of_key and (by_operator or row.set_by == Limit.SetBy.TENANT),
        )
        for row in rows
    ]
    return sorted(found, key=lambda one: (one.limit.scope != Limit.Scope.ACCOUNT, -one.step, one.label, one.limit.id))


def label_in_scope(row: Limit) -> str:
    """Whom or what a limit is about, by name."""
    return _labels([row])[row.id]


def _labels(rows: list[Limit]) -> dict[UUID, str]:
    people = User.objects.in_bulk([row.user_id for row in rows if row.user_id])
    keys = APIKey.objects.in_bulk([row.api_key_id for row in rows if row.api_key_id])
    subjects: dict[UUID, str] = {}
    for source in {row.source for row in rows if row.subject}:
        subjects |= subject_names(source, [row.subject for row in rows if row.source == source and row.subject])
    labels = {}
    for row in rows:
        if row.user_id:
            person = people.get(row.user_id)
            labels[row.id] = person.display_name if person else "A former member"
        elif row.api_key_id:
            key = keys.get(row.api_key_id)
            labels[row.id] = f"Key “{key.name}”" if key else "A deleted key"
        elif row.source:
            name = subjects.get(row.subject) if row.subject else ""
            labels[row.id] = name or source_label(row.source)
        else:
            labels[row.id] = "Whole account"
    return labels
