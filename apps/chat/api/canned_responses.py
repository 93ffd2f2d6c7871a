"""``canned-responses`` and ``canned-responses/{id}``."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from apps.accounts.api.pagination import Cursors, PageParameters, answer_list
from apps.accounts.api.preconditions import answer_object, check_unchanged
from apps.accounts.api.serializers import Input, Text, Time, page_of
from apps.accounts.api.views import AccountView
from apps.chat import selectors
from apps.chat.models import CannedResponse
from apps.chat.services import canned_responses as service

_CURSORS = Cursors("canned responses", UUID)


class CannedResponseSerializer(Input):
    """An answer that the team keeps ready; ``/short_code`` puts it into a reply."""

    id = serializers.UUIDField(read_only=True)
    short_code = Text(help_text="Unique in the account: small letters, digits, - and _.")
    content = Text(help_text=f"Up to {service.MOST_LETTERS:,} characters.")
    created_at = Time(read_only=True)
    updated_at = Time(read_only=True)


class CannedParameters(PageParameters):
    """Which canned responses."""

    q = serializers.CharField(
        required=False, max_length=200, help_text="With this in the short code or in the text, whatever the case."
    )
    short_code = serializers.CharField(required=False, max_length=60, help_text="With exactly this short code.")


def show_canned(canned: CannedResponse) -> Any:
    """A canned response as outsiders read it."""
    return CannedResponseSerializer(canned).data


class CannedResponsesView(AccountView):
    """All canned responses."""

    actions: ClassVar = {"GET": "canned_responses.view", "POST": "canned_responses.manage"}

    @extend_schema(
        operation_id="canned_responses_list",
        summary="List canned responses",
        parameters=[CannedParameters],
        responses=page_of(CannedResponseSerializer),
    )
    def get(self, request: Request) -> HttpResponse:
        """The newest first."""
        wanted = self.parameters(CannedParameters)
        code = service.normal_code(wanted.get("short_code", ""))
        found = selectors.canned_responses(wanted.get("q", ""), short_code=code)
        return answer_list(found, wanted, _CURSORS, show_canned)

    @extend_schema(
        operation_id="canned_responses_create",
        summary="Create a canned response",
        request=CannedResponseSerializer,
        responses={201: CannedResponseSerializer},
    )
    def post(self, request: Request) -> HttpResponse:
        """The short code is unique in the account."""
        canned = service.create_canned_response(actor=self.actor, **self.body(CannedResponseSerializer))
        return answer_object(
            request, show_canned(canned), status=201, location=reverse("api:canned_response", args=[canned.id])
        )


class CannedResponseView(AccountView):
    """One canned response."""

    actions: ClassVar = {
        "GET": "canned_responses.view",
        "PATCH": "canned_responses.manage",
        "DELETE": "canned_responses.manage",
    }

    @extend_schema(
        operation_id="canned_responses_read", summary="Read a canned response", responses=CannedResponseSerializer
    )
    def get(self, request: Request, canned_id: UUID) -> HttpResponse:
        """One canned response."""
        return answer_object(request, show_canned(CannedResponse.objects.get(pk=canned_id)))

    @extend_schema(
        operation_id="canned_responses_update",
        summary="Change a canned response",
        request=CannedResponseSerializer,
        responses=CannedResponseSerializer,
    )
    def patch(self, request: Request, canned_id: UUID) -> HttpResponse:
        """Fields that are left out stay."""
        canned = self._locked(request, canned_id)
        values = self.body(CannedResponseSerializer, partial=True)
        return answer_object(request, show_canned(service.update_canned_response(canned, actor=self.actor, **values)))

    @extend_schema(operation_id="canned_responses_delete", summary="Delete a canned response", responses={204: None})
    def delete(self, request: Request, canned_id: UUID) -> HttpResponse:
        """Replies that used it keep its text."""
        service.delete_canned_response(self._locked(request, canned_id), actor=self.actor)
        return HttpResponse(status=204)

    def _locked(self, request: Request, canned_id: UUID) -> CannedResponse:
        canned: CannedResponse = CannedResponse.objects.select_for_update().get(pk=canned_id)
        check_unchanged(request, lambda: show_canned(canned))
        return canned
