"""``integrations/{id}/health``: how a connection stands."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from apps.accounts.api.serializers import Time
from apps.accounts.api.views import AccountView, answer
from apps.integrations.health import Health, health_of
from apps.integrations.models import Integration, IntegrationFailure


class IntegrationFailureSerializer(serializers.Serializer[Any]):
    """Something that went wrong, or the same several times in a row."""

    at = Time()
    first_at = Time()
    times = serializers.IntegerField()
    job = serializers.CharField(help_text="What was asked, such as `payment.get_payment`; empty for a connection test.")
    who = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()


class IntegrationFaultSerializer(serializers.Serializer[Any]):
    """What is wrong now."""

    message = serializers.CharField(help_text="In the service's words.")
    at = Time(allow_null=True)


class EventsSerializer(serializers.Serializer[Any]):
    """What the service sends by itself."""

    address = serializers.URLField(help_text="Where to have it send its events.")
    last_at = Time(allow_null=True, help_text="When the newest verified event came.")
    last_kind = serializers.CharField(help_text="What it was, in the service's word; empty when none came yet.")


class IntegrationHealthSerializer(serializers.Serializer[Any]):
    """How a connection stands; nothing is called to find out."""

    status = serializers.ChoiceField(choices=Integration.Status.choices)
    identity = serializers.CharField(help_text="Whose consent or credential it is, as the service puts it.")
    last_tested_at = Time(allow_null=True)
    last_used_at = Time(allow_null=True)
    last_refreshed_at = Time(allow_null=True, help_text="Of a grant (OAuth).")
    next_refresh_at = Time(allow_null=True, help_text="Of a grant that is renewed by itself.")
    expires_at = Time(allow_null=True, help_text="Of a grant; null: it lasts until it is revoked.")
    scopes = serializers.ListField(child=serializers.CharField())
    error = IntegrationFaultSerializer(allow_null=True)
    todo = serializers.CharField(help_text="The one thing to do; empty when nothing is wrong.")
    events = EventsSerializer(allow_null=True, help_text="Null for a service that sends none.")
    recent_errors = IntegrationFailureSerializer(many=True, help_text="The latest first, at most 20.")


def show_health(health: Health, failures: list[IntegrationFailure]) -> dict[str, Any]:
    """Health as outsiders read it."""
    names = ("status", "identity", "last_tested_at", "last_used_at", "last_refreshed_at", "next_refresh_at")
    return {
        **{name: getattr(health, name) for name in names},
        "expires_at": health.expires_at,
        "scopes": list(health.scopes),
        "error": {"message": health.error, "at": health.error_at} if health.error else None,
        "todo": health.todo,
        "events": _events(health),
        "recent_errors": [
            {
                "at": failure.at,
                "first_at": failure.first_at,
                "times": failure.times,
                "job": failure.job,
                "who": failure.who,
                "code": failure.code,
                "message": failure.message,
            }
            for failure in failures
        ],
    }


def _events(health: Health) -> dict[str, Any] | None:
    if not health.delivery_address:
        return None
    last = health.last_event
    return {
        "address": health.delivery_address,
        "last_at": last.created_at if last else None,
        "last_kind": last.kind if last else "",
    }


class IntegrationHealthView(AccountView):
    """How one connection stands."""

    actions: ClassVar = {"GET": "integrations.view"}

    @extend_schema(
        operation_id="integrations_health",
        summary="Read an integration's health",
        responses=IntegrationHealthSerializer,
    )
    def get(self, request: Request, integration_id: UUID) -> HttpResponse:
        """From what tests and calls found; to find out anew, `POST integrations/{id}/test`."""
        row = Integration.objects.get(pk=integration_id)
        return answer(show_health(health_of(row), list(row.failures.order_by("-at"))))
