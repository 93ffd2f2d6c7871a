"""``integrations`` and what is below it. A secret is in no answer."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from apps.accounts.api.pagination import Cursors, PageParameters, answer_list
from apps.accounts.api.preconditions import answer_object, check_unchanged
from apps.accounts.api.problems import FieldError, Problem, invalid
from apps.accounts.api.serializers import Input, PassedOn, Time, page_of
from apps.accounts.api.views import AccountView, answer
from apps.integrations.models import Integration
from apps.integrations.providers import CATEGORIES, Provider, providers
from apps.integrations.services import connections, trying

_CURSORS = Cursors("integrations", UUID)
_VALUES = {"type": "object", "additionalProperties": True}


class IntegrationSerializer(Input):
    """A connection of the account to an outside service."""

    id = serializers.UUIDField(read_only=True)
    category = serializers.CharField(max_length=40)
    provider = serializers.CharField(max_length=40)
    name = serializers.CharField(
        max_length=100, default="", allow_blank=True, help_text="Tells several connections of one provider apart."
    )
    status = serializers.ChoiceField(choices=Integration.Status.choices, read_only=True)
    enabled = serializers.BooleanField(default=True)
    credentials = PassedOn(
        schema=_VALUES,
        help_text="As the provider's definition names them. Answers hold secrets masked (`••••••••abcd`); a masked "
        "value that is sent back leaves the secret as it is.",
    )
    settings = PassedOn(schema=_VALUES, help_text="As the provider's definition names them.")
    identity = serializers.CharField(read_only=True, help_text="Whose credential it is, as the service puts it.")
    last_tested_at = Time(read_only=True, allow_null=True)
    last_used_at = Time(read_only=True, allow_null=True)
    last_error_at = Time(read_only=True, allow_null=True)
    last_error_message = serializers.CharField(read_only=True)
    created_at = Time(read_only=True)
    updated_at = Time(read_only=True)


class IntegrationChangeSerializer(Input):
    """What of a connection can be changed."""

    name = serializers.CharField(max_length=100, required=False, allow_blank=True)
    enabled = serializers.BooleanField(required=False)
    credentials = PassedOn(schema=_VALUES)
    settings = PassedOn(schema=_VALUES)


class IntegrationTestSerializer(serializers.Serializer[Any]):
    """What a connection test found."""

    ok = serializers.BooleanField()
    identity = serializers.CharField()
    code = serializers.CharField(help_text="Of a failure: `credential_refused`, `rate_limited`, `unavailable` …")
    message = serializers.CharField(help_text="Of a failure, in the service's words.")
    todo = serializers.CharField(help_text="Of a failure: the one thing to do.")
    integration = IntegrationSerializer()


class AvailableSerializer(serializers.Serializer[Any]):
    """A provider that can be connected, with the fields it asks for."""

    category = serializers.CharField()
    provider = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment] # a field of this name, not the serializer's own label
    description = serializers.CharField()
    docs_url = serializers.URLField()
    jobs = serializers.ListField(child=serializers.CharField())
    credential_fields = serializers.ListField(child=serializers.DictField())
    setting_fields = serializers.ListField(child=serializers.DictField())
    configured = serializers.BooleanField()


class AvailablePageSerializer(serializers.Serializer[Any]):
    """All providers."""

    results = AvailableSerializer(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    categories = serializers.ListField(child=serializers.DictField())


def show_integration(row: Integration) -> dict[str, Any]:
    """A connection as outsiders read it."""
    return {
        "id": row.id,
        "category": row.category,
        "provider": row.provider,
        "name": row.name,
        "status": row.status,
        "enabled": row.enabled,
        "credentials": row.masked_credentials,
        "settings": {**row.definition.defaults, **row.settings},
        "identity": row.identity,
        "last_tested_at": row.last_tested_at,
        "last_used_at": row.last_used_at,
        "last_error_at": row.last_error_at,
        "last_error_message": row.last_error_message,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }


def show_provider(provider: Provider, *, configured: bool) -> dict[str, Any]:
    """A provider's definition as outsiders read it."""
    return {
        "category": provider.category,
        "provider": provider.name,
        "label": provider.label,
        "description": provider.description,
        "docs_url": provider.docs_url,
        "jobs": sorted(provider.jobs),
        "credential_fields": [
            {
                "name": field.name,
                "label": field.label,
                "required": field.required,
                "secret": field.secret,
                "help": field.help,
            }
            for field in provider.credentials
        ],
        "setting_fields": [
            {
                "name": field.name,
                "label": field.label,
                "type": field.kind,
                "required": field.required,
                "default": field.default,
                "options": [{"value": option.value, "label": option.label} for option in field.options],
                "help": field.help,
            }
            for field in provider.settings
        ],
        "configured": configured,
    }


def show_outcome(outcome: trying.Outcome, row: Integration) -> dict[str, Any]:
    """What a test came to, with the connection as it is now."""
    return {
        "ok": outcome.ok,
        "identity": outcome.identity,
        "code": outcome.code,
        "message": outcome.message,
        "todo": outcome.todo,
        "integration": show_integration(row),
    }


class IntegrationsView(AccountView):
    """The account's connections."""

    actions: ClassVar = {"GET": "integrations.view", "POST": "integrations.manage"}

    @extend_schema(
        operation_id="integrations_list",
        summary="List integrations",
        parameters=[PageParameters],
        responses=page_of(IntegrationSerializer),
    )
    def get(self, request: Request) -> HttpResponse:
        """The latest first."""
        return answer_list(Integration.objects.all(), self.parameters(PageParameters), _CURSORS, show_integration)

    @extend_schema(
        operation_id="integrations_create",
        summary="Connect a service",
        request=IntegrationSerializer,
        responses={201: IntegrationSerializer},
    )
    def post(self, request: Request) -> HttpResponse:
        """Stores the connection without trying it; `POST integrations/{id}/test` does that."""
        values = self.body(IntegrationSerializer)
        row = connections.connect(
            actor=self.actor,
            category=values["category"],
            provider_name=values["provider"],
            name=values["name"],
            enabled=values["enabled"],
            credentials=_object(values.get("credentials"), "credentials"),
            settings=_object(values.get("settings"), "settings"),
        )
        location = reverse("api:integration", args=[row.id])
        return answer(show_integration(row), status=201, headers={"Location": location})


class AvailableIntegrationsView(AccountView):
    """What can be connected."""

    actions: ClassVar = {"GET": "integrations.view"}

    @extend_schema(operation_id="integrations_available", summary="List providers", responses=AvailablePageSerializer)
    def get(self, request: Request) -> HttpResponse:
        """Every provider with the fields it asks for, by category."""
        known = set(Integration.objects.values_list("provider", flat=True))
        order = list(CATEGORIES)
        offered = sorted(providers().values(), key=lambda entry: order.index(entry.category))
        return answer(
            {
                "results": [show_provider(entry, configured=entry.name in known) for entry in offered],
                "next": None,
                "previous": None,
                "categories": [
                    {"name": entry.name, "label": entry.label, "description": entry.description, "icon": entry.icon}
                    for entry in CATEGORIES.values()
                ],
            }
        )


class IntegrationView(AccountView):
    """One connection."""

    actions: ClassVar = {"GET": "integrations.view", "PATCH": "integrations.manage", "DELETE": "integrations.manage"}

    @extend_schema(operation_id="integrations_read", summary="Read an integration", responses=IntegrationSerializer)
    def get(self, request: Request, integration_id: UUID) -> HttpResponse:
        """Everything but the secrets."""
        return answer_object(request, show_integration(Integration.objects.get(pk=integration_id)))

    @extend_schema(
        operation_id="integrations_update",
        summary="Change an integration",
        request=IntegrationChangeSerializer,
        responses=IntegrationSerializer,
    )
    def patch(self, request: Request, integration_id: UUID) -> HttpResponse:
        """What is left out stays, also of credentials and settings."""
        row = self._locked(request, integration_id)
        values = self.body(IntegrationChangeSerializer)
        for group in ("credentials", "settings"):
            if group in values:
                values[group] = _object(values[group], group)
        return answer_object(request, show_integration(connections.change(row, actor=self.actor, **values)))

    @extend_schema(operation_id="integrations_delete", summary="Remove an integration", responses={204: None})
    def delete(self, request: Request, integration_id: UUID) -> HttpResponse:
        """Forgets the credential too."""
        connections.remove(self._locked(request, integration_id), actor=self.actor)
        return HttpResponse(status=204)

    def _locked(self, request: Request, integration_id: UUID) -> Integration:
        row = connections.lock_integration(integration_id)
        check_unchanged(request, lambda: show_integration(row))
        return row


class IntegrationTestView(AccountView):
    """Trying a connection."""

    actions: ClassVar = {"POST": "integrations.manage"}

    @extend_schema(
        operation_id="integrations_test",
        summary="Test an integration",
        request=None,
        responses=IntegrationTestSerializer,
    )
    def post(self, request: Request, integration_id: UUID) -> HttpResponse:
        """A real call that costs nothing. At most 5 a minute; the answer is 200 also when the test fails."""
        row = connections.lock_integration(integration_id)
        outcome = _in_time(partial(trying.test_connection, row, actor=self.actor))
        return answer(show_outcome(outcome, row))


class IntegrationRotateView(AccountView):
    """Replacing a credential."""

    actions: ClassVar = {"POST": "integrations.manage"}

    class NewCredential(Input):
        """The new credential, or the parts of it that change."""

        credentials = PassedOn(schema=_VALUES)

    @extend_schema(
        operation_id="integrations_rotate",
        summary="Rotate a credential",
        request=NewCredential,
        responses=IntegrationTestSerializer,
    )
    def post(self, request: Request, integration_id: UUID) -> HttpResponse:
        """The new credential is tested first. If it fails (422) the old one goes on serving."""
        row = connections.lock_integration(integration_id)
        given = _object(self.body(self.NewCredential).get("credentials"), "credentials")
        outcome = _in_time(partial(trying.rotate, row, credentials=given, actor=self.actor))
        if not outcome.ok:
            raise Problem(422, outcome.code, f"{outcome.message} {outcome.todo} The old credential goes on serving.")
        return answer(show_outcome(outcome, row))


class IntegrationToggleView(AccountView):
    """Switching a connection on or off."""

    actions: ClassVar = {"POST": "integrations.manage"}

    class Direction(Input):
        """Which way; the other way than now when left out."""

        enabled = serializers.BooleanField(required=False)

    @extend_schema(
        operation_id="integrations_toggle",
        summary="Enable or disable an integration",
        request=Direction,
        responses=IntegrationSerializer,
    )
    def post(self, request: Request, integration_id: UUID) -> HttpResponse:
        """A disabled connection keeps all it knows and is called by nobody."""
        row = connections.lock_integration(integration_id)
        on = self.body(self.Direction).get("enabled", not row.enabled)
        return answer(show_integration(connections.switch(row, on=on, actor=self.actor)))


def _object(value: Any, name: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise invalid([FieldError(name, "not_an_object", "Send an object with named fields.")])
    return value


def _in_time(call: Callable[[], trying.Outcome]) -> trying.Outcome:
    """Raises Problem (429) when the connection was tried too often."""
    try:
        return call()
    except trying.TooManyTests as error:
        raise Problem(429, "rate_limited", str(error), headers={"Retry-After": str(error.retry_after)}) from None
