"""``integrations/{id}/usage``: what a connection was used for, by day."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from apps.accounts.api.serializers import Input
from apps.accounts.api.views import AccountView, answer
from apps.integrations.models import Integration
from apps.integrations.usage import LONGEST, Used, total, usage_by_day


class IntegrationUsageParameters(Input):
    """How far back."""

    days = serializers.IntegerField(default=30, min_value=1, max_value=LONGEST, help_text="Up to today, in UTC.")


class IntegrationUsedSerializer(serializers.Serializer[Any]):
    """Sums of a day, or of all days together."""

    calls = serializers.IntegerField()
    errors = serializers.IntegerField()  # type: ignore[assignment] # a field of this name
    average_ms = serializers.IntegerField(allow_null=True, help_text="Of a call; null without calls.")
    cost = serializers.DecimalField(
        max_digits=24, decimal_places=10, allow_null=True, help_text="Null when no price was known."
    )
    unpriced = serializers.IntegerField(help_text="Lines of the ledger whose price nobody knew: they are not in cost.")


class IntegrationDaySerializer(IntegrationUsedSerializer):
    """Sums of one day."""

    day = serializers.DateField()


class IntegrationUsageSerializer(serializers.Serializer[Any]):
    """What a connection was used for."""

    currency = serializers.CharField()
    total = IntegrationUsedSerializer()
    days = IntegrationDaySerializer(many=True, help_text="The oldest first; also days on which nothing happened.")


def show_used(used: Used) -> dict[str, Any]:
    """Sums as outsiders read them; money as text, so that no program rounds it."""
    return {
        "calls": used.calls,
        "errors": used.errors,
        "average_ms": used.average_ms,
        "cost": None if used.cost is None else f"{used.cost:f}",
        "unpriced": used.unpriced,
    }


class IntegrationUsageView(AccountView):
    """What one connection was used for."""

    actions: ClassVar = {"GET": "integrations.view"}

    @extend_schema(
        operation_id="integrations_usage",
        summary="Read an integration's usage",
        parameters=[IntegrationUsageParameters],
        responses=IntegrationUsageSerializer,
    )
    def get(self, request: Request, integration_id: UUID) -> HttpResponse:
        """By day (UTC), from the ledger."""
        row = Integration.objects.get(pk=integration_id)
        days = usage_by_day(row.id, self.parameters(IntegrationUsageParameters)["days"])
        return answer(
            {
                "currency": settings.CURRENCY,
                "total": show_used(total(days)),
                "days": [{"day": used.day, **show_used(used)} for used in days],
            }
        )
