"""``api-keys``, ``api-keys/{id}`` and ``api-keys/{id}/rotate``."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from apps.accounts.actors import Actor
from apps.accounts.api.pagination import Cursors, PageParameters, answer_list
from apps.accounts.api.preconditions import answer_object, check_unchanged
from apps.accounts.api.serializers import Input, Text, Time, page_of
from apps.accounts.api.views import AccountView, answer
from apps.accounts.models import APIKey
from apps.accounts.permissions import allows, require
from apps.accounts.roles import Role
from apps.accounts.services import api_keys as service

_CURSORS = Cursors("api-keys", UUID)


class APIKeySerializer(Input):
    """A key with which a program acts for the account, never its secret."""

    id = serializers.UUIDField(read_only=True)
    name = Text(max_length=120)
    role = serializers.ChoiceField(choices=Role.choices, default=Role.MEMBER.value)
    scopes = serializers.ListField(
        child=Text(max_length=60),
        max_length=100,
        default=list,
        help_text="Actions (`contacts.view`) or resources (`contacts.*`); none means all that the role may do.",
    )
    expires_at = Time(default=None, allow_null=True)
    rate_limit_per_hour = serializers.IntegerField(default=None, allow_null=True, min_value=0, max_value=2_147_483_647)
    cost_limit_per_month = serializers.DecimalField(
        default=None, allow_null=True, max_digits=10, decimal_places=4, min_value=0, help_text="In `currency`."
    )
    currency = serializers.SerializerMethodField()
    enabled = serializers.BooleanField(default=True)
    prefix = serializers.CharField(read_only=True, help_text="The part of the key that is no secret.")
    created_by = serializers.UUIDField(read_only=True, source="created_by_id", allow_null=True)
    last_used_at = Time(read_only=True, allow_null=True)
    created_at = Time(read_only=True)
    updated_at = Time(read_only=True)

    def get_currency(self, row: APIKey) -> str:
        """What limits of cost are in."""
        return str(settings.CURRENCY)


class NewAPIKeySerializer(APIKeySerializer):
    """A key with its text, which is shown this once."""

    key = serializers.CharField(read_only=True)


def show_key(row: APIKey) -> Any:
    """A key as outsiders read it."""
    return APIKeySerializer(row).data


class APIKeysView(AccountView):
    """The keys the caller may see: all for admins, their own for members."""

    actions: ClassVar = {"GET": "api_keys.view_own", "POST": "api_keys.create"}

    @extend_schema(
        operation_id="api_keys_list",
        summary="List API keys",
        parameters=[PageParameters],
        responses=page_of(APIKeySerializer),
    )
    def get(self, request: Request) -> HttpResponse:
        """The latest first. Members see the keys they made."""
        rows = APIKey.objects.all()
        if not allows(self.actor, "api_keys.view"):
            rows = rows.filter(created_by_id=self.actor.user_id)
        return answer_list(rows, self.parameters(PageParameters), _CURSORS, show_key)

    @extend_schema(
        operation_id="api_keys_create",
        summary="Make an API key",
        request=APIKeySerializer,
        responses={201: NewAPIKeySerializer},
    )
    def post(self, request: Request) -> HttpResponse:
        """The answer alone holds ``key``; it can't be had again. A key may not do more than its maker."""
        made = service.create_api_key(actor=self.actor, **self.body(APIKeySerializer))
        return _answer_once(made, status=201)


class APIKeyView(AccountView):
    """One key."""

    actions: ClassVar = {
        "GET": "api_keys.view_own",
        "PATCH": "api_keys.manage_own",
        "DELETE": "api_keys.manage_own",
    }

    @extend_schema(operation_id="api_keys_read", summary="Read an API key", responses=APIKeySerializer)
    def get(self, request: Request, key_id: UUID) -> HttpResponse:
        """Everything but the key's text."""
        return answer_object(request, show_key(_found(key_id, self.actor, "api_keys.view")))

    @extend_schema(
        operation_id="api_keys_update",
        summary="Change an API key",
        request=APIKeySerializer,
        responses=APIKeySerializer,
    )
    def patch(self, request: Request, key_id: UUID) -> HttpResponse:
        """Fields that are left out stay."""
        row = self._locked(request, key_id)
        values = self.body(APIKeySerializer, partial=True)
        return answer_object(request, show_key(service.update_api_key(row, actor=self.actor, **values)))

    @extend_schema(operation_id="api_keys_delete", summary="Delete an API key", responses={204: None})
    def delete(self, request: Request, key_id: UUID) -> HttpResponse:
        """It stops working at once."""
        service.delete_api_key(self._locked(request, key_id), actor=self.actor)
        return HttpResponse(status=204)

    def _locked(self, request: Request, key_id: UUID) -> APIKey:
        row = _found(key_id, self.actor, "api_keys.manage", lock=True)
        check_unchanged(request, lambda: show_key(row))
        return row


class APIKeyRotateView(AccountView):
    """Giving a key new text."""

    actions: ClassVar = {"POST": "api_keys.manage_own"}

    @extend_schema(
        operation_id="api_keys_rotate", summary="Rotate an API key", request=None, responses=NewAPIKeySerializer
    )
    def post(self, request: Request, key_id: UUID) -> HttpResponse:
        """The old text stops working at once. The answer alone holds the new ``key``."""
        row = _found(key_id, self.actor, "api_keys.manage", lock=True)
        return _answer_once(service.rotate_api_key(row, actor=self.actor), status=200)


def _found(key_id: UUID, actor: Actor, for_others: str, *, lock: bool = False) -> APIKey:
    """A key of the account; a colleague's needs the right ``for_others``. Raises DoesNotExist, PermissionDenied."""
    rows = APIKey.objects.select_for_update() if lock else APIKey.objects.all()
    row: APIKey = rows.get(pk=key_id)
    if actor.user_id is None or row.created_by_id != actor.user_id:
        require(actor, for_others)
    return row


def _answer_once(made: service.CreatedKey, *, status: int) -> HttpResponse:
    response = answer(
        {**show_key(made.row), "key": made.plain},
        status=status,
        headers={"Location": reverse("api:api_key", args=[made.row.id]), "Cache-Control": "no-store"},
    )
    # Not to be kept for a repetition of the request: see apps/vault/idempotency.
    response.shown_once = True  # type: ignore[attr-defined]
    return response
