"""``tokens`` and ``tokens/{type}``: what is known of the account's grants, never a token itself."""

from __future__ import annotations

import logging
from typing import Any, ClassVar
from uuid import UUID

from django.db import DatabaseError
from django.http import Http404, HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from apps.accounts.api.pagination import Cursors, PageParameters, answer_list
from apps.accounts.api.preconditions import answer_object, check_unchanged
from apps.accounts.api.serializers import Time, page_of
from apps.accounts.api.views import AccountView, answer
from apps.vault.models import Token
from apps.vault.tokens import NoToken, revoke
from apps.vault.tokens.keeping import grant_of, lock

logger = logging.getLogger(__name__)

_CURSORS = Cursors("tokens", UUID)


class TokenSerializer(serializers.Serializer[Any]):
    """A grant that an outside service gave to the account. The tokens themselves are in no answer."""

    type = serializers.CharField(help_text="What it is for; `integration:{id}` for a connection's.")
    status = serializers.ChoiceField(choices=Token.Status.choices)
    scopes = serializers.ListField(child=serializers.CharField())
    granted_at = Time()
    refreshed_at = Time(allow_null=True)
    expires_at = Time(allow_null=True, help_text="Of the access token; null: it lasts until it is revoked.")
    next_refresh_at = Time(allow_null=True)
    refreshable = serializers.BooleanField()
    last_error = serializers.CharField(help_text="Of the last refresh, when it failed.")
    created_at = Time()
    updated_at = Time()


class TokenRemovedSerializer(serializers.Serializer[Any]):
    """Of a token that was removed although its service could not be told."""

    given_back = serializers.BooleanField()
    detail = serializers.CharField()


def show_token(row: Token) -> dict[str, Any]:
    """A grant as outsiders read it."""
    grant = grant_of(row)
    due = grant.due_at if grant.refresh_token else None
    return {
        "type": row.kind,
        "status": row.status,
        "scopes": row.scopes,
        "granted_at": row.granted_at,
        "refreshed_at": row.refreshed_at,
        "expires_at": row.expires_at,
        "next_refresh_at": row.next_attempt_at or due,
        "refreshable": bool(grant.refresh_token),
        "last_error": row.last_error,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }


class TokensView(AccountView):
    """The account's grants."""

    actions: ClassVar = {"GET": "tokens.view"}

    @extend_schema(
        operation_id="tokens_list",
        summary="List tokens",
        parameters=[PageParameters],
        responses=page_of(TokenSerializer),
    )
    def get(self, request: Request) -> HttpResponse:
        """The latest first; what is known of them, never their text."""
        return answer_list(Token.objects.all(), self.parameters(PageParameters), _CURSORS, show_token)


class TokenView(AccountView):
    """One grant."""

    actions: ClassVar = {"GET": "tokens.view", "DELETE": "tokens.manage"}

    @extend_schema(operation_id="tokens_read", summary="Read a token's state", responses=TokenSerializer)
    def get(self, request: Request, kind: str) -> HttpResponse:
        """Everything but the token."""
        return answer_object(request, show_token(Token.objects.get(kind=kind)))

    @extend_schema(
        operation_id="tokens_delete",
        summary="Revoke a token",
        responses={204: None, 200: TokenRemovedSerializer},
    )
    def delete(self, request: Request, kind: str) -> HttpResponse:
        """Forgets it and gives it back to its service; 200 instead of 204 says that the service could not be told."""
        try:
            row = lock(kind)
        except NoToken as error:
            raise Http404(str(error)) from None
        check_unchanged(request, lambda: show_token(row))
        try:
            revoke(kind, actor=self.actor)
        except DatabaseError:
            raise  # then nothing was removed
        except Exception as error:
            logger.warning("A grant was removed, and its service not told: %s", type(error).__name__)
            return answer({"given_back": False, "detail": f"Removed here. The service could not be told: {error}"})
        return HttpResponse(status=204)
