"""``inboxes`` and ``inboxes/{id}``."""

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
from apps.chat.models import Inbox
from apps.chat.services import inboxes as service

_CURSORS = Cursors("inboxes", UUID)


class InboxSerializer(Input):
    """One way by which customers reach the account."""

    id = serializers.UUIDField(read_only=True)
    name = Text(max_length=100)
    channel = serializers.ChoiceField(choices=Inbox.Channel.choices, required=False)
    enabled = serializers.BooleanField(required=False)
    created_at = Time(read_only=True)
    updated_at = Time(read_only=True)


def show_inbox(inbox: Inbox) -> Any:
    """An inbox as outsiders read it."""
    return InboxSerializer(inbox).data


class InboxesView(AccountView):
    """All inboxes."""

    actions: ClassVar = {"GET": "inboxes.view", "POST": "inboxes.manage"}

    @extend_schema(
        operation_id="inboxes_list",
        summary="List inboxes",
        parameters=[PageParameters],
        responses=page_of(InboxSerializer),
    )
    def get(self, request: Request) -> HttpResponse:
        """The newest first."""
        return answer_list(Inbox.objects.all(), self.parameters(PageParameters), _CURSORS, show_inbox)

    @extend_schema(
        operation_id="inboxes_create",
        summary="Create an inbox",
        request=InboxSerializer,
        responses={201: InboxSerializer},
    )
    def post(self, request: Request) -> HttpResponse:
        """Conversations that name no inbox go into the oldest one that is switched on."""
        inbox = service.create_inbox(actor=self.actor, **self.body(InboxSerializer))
        return answer_object(request, show_inbox(inbox), status=201, location=reverse("api:inbox", args=[inbox.id]))


class InboxView(AccountView):
    """One inbox."""

    actions: ClassVar = {"GET": "inboxes.view", "PATCH": "inboxes.manage", "DELETE": "inboxes.manage"}

    @extend_schema(operation_id="inboxes_read", summary="Read an inbox", responses=InboxSerializer)
    def get(self, request: Request, inbox_id: UUID) -> HttpResponse:
        """One inbox."""
        return answer_object(request, show_inbox(Inbox.objects.get(pk=inbox_id)))

    @extend_schema(
        operation_id="inboxes_update",
        summary="Change an inbox",
        request=InboxSerializer,
        responses=InboxSerializer,
    )
    def patch(self, request: Request, inbox_id: UUID) -> HttpResponse:
        """One that is switched off takes no new conversations and keeps those it has."""
        inbox = self._locked(request, inbox_id)
        values = self.body(InboxSerializer, partial=True)
        return answer_object(request, show_inbox(service.update_inbox(inbox, actor=self.actor, **values)))

    @extend_schema(operation_id="inboxes_delete", summary="Delete an inbox", responses={204: None})
    def delete(self, request: Request, inbox_id: UUID) -> HttpResponse:
        """Only one that holds no conversations."""
        service.delete_inbox(self._locked(request, inbox_id), actor=self.actor)
        return HttpResponse(status=204)

    def _locked(self, request: Request, inbox_id: UUID) -> Inbox:
        inbox: Inbox = Inbox.objects.select_for_update().get(pk=inbox_id)
        check_unchanged(request, lambda: show_inbox(inbox))
        return inbox
