"""What a unit costs at a time. Nobody knows: None, which is not nothing.

Of the prices that fit, the most exact item wins (``provider/product`` before ``provider/*`` before ``*``), then the
operator's before the one that came with the product, then the latest that has begun.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.metering.lines import CALLS, HELD, Line
from apps.accounts.models import Price
from apps.accounts.permissions import require
from apps.accounts.tenancy.scope import platform

_MONEY, _UNIT_PRICE = Decimal("1e-10"), Decimal("1e-15")


@dataclass(frozen=True)
class Priced:
    """A line with its price of the day; both None when nobody knew it."""

    line: Line
    unit_price: Decimal | None
    cost: Decimal | None


@dataclass(frozen=True)
class _Declared:
    unit: str
    item: str
    amount: Decimal
    per: Decimal
    starts_at: datetime
    free: Decimal = Decimal(0)


_declared: dict[tuple[str, str, datetime], _Declared] = {}


def declare_price(
    unit: str,
    item: str,
    amount: Decimal | str,
    per: int = 1,
    starts_on: date = date(2026, 1, 1),
    *,
    free: Decimal | int = 0,
) -> None:
    """Say at start-up what ``per`` units of ``item`` cost from a day (UTC) on, in US dollars.

    ``free``: units that cost nothing, of what is HELD.

    Loaded after each migrate; what the operator set stands. Raises ValueError on two prices of one item and day.
    """
    new = _Declared(unit, item, Decimal(amount), Decimal(per), datetime.combine(starts_on, time(), UTC), Decimal(free))
    key = (unit, item, new.starts_at)
    if _declared.get(key, new) != new:
        raise ValueError(f"Two prices of {unit} of {item} from {starts_on} on.")
    _declared[key] = new


# Requests as such are free; what services bill is metered in units of its own, which have prices or are unknown.
declare_price(CALLS, "*", "0")


def load_declared(**_: Any) -> int:
    """Store the declared prices, as the role that migrates. Idempotent. Returns how many were added or changed.

    They are in dollars: on a platform with another currency those that are not 0 are stored and hold for nothing.
    """
    rows = {(row.unit, row.item, row.starts_at): row for row in Price.objects.filter(origin=Price.Origin.DECLARED)}
    changed = 0
    for key, wanted in _declared.items():
        row = rows.get(key)
        if row is None:
            Price.objects.create(**vars(wanted), currency="USD", origin=Price.Origin.DECLARED)
        elif (row.amount, row.per, row.free) != (wanted.amount, wanted.per, wanted.free):
            Price.objects.filter(pk=row.pk).update(amount=wanted.amount, per=wanted.per, free=wanted.free)
        else:
            continue
        changed += 1
    return changed


def price_lines(lines: Iterable[Line], at: datetime) -> list[Priced]:
    """The lines with what they cost at ``at``, in one query."""
    lines = list(lines)
    book = _book({line.unit for line in lines}, {name for line in lines for name in _names(line.item)}, at)
    return [_priced(line, book) for line in lines]


def _names(item: str) -> tuple[str, ...]:
    """The items whose price may hold for this one, the most exact first."""
    return tuple(dict.fromkeys((item, f"{item.partition('/')[0]}/*", "*")))


def _book(units: set[str], items: set[str], at: datetime) -> dict[tuple[str, str], Price]:
    if not units:
        return {}
    rows = Price.objects.filter(unit__in=units, item__in=items, starts_at__lte=at).order_by("starts_at")
    # The operator's last, and the latest of each last: what comes later wins.
    return {(row.unit, row.item): row for row in sorted(rows, key=lambda row: row.origin == Price.Origin.OPERATOR)}


def price_of(unit: str, item: str, at: datetime) -> Price | None:
    """The price that holds for a unit of ``item`` at ``at``; None when nobody knows it."""
    return _holding(unit, item, _book({unit}, set(_names(item)), at))


def price_changes(unit: str, item: str, since: datetime, until: datetime) -> list[datetime]:
    """When a price for ``item`` began after ``since``, up to ``until``; in order."""
    rows = Price.objects.filter(unit=unit, item__in=_names(item), starts_at__gt=since, starts_at__lte=until)
    return sorted(set(rows.values_list("starts_at", flat=True)))


def _holding(unit: str, item: str, book: dict[tuple[str, str], Price]) -> Price | None:
    elsewhere = False
    for name in _names(item):
        row = book.get((unit, name))
        if row is None:
            continue
        ours = row.currency == settings.CURRENCY
        if not ours and row.amount:
            elsewhere = True  # it costs something, and nobody said what in our currency
        elif ours or not elsewhere:  # nothing is nothing in every currency
            return row
    return None


def _priced(line: Line, book: dict[tuple[str, str], Price]) -> Priced:
    row = _holding(line.unit, line.item, book)
    if row is None:
        return Priced(line, None, None)
    price = row.unit_price
    return Priced(
        line, price.quantize(_UNIT_PRICE, ROUND_HALF_UP), (price * line.amount).quantize(_MONEY, ROUND_HALF_UP)
    )


def set_price(
    *,
    actor: Actor,
    unit: str,
    item: str,
    amount: Decimal,
    starts_at: datetime,
    per: Decimal = Decimal(1),
    free: Decimal = Decimal(0),
) -> Price:
    """The operator's price from a moment on. Past work without a price gets it; what had a price keeps that.

    Raises PermissionDenied, ValidationError naming the field.
    """
    require(actor, "prices.manage")
    check_free(unit, free)
    with transaction.atomic(), platform("set a price"):
        row = Price.objects.filter(unit=unit, item=item, starts_at=starts_at, origin=Price.Origin.OPERATOR).first()
        before = None if row is None else _shown(row)
        row = row or Price(unit=unit, item=item, starts_at=starts_at)
        row.amount, row.per, row.free = amount, per, free
        row.currency, row.applied_at = settings.CURRENCY, None
        row.full_clean()
        row.save()
        audit.record(
            "price.set",
            actor=actor,
            entity=row,
            label=f"{unit.replace('_', ' ')} of {item}",
            changes={"price": [before, _shown(row)], "from": row.starts_at.isoformat()},
        )
    return row


def check_free(unit: str, free: Decimal) -> None:
    """Raises ValidationError: what is done is counted one by one, so that a part of it can't be free."""
    if free and unit not in HELD:
        words = f"Only what is held has a part that is free: {', '.join(sorted(HELD))}."
        raise ValidationError({"free": ValidationError(words, code="not_for_unit")})


def remove_price(row: Price, *, actor: Actor) -> None:
    """Take back a price of the operator's. Raises PermissionDenied, ValueError for one that came with the product."""
    require(actor, "prices.manage")
    if row.origin != Price.Origin.OPERATOR:
        raise ValueError("A price that came with the product stays; set another one over it.")
    with transaction.atomic(), platform("remove a price"):
        changes = {"price": [_shown(row), None], "from": row.starts_at.isoformat()}
        label = f"{row.unit.replace('_', ' ')} of {row.item}"
        audit.record("price.removed", actor=actor, entity=row, label=label, changes=changes)
        Price.objects.filter(pk=row.pk).delete()


def _shown(row: Price) -> str:
    free = f", {row.free.normalize():f} free" if row.free else ""
    return f"{row.amount.normalize():f} {row.currency} per {row.per.normalize():f}{free}"
