"""``limits`` and ``limits/{id}``: how much may be used, by whom, in which time."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from apps.accounts.api.pagination import Cursors, PageParameters, answer_page
from apps.accounts.api.preconditions import answer_object, check_unchanged
from apps.accounts.api.serializers import Input, Text, Time, page_of
from apps.accounts.api.views import AccountView
from apps.accounts.keyset import newest_first
from apps.accounts.metering import limits as service
from apps.accounts.metering.counters import current
from apps.accounts.metering.periods import end_of
from apps.accounts.models import Counter, Limit

_CURSORS = Cursors("limits", UUID)


class LimitSerializer(Input):
    """At most ``amount`` (of money, or of a unit) per period, for the account or for what ``scope`` names."""

    id = serializers.UUIDField(read_only=True)
    scope = serializers.ChoiceField(choices=Limit.Scope.choices, default=Limit.Scope.ACCOUNT.value)
    user_id = serializers.UUIDField(default=None, allow_null=True, help_text="With scope `member`: the person.")
    api_key_id = serializers.UUIDField(default=None, allow_null=True, help_text="With scope `api_key`.")
    source = Text(  # type: ignore[assignment]
        max_length=40,
        default="",
        allow_blank=True,
        help_text="With scope `source`: `integrations`, `chat`, `workflows` …",
    )
    subject = serializers.UUIDField(
        default=None, allow_null=True, help_text="One connection, workflow … of that source."
    )
    measure = serializers.ChoiceField(choices=Limit.Measure.choices, default=Limit.Measure.COST.value)
    unit = Text(max_length=40, default="", allow_blank=True, help_text="With measure `quantity`: `calls` …")
    period = serializers.ChoiceField(
        choices=Limit.Period.choices, default=Limit.Period.MONTH.value, help_text="By the clock in UTC."
    )
    amount = serializers.DecimalField(max_digits=24, decimal_places=10, min_value=0)
    hard = serializers.BooleanField(default=True, help_text="Refuse what does not fit; otherwise only warn.")
    allow_unpriced = serializers.BooleanField(
        default=False, help_text="Of cost: let work pass whose price nobody knows. A hard limit refuses it otherwise."
    )
    currency = serializers.CharField(read_only=True, allow_null=True)
    set_by = serializers.ChoiceField(choices=Limit.SetBy.choices, read_only=True)
    changeable = serializers.BooleanField(
        read_only=True, help_text="False: the operator's, or a setting of the API key."
    )
    used = serializers.DecimalField(max_digits=24, decimal_places=10, read_only=True)
    reserved = serializers.DecimalField(max_digits=24, decimal_places=10, read_only=True)
    unpriced = serializers.IntegerField(read_only=True, help_text="Lines that are not in `used`: no price is known.")
    resets_at = Time(read_only=True, allow_null=True)
    created_at = Time(read_only=True)
    updated_at = Time(read_only=True)


class LimitChangeSerializer(Input):
    """What can be changed of a limit; for another target or period, set another limit."""

    amount = serializers.DecimalField(max_digits=24, decimal_places=10, min_value=0, required=False)
    allow_unpriced = serializers.BooleanField(required=False)


def show_limit(row: Limit, counter: Counter) -> Any:
    """A limit as outsiders read it, with where it stands now."""
    return {
        "id": str(row.id),
        "scope": row.scope,
        "user_id": row.user_id,
        "api_key_id": row.api_key_id,
        "source": row.source,
        "subject": row.subject,
        "measure": row.measure,
        "unit": row.unit,
        "period": row.period,
        "amount": _decimal(row.amount),
        "hard": row.hard,
        "allow_unpriced": row.allow_unpriced,
        "currency": settings.CURRENCY if row.is_cost else None,
        "set_by": row.set_by,
        "changeable": not row.of_key and row.set_by == Limit.SetBy.TENANT,
        "used": _decimal(counter.used),
        "reserved": _decimal(counter.reserved),
        "unpriced": counter.unpriced,
        "resets_at": end_of(row.period, timezone.now()),
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }


MOVING = ("used", "reserved", "unpriced", "resets_at")
"""What of a limit changes without anybody changing it."""


def _answer(request: Request, row: Limit, **more: Any) -> HttpResponse:
    shown = _shown(row)
    return answer_object(request, shown, stable=_stable(shown), **more)


def _stable(shown: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in shown.items() if name not in MOVING}


def _decimal(value: Any) -> str:
    return f"{Decimal(value).normalize():f}"


def _shown(row: Limit) -> Any:
    return show_limit(row, current([row])[row.id])


class LimitsView(AccountView):
    """All limits of the account."""

    actions: ClassVar = {"GET": "limits.view", "POST": "limits.manage"}

    @extend_schema(
        operation_id="limits_list",
        summary="List limits",
        parameters=[PageParameters],
        responses=page_of(LimitSerializer),
    )
    def get(self, request: Request) -> HttpResponse:
        """The latest first, each with what is used and reserved in its period."""
        wanted = self.parameters(PageParameters)
        position = _CURSORS.read(wanted.get("cursor"))
        page = newest_first(Limit.objects.all(), ("id",), position, wanted["limit"], lambda row: (row.id,))
        counters = current(page.rows)
        return answer_page(page, _CURSORS, lambda row: show_limit(row, counters[row.id]))

    @extend_schema(
        operation_id="limits_set", summary="Set a limit", request=LimitSerializer, responses={201: LimitSerializer}
    )
    def post(self, request: Request) -> HttpResponse:
        """What was used in the period counts from the start. A limit of the same target and period is replaced."""
        row = service.set_limit(actor=self.actor, **self.body(LimitSerializer))
        where = reverse("api:limit", args=[row.id])
        return _answer(request, row, status=201, location=where)


class LimitView(AccountView):
    """One limit."""

    actions: ClassVar = {"GET": "limits.view", "PATCH": "limits.manage", "DELETE": "limits.manage"}

    @extend_schema(operation_id="limits_read", summary="Read a limit", responses=LimitSerializer)
    def get(self, request: Request, limit_id: UUID) -> HttpResponse:
        """With what is used and reserved in its period."""
        return _answer(request, Limit.objects.get(pk=limit_id))

    @extend_schema(
        operation_id="limits_update",
        summary="Change a limit",
        request=LimitChangeSerializer,
        responses=LimitSerializer,
    )
    def patch(self, request: Request, limit_id: UUID) -> HttpResponse:
        """Lowered under what is used, it refuses from now on. The operator's can't be changed here."""
        row = self._locked(request, limit_id)
        values = self.body(LimitChangeSerializer, partial=True)
        return _answer(request, service.change_limit(row, actor=self.actor, **values))

    @extend_schema(operation_id="limits_delete", summary="Remove a limit", responses={204: None})
    def delete(self, request: Request, limit_id: UUID) -> HttpResponse:
        """Nothing is limited by it any more; what was used stays in the ledger."""
        service.remove_limit(self._locked(request, limit_id), actor=self.actor)
        return HttpResponse(status=204)

    def _locked(self, request: Request, limit_id: UUID) -> Limit:
        row: Limit = Limit.objects.select_for_update(no_key=True).get(pk=limit_id)
        check_unchanged(request, lambda: _stable(_shown(row)))
        return row
