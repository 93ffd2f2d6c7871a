"""Setting and removing limits. What was used in the period already counts: the counter is made from the ledger."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.metering.names import source_label
from apps.accounts.metering.periods import start_of
from apps.accounts.models import APIKey, Counter, Limit, LimitAlert, Membership
from apps.accounts.permissions import require
from apps.accounts.tenancy.scope import platform, tenant

_AT_ONCE = "Somebody else set and removed this limit at the same moment. Look at it again."
TARGET = ("scope", "user_id", "api_key_id", "source", "subject")
IDENTITY = (*TARGET, "measure", "unit", "period", "hard")
CHANGEABLE = ("amount", "allow_unpriced")


def set_limit(
    *,
    actor: Actor,
    amount: Decimal,
    scope: str = Limit.Scope.ACCOUNT,
    user_id: UUID | None = None,
    api_key_id: UUID | None = None,
    source: str = "",
    subject: UUID | None = None,
    measure: str = Limit.Measure.COST,
    unit: str = "",
    period: str = Limit.Period.MONTH,
    hard: bool = True,
    allow_unpriced: bool = False,
) -> Limit:
    """Set a limit in the account in scope, in place of the one of the same target, measure and period.

    Staff and the product set the operator's, which an account can't change. Raises PermissionDenied, ValidationError
    naming the field.
    """
    require(actor, "limits.manage")
    wanted = Limit(
        scope=scope,
        user_id=user_id,
        api_key_id=api_key_id,
        source=source,
        subject=subject,
        measure=measure,
        unit=unit,
        period=period,
        amount=amount,
        hard=hard,
        allow_unpriced=allow_unpriced,
        set_by=_setter(actor),
    )
    _check(wanted)
    if _same(wanted) is None:
        _insert(wanted)
    there = _same(wanted)
    if there is None:
        raise ValidationError({"amount": ValidationError(_AT_ONCE, code="conflict")})
    if there.pk != wanted.pk:
        return change_limit(there, actor=actor, amount=amount, allow_unpriced=allow_unpriced)
    changes = {name: _shown(getattr(wanted, name)) for name in (*IDENTITY, *CHANGEABLE) if getattr(wanted, name)}
    audit.record(
        "limit.set", actor=actor, entity=wanted, label=label_of(wanted), changes={"to": _to(wanted), **changes}
    )
    return wanted


def _same(wanted: Limit) -> Limit | None:
    """The limit in whose place ``wanted`` comes, locked."""
    same = {name: getattr(wanted, name) for name in (*IDENTITY, "set_by")}
    row: Limit | None = Limit.objects.select_for_update(no_key=True).filter(**same, of_key=False).first()
    return row


def _insert(wanted: Limit) -> None:
    """Unless somebody sets the same at this moment: then that one is there when we have waited for it."""
    with suppress(IntegrityError), transaction.atomic():
        wanted.save(force_insert=True)


def change_limit(row: Limit, *, actor: Actor, **values: Any) -> Limit:
    """Change the CHANGEABLE values of a limit; lowered under what is used, it refuses from now on.

    Raises PermissionDenied, ValidationError naming the field.
    """
    _require_own(row, actor)
    unknown = set(values) - set(CHANGEABLE)
    if unknown:
        raise TypeError(f"Not changeable of a limit: {', '.join(sorted(unknown))}")
    before = {name: getattr(row, name) for name in values}
    for name, value in values.items():
        setattr(row, name, value)
    _check(row)
    changed = {
        name: [_shown(old), _shown(getattr(row, name))] for name, old in before.items() if old != getattr(row, name)
    }
    if changed:
        row.save(update_fields=[*changed, "updated_at"])
        # Before the counters: whoever waits for the end of the trail must not keep those who count waiting, for one of
        # them may be the request that holds it.
        audit.record("limit.changed", actor=actor, entity=row, label=label_of(row), changes={"to": _to(row), **changed})
        if "amount" in changed:
            _tell_anew(row)
    return row


def remove_limit(row: Limit, *, actor: Actor) -> None:
    """Take a limit away, with its counters and alerts. Raises PermissionDenied."""
    _require_own(row, actor)
    audit.record("limit.removed", actor=actor, entity=row, label=label_of(row), changes={"amount": [_to(row), None]})
    # First its counters: who counts holds one, and writes alerts of the limit.
    Counter.objects.filter(limit=row).delete()
    row.delete()


def set_key_limit(key: APIKey) -> None:
    """Make ``cost_limit_per_month`` of a key the limit that it is; None takes it away. The key's own entry tells."""
    there = Limit.objects.select_for_update(no_key=True).filter(api_key_id=key.id, of_key=True).first()
    amount = key.cost_limit_per_month
    if amount is None:
        if there is not None:
            there.delete()
        return
    if there is None:
        Limit.objects.create(
            scope=Limit.Scope.API_KEY, api_key_id=key.id, amount=amount, set_by=Limit.SetBy.TENANT, of_key=True
        )
    elif there.amount != amount:
        Limit.objects.filter(pk=there.pk).update(amount=amount)
        _tell_anew(there)


def _tell_anew(row: Limit) -> None:
    """What was told in the period that goes on was told of another amount."""
    Counter.objects.filter(limit=row).update(alerted=0)
    LimitAlert.objects.filter(limit=row, period_start=start_of(row.period, timezone.now())).delete()


def forget_key(key_id: UUID) -> None:
    """The key is gone: its limits go too; what it used stays in the ledger."""
    Limit.objects.filter(api_key_id=key_id).delete()


def limit_keys() -> int:
    """Make the limits of keys that were stored before there was a ledger. Returns how many."""
    with platform("find keys whose limit of cost is not in the ledger"):
        limits = Limit.objects.filter(api_key_id=OuterRef("pk"), of_key=True)
        missing = APIKey.objects.filter(~Exists(limits), cost_limit_per_month__isnull=False)
        found = list(missing.values_list("account_id", "id"))
    for account_id, key_id in found:
        with tenant(account_id):
            key = APIKey.objects.filter(pk=key_id).first()
            if key is not None:
                set_key_limit(key)
    return len(found)


def label_of(limit: Limit) -> str:
    """What is limited, in words: "cost of the account per month"."""
    what = "cost" if limit.is_cost else limit.unit.replace("_", " ")
    whom = {
        Limit.Scope.ACCOUNT: "the account",
        Limit.Scope.MEMBER: "a member",
        Limit.Scope.API_KEY: "an API key",
        Limit.Scope.SOURCE: source_label(limit.source),
    }[Limit.Scope(limit.scope)]
    return f"{what} of {whom} {'in all' if limit.period == 'total' else f'per {limit.period}'}"


def _setter(actor: Actor) -> str:
    return Limit.SetBy.OPERATOR if actor.kind in {"staff", "system"} else Limit.SetBy.TENANT


def _require_own(row: Limit, actor: Actor) -> None:
    require(actor, "limits.manage")
    if row.of_key:
        raise PermissionDenied("This limit is a setting of an API key: change it there.")
    if row.set_by == Limit.SetBy.OPERATOR and _setter(actor) != Limit.SetBy.OPERATOR:
        raise PermissionDenied("The operator set this limit. Ask them to change it, or set a lower one beside it.")


def _check(row: Limit) -> None:
    """Raises ValidationError naming the field."""
    wrong: dict[str, ValidationError] = {}
    needs = {Limit.Scope.MEMBER: "user_id", Limit.Scope.API_KEY: "api_key_id", Limit.Scope.SOURCE: "source"}
    for scope, name in needs.items():
        given = bool(getattr(row, name))
        if given and row.scope != scope:
            wrong[name] = ValidationError(f"Only a limit of scope “{scope}” has this.", code="not_for_scope")
        if row.scope == scope and not given:
            wrong[name] = ValidationError("A limit of this scope needs it.", code="required")
    if row.subject and not row.source:
        wrong["subject"] = ValidationError("Name the source that it belongs to.", code="required")
    if bool(row.unit) == row.is_cost:
        words = "A limit of cost has no unit." if row.is_cost else "Say which unit is limited."
        wrong["unit"] = ValidationError(words, code="not_for_measure" if row.is_cost else "required")
    if not wrong and row.user_id and not Membership.objects.filter(user_id=row.user_id).exists():
        wrong["user_id"] = ValidationError("There is no such member.", code="not_found")
    if not wrong and row.api_key_id and not APIKey.objects.filter(pk=row.api_key_id).exists():
        wrong["api_key_id"] = ValidationError("There is no such API key.", code="not_found")
    if wrong:
        raise ValidationError(wrong)
    row.clean_fields(exclude=["id", "account", *wrong])


def _shown(value: Any) -> Any:
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value) if isinstance(value, UUID) else value


def _to(row: Limit) -> str:
    number = f"{row.amount.normalize():f}"
    return f"{number} {settings.CURRENCY}" if row.is_cost else f"{number} {row.unit.replace('_', ' ')}"
