"""``conversations/{id}/messages/{id}/attachments`` and ``conversations/{id}/attachments/{id}``."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request

from apps.accounts.api.preconditions import answer_object
from apps.accounts.api.serializers import Input
from apps.accounts.api.views import AccountView
from apps.chat.api.shapes import AttachmentSerializer
from apps.chat.models import Attachment, Message
from apps.chat.services.attachments import TYPES, attach, download


class AttachmentInput(Input):
    """A file."""

    file = serializers.FileField(allow_empty_file=True, help_text=f"One of {', '.join(TYPES)}.")


class AttachmentsView(AccountView):
    """Putting files to a message."""

    actions: ClassVar = {"POST": "conversations.reply"}
    parser_classes = [MultiPartParser]

    @extend_schema(
        operation_id="attachments_create",
        summary="Attach a file to a message",
        request={"multipart/form-data": AttachmentInput},
        responses={201: AttachmentSerializer},
    )
    def post(self, request: Request, conversation_id: UUID, message_id: UUID) -> HttpResponse:
        """It is stored encrypted."""
        message = Message.objects.get(pk=message_id, conversation_id=conversation_id)
        file: Any = self.body(AttachmentInput)["file"]
        try:
            (made,) = attach(message, [file], actor=self.actor)
        except ValidationError as error:  # the service names several files, this door has one
            raise ValidationError({"file": error.error_dict["files"]}) from None
        return answer_object(request, AttachmentSerializer(made).data, status=201)


class AttachmentView(AccountView):
    """One file."""

    actions: ClassVar = {"GET": "conversations.view"}

    @extend_schema(
        operation_id="attachments_read",
        summary="Download an attached file",
        responses={(200, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY)},
    )
    def get(self, request: Request, conversation_id: UUID, attachment_id: UUID) -> HttpResponse:
        """Its bytes."""
        return download(Attachment.objects.get(pk=attachment_id, message__conversation_id=conversation_id))
