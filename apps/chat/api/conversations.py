"""``conversations``, ``conversations/{id}`` and ``conversations/{id}/messages``."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import HttpResponse, QueryDict
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request

from apps.accounts.api.pagination import Cursors, PageParameters, answer_page
from apps.accounts.api.preconditions import answer_object, check_unchanged
from apps.accounts.api.serializers import page_of
from apps.accounts.api.views import AccountView
from apps.accounts.models import Membership
from apps.chat import selectors
from apps.chat.api.filters import Period, period
from apps.chat.api.shapes import (
    ConversationSerializer,
    MessageFormSerializer,
    MessageSerializer,
    show_conversation,
    show_message,
)
from apps.chat.models import Conversation, Inbox, Message
from apps.chat.services import conversations as service
from apps.chat.services.attachments import attach, check_files, names_of
from apps.chat.services.labels import labels_named
from apps.chat.services.messages import receive_message, send_reply, write_note
from apps.vault.models import Contact

_CONVERSATIONS = Cursors("conversations", datetime, UUID)
_MESSAGES = Cursors("messages", UUID)


class ConversationParameters(Period, PageParameters):
    """Which conversations."""

    status = serializers.CharField(required=False, help_text="One or more, separated by commas.")
    inbox = serializers.UUIDField(required=False)
    contact = serializers.UUIDField(required=False)
    assignee = serializers.CharField(required=False, help_text="A member's id, or `none`.")
    label = serializers.CharField(required=False, max_length=50)  # type: ignore[assignment] # REST framework's word, too
    unread = serializers.BooleanField(required=False, allow_null=True, default=None)

    def validate_status(self, value: str) -> tuple[str, ...]:
        """The words between the commas."""
        statuses = tuple(word.strip() for word in value.split(",") if word.strip())
        for word in statuses:
            if word not in Conversation.Status.values:
                raise serializers.ValidationError(
                    f"Choose of {', '.join(Conversation.Status.values)}.", "invalid_choice"
                )
        return statuses

    def validate_assignee(self, value: str) -> UUID | str:
        """A member's id, or the word for nobody."""
        if value == selectors.NOBODY:
            return value
        try:
            return UUID(value)
        except ValueError:
            raise serializers.ValidationError("Give a member's id, or none.", "invalid") from None


class ConversationsView(AccountView):
    """All conversations."""

    actions: ClassVar = {"GET": "conversations.view", "POST": "conversations.create"}

    @extend_schema(
        operation_id="conversations_list",
        summary="List conversations",
        parameters=[ConversationParameters],
        responses=page_of(ConversationSerializer),
    )
    def get(self, request: Request) -> HttpResponse:
        """The latest activity first."""
        values = self.parameters(ConversationParameters)
        wanted = selectors.ConversationFilter(
            inbox=values.get("inbox"),
            statuses=values.get("status", ()),
            contact=values.get("contact"),
            assignee=values.get("assignee"),
            label=values.get("label", ""),
            unread=values["unread"],
            **period(values),
        )
        position = _CONVERSATIONS.read(values.get("cursor"))
        page = selectors.conversations_by_recency(wanted, position, values["limit"])
        return answer_page(page, _CONVERSATIONS, show_conversation)

    @extend_schema(
        operation_id="conversations_create",
        summary="Begin a conversation",
        request=ConversationSerializer,
        responses={201: ConversationSerializer},
    )
    def post(self, request: Request) -> HttpResponse:
        """With a contact; in the oldest inbox that is switched on, unless one is named."""
        values = self.body(ConversationSerializer)
        first, labels = values.pop("message", None), values.pop("labels", [])
        contact = _reference(Contact, "contact", values.pop("contact", None), required=True)
        inbox = _reference(Inbox, "inbox", values.pop("inbox", None))
        conversation = service.open_conversation(
            actor=self.actor,
            contact=contact,
            inbox=inbox,
            labels=labels_named(labels, actor=self.actor),
            **_with_assignee(values),
        )
        if first is not None:
            receive_message(conversation, first, actor=self.actor, wakes=False)
        location = reverse("api:conversation", args=[conversation.id])
        shown = show_conversation(selectors.conversation(conversation.id))
        return answer_object(request, shown, status=201, location=location)


class ConversationView(AccountView):
    """One conversation."""

    actions: ClassVar = {
        "GET": "conversations.view",
        "PATCH": "conversations.update",
        "DELETE": "conversations.delete",
    }

    @extend_schema(operation_id="conversations_read", summary="Read a conversation", responses=ConversationSerializer)
    def get(self, request: Request, conversation_id: UUID) -> HttpResponse:
        """Without what was said in it."""
        return answer_object(request, show_conversation(selectors.conversation(conversation_id)))

    @extend_schema(
        operation_id="conversations_update",
        summary="Change a conversation",
        request=ConversationSerializer,
        responses=ConversationSerializer,
    )
    def patch(self, request: Request, conversation_id: UUID) -> HttpResponse:
        """Status, assignee, labels, subject and attributes; fields that are left out stay."""
        conversation = self._locked(request, conversation_id)
        values = self.body(ConversationSerializer, partial=True)
        if fixed := [name for name in ("contact", "inbox", "message") if name in values]:
            words = "It can't be changed once the conversation has begun."
            raise ValidationError({name: ValidationError(words, code="fixed") for name in fixed})
        labels = values.pop("labels", None)
        service.change_conversation(conversation, actor=self.actor, **_with_assignee(values))
        if labels is not None:
            service.label_conversation(conversation, labels_named(labels, actor=self.actor), actor=self.actor)
        return answer_object(request, show_conversation(selectors.conversation(conversation_id)))

    @extend_schema(operation_id="conversations_delete", summary="Delete a conversation", responses={204: None})
    def delete(self, request: Request, conversation_id: UUID) -> HttpResponse:
        """With all that was said in it. There is no way back."""
        service.delete_conversation(self._locked(request, conversation_id), actor=self.actor)
        return HttpResponse(status=204)

    def _locked(self, request: Request, conversation_id: UUID) -> Conversation:
        conversation = service.lock_conversation(conversation_id)
        check_unchanged(request, lambda: show_conversation(selectors.conversation(conversation_id)))
        return conversation


class MessagesView(AccountView):
    """What was said in a conversation."""

    actions: ClassVar = {"GET": "conversations.view", "POST": "conversations.reply"}
    is_single = False
    parser_classes = [*AccountView.parser_classes, MultiPartParser]

    @extend_schema(
        operation_id="messages_list",
        summary="List messages",
        parameters=[PageParameters],
        responses=page_of(MessageSerializer),
    )
    def get(self, request: Request, conversation_id: UUID) -> HttpResponse:
        """The latest first."""
        wanted = self.parameters(PageParameters)
        Conversation.objects.only("id").get(pk=conversation_id)
        page = selectors.messages_of(conversation_id, _MESSAGES.read(wanted.get("cursor")), wanted["limit"])
        return answer_page(page, _MESSAGES, show_message)

    @extend_schema(
        operation_id="messages_create",
        summary="Say something",
        request={"application/json": MessageSerializer, "multipart/form-data": MessageFormSerializer},
        responses={201: MessageSerializer},
    )
    def post(self, request: Request, conversation_id: UUID) -> HttpResponse:
        """``outgoing`` (a reply) unless told otherwise; ``incoming`` is what the customer said.

        Sent as a form it may bring files, stored encrypted; then ``content`` may be left out.
        """
        conversation = service.lock_conversation(conversation_id)
        values = self.body(MessageFormSerializer if isinstance(request.data, QueryDict) else MessageSerializer)
        files = _files(values)
        kind, private = values.get("message_type", Message.Type.OUTGOING), values.get("private", False)
        if private and kind != Message.Type.NOTE:
            raise ValidationError({"private": ValidationError("Only notes can be private.", code="invalid")})
        if kind == Message.Type.NOTE:
            message = write_note(conversation, values["content"], actor=self.actor, is_private=private)
        elif kind == Message.Type.INCOMING:
            message = receive_message(conversation, values["content"], actor=self.actor)
        else:
            message = send_reply(conversation, values["content"], actor=self.actor)
        attach(message, files, actor=self.actor)
        return answer_object(request, show_message(message), status=201)


def _files(values: dict[str, Any]) -> list[Any]:
    """The files that came with a message, which says their names when nothing else was written."""
    files: list[Any] = values.pop("attachments", [])
    try:
        check_files(files)
    except ValidationError as error:
        raise ValidationError({"attachments": error.error_dict["files"]}) from None
    if files and not values.get("content"):
        values["content"] = names_of(files)
    elif not values.get("content"):
        raise ValidationError({"content": ValidationError("This field is required.", code="required")})
    return files


def _reference(model: Any, name: str, value: Any, *, required: bool = False) -> Any:
    """The row that ``value`` (an id, or an object with one) names. Raises ValidationError naming the field."""
    value = value.get("id") if isinstance(value, dict) else value
    if value is None:
        if required:
            raise ValidationError({name: ValidationError("This field is required.", code="required")})
        return None
    try:
        return model.objects.get(pk=UUID(str(value)))
    except (ValueError, model.DoesNotExist):
        raise ValidationError({name: ValidationError(f"There is no such {name}.", code="not_found")}) from None


def _with_assignee(values: dict[str, Any]) -> dict[str, Any]:
    if "assignee" in values:
        values["assignee"] = _reference(Membership, "assignee", values["assignee"])
    return values
