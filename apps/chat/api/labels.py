"""``labels`` and ``labels/{id}``."""

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
from apps.chat.models import Label
from apps.chat.services import labels as service

_CURSORS = Cursors("labels", UUID)


class LabelSerializer(Input):
    """A word that the team puts on conversations. Not encrypted: it should name a topic and no person."""

    id = serializers.UUIDField(read_only=True)
    name = Text(max_length=50)
    description = Text(max_length=200, required=False, allow_blank=True)
    colour = serializers.ChoiceField(choices=Label.Colour.choices, required=False)
    created_at = Time(read_only=True)
    updated_at = Time(read_only=True)


def show_label(label: Label) -> Any:
    """A label as outsiders read it."""
    return LabelSerializer(label).data


class LabelsView(AccountView):
    """All labels."""

    actions: ClassVar = {"GET": "labels.view", "POST": "labels.manage"}

    @extend_schema(
        operation_id="labels_list",
        summary="List labels",
        parameters=[PageParameters],
        responses=page_of(LabelSerializer),
    )
    def get(self, request: Request) -> HttpResponse:
        """The newest first."""
        return answer_list(Label.objects.all(), self.parameters(PageParameters), _CURSORS, show_label)

    @extend_schema(
        operation_id="labels_create",
        summary="Create a label",
        request=LabelSerializer,
        responses={201: LabelSerializer},
    )
    def post(self, request: Request) -> HttpResponse:
        """The name is unique in the account, whatever its case."""
        label = service.create_label(actor=self.actor, **self.body(LabelSerializer))
        return answer_object(request, show_label(label), status=201, location=reverse("api:label", args=[label.id]))


class LabelView(AccountView):
    """One label."""

    actions: ClassVar = {"GET": "labels.view", "PATCH": "labels.manage", "DELETE": "labels.manage"}

    @extend_schema(operation_id="labels_read", summary="Read a label", responses=LabelSerializer)
    def get(self, request: Request, label_id: UUID) -> HttpResponse:
        """One label."""
        return answer_object(request, show_label(Label.objects.get(pk=label_id)))

    @extend_schema(
        operation_id="labels_update",
        summary="Change a label",
        request=LabelSerializer,
        responses=LabelSerializer,
    )
    def patch(self, request: Request, label_id: UUID) -> HttpResponse:
        """Fields that are left out stay."""
        label = self._locked(request, label_id)
        values = self.body(LabelSerializer, partial=True)
        return answer_object(request, show_label(service.update_label(label, actor=self.actor, **values)))

    @extend_schema(operation_id="labels_delete", summary="Delete a label", responses={204: None})
    def delete(self, request: Request, label_id: UUID) -> HttpResponse:
        """It is taken off all conversations."""
        service.delete_label(self._locked(request, label_id), actor=self.actor)
        return HttpResponse(status=204)

    def _locked(self, request: Request, label_id: UUID) -> Label:
        label: Label = Label.objects.select_for_update().get(pk=label_id)
        check_unchanged(request, lambda: show_label(label))
        return label
