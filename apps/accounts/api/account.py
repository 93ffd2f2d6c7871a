"""``account``: the account itself."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from apps.accounts.api.preconditions import answer_object, check_unchanged
from apps.accounts.api.serializers import Input, Text, Time
from apps.accounts.api.views import AccountView
from apps.accounts.models import Account
from apps.accounts.services.update_account import update_account


class AccountSerializer(Input):
    """The account that the key or the session acts for."""

    id = serializers.UUIDField(read_only=True)
    name = Text(max_length=120, required=False)
    slug = Text(max_length=60, required=False, help_text="Its part of the pages' addresses.")
    status = serializers.ChoiceField(choices=Account.Status.choices, read_only=True)
    default_region = Text(max_length=2, required=False, help_text="Country of phone numbers without +code (ISO 3166).")
    created_at = Time(read_only=True)
    updated_at = Time(read_only=True)


def show_account(account: Account) -> Any:
    """An account as outsiders read it."""
    return AccountSerializer(account).data


class OwnAccountView(AccountView):
    """The account in scope."""

    is_single = True
    actions: ClassVar = {"GET": "account.view", "PATCH": "account.update"}

    @extend_schema(operation_id="account_read", summary="Read the account", responses=AccountSerializer)
    def get(self, request: Request) -> HttpResponse:
        """Name, address and settings."""
        return answer_object(request, show_account(Account.objects.get(pk=self.account.pk)))

    @extend_schema(
        operation_id="account_update",
        summary="Change the account",
        request=AccountSerializer,
        responses=AccountSerializer,
    )
    def patch(self, request: Request) -> HttpResponse:
        """Fields that are left out stay."""
        account = Account.objects.select_for_update(no_key=True).get(pk=self.account.pk)
        check_unchanged(request, lambda: show_account(account))
        values = self.body(AccountSerializer)
        return answer_object(request, show_account(update_account(account, actor=self.actor, **values)))
