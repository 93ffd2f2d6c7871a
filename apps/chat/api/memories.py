"""``contacts/{id}/memories``, ``memories/{id}`` and ``conversations/{id}/memories``."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from apps.accounts.actors import Actor
from apps.accounts.api.jobs import JobSerializer, show_job
from apps.accounts.api.pagination import Cursors, PageParameters, answer_list
from apps.accounts.api.preconditions import answer_object, check_unchanged
from apps.accounts.api.serializers import Input, PassedOn, Text, Time, page_of
from apps.accounts.api.views import AccountView, answer
from apps.chat.indexing.vectors import NoProject
from apps.chat.memory.proposing import propose_memories
from apps.chat.memory.recalling import known_facts, recall
from apps.chat.models import ContactMemory, Conversation, Message
from apps.chat.services import memories as service
from apps.integrations.outbound.errors import OutboundError
from apps.vault.models import Contact

_CURSORS = Cursors("memories", UUID)


class MemorySerializer(Input):
    """A fact about a contact."""

    id = serializers.UUIDField(read_only=True)
    content = Text(max_length=service.MOST_LETTERS)
    importance = serializers.IntegerField(
        required=False, min_value=1, max_value=5, help_text="1 nice to know, 5 never forget."
    )
    tags = PassedOn(schema={"type": "array", "items": {"type": "string"}})
    state = serializers.ChoiceField(
        choices=ContactMemory.State.choices, required=False, help_text="Of a proposal: `remembered` or `dismissed`."
    )
    origin = serializers.CharField(read_only=True)
    source_message = PassedOn(
        schema={"type": "string", "format": "uuid"},
        help_text="The message with this contact that says so. Set when the fact is remembered.",
    )
    score = serializers.FloatField(
        read_only=True,
        required=False,
        allow_null=True,
        help_text="How well it fits `about`; null when that is not known.",
    )
    created_at = Time(read_only=True)
    updated_at = Time(read_only=True)


class MemoryParameters(PageParameters):
    """Which facts."""

    about = serializers.CharField(
        required=False, max_length=500, help_text="What is being talked about: the facts that bear on it, best first."
    )
    state = serializers.ChoiceField(choices=ContactMemory.State.choices, default=ContactMemory.State.REMEMBERED)


def show_memory(memory: ContactMemory) -> dict[str, Any]:
    """A fact as outsiders read it."""
    return {
        "id": memory.id,
        "content": memory.content,
        "importance": memory.importance,
        "tags": memory.tags or [],
        "state": memory.state,
        "origin": memory.origin,
        "source_message": memory.source_message_id,
        "created_at": memory.created_at,
        "updated_at": memory.updated_at,
    }


def _source(contact: Contact, value: Any) -> Message | None:
    """The message with this id. Raises ValidationError when it was not said in a conversation with ``contact``."""
    if value is None:
        return None
    try:
        found: Message = Message.objects.get(pk=UUID(str(value)), conversation__contact=contact)
    except (ValueError, Message.DoesNotExist):
        words = "There is no such message with this contact."
        raise ValidationError({"source_message": ValidationError(words, code="not_found")}) from None
    return found


def _recalled(contact: Contact, about: str, actor: Actor, limit: int) -> dict[str, Any]:
    notices: list[str] = []
    try:
        found = recall(contact, about, actor=actor, limit=limit)
    except (NoProject, OutboundError):
        found = known_facts(contact, limit=limit)
        notices.append("What bears on this can't be told at the moment: these are the most important facts.")
    rows = [{**show_memory(fact.memory), "score": fact.score} for fact in found]
    return {"results": rows, "next": None, "previous": None, "notices": notices}


class MemoriesView(AccountView):
    """What is known about a contact."""

    actions: ClassVar = {"GET": "memories.view", "POST": "memories.manage", "DELETE": "memories.manage"}
    is_single = False

    @extend_schema(
        operation_id="memories_list",
        summary="List or recall facts",
        parameters=[MemoryParameters],
        responses=page_of(MemorySerializer),
    )
    def get(self, request: Request, contact_id: UUID) -> HttpResponse:
        """The newest first; with ``about`` the ones that bear on it.

        While the AI service does not answer these are the most important ones, and ``notices`` say so.
        """
        contact = Contact.objects.get(pk=contact_id)
        wanted = self.parameters(MemoryParameters)
        if about := wanted.get("about"):
            return answer(_recalled(contact, about, self.actor, wanted["limit"]))
        memories = ContactMemory.objects.filter(contact=contact, state=wanted["state"])
        return answer_list(memories, wanted, _CURSORS, show_memory)

    @extend_schema(
        operation_id="memories_create",
        summary="Remember a fact",
        request=MemorySerializer,
        responses={201: MemorySerializer},
    )
    def post(self, request: Request, contact_id: UUID) -> HttpResponse:
        """The same fact twice is kept once."""
        contact = Contact.objects.get(pk=contact_id)
        values = self.body(MemorySerializer)
        values.pop("state", None)
        source = _source(contact, values.pop("source_message", None))
        memory = service.remember(contact, actor=self.actor, source_message=source, **values)
        location = reverse("api:memory", args=[memory.id])
        return answer_object(request, show_memory(memory), status=201, location=location)

    @extend_schema(operation_id="memories_forget", summary="Forget all facts", responses={204: None})
    def delete(self, request: Request, contact_id: UUID) -> HttpResponse:
        """There is no way back."""
        service.forget_all(Contact.objects.get(pk=contact_id), actor=self.actor)
        return HttpResponse(status=204)


class MemoryView(AccountView):
    """One fact."""

    actions: ClassVar = {"GET": "memories.view", "PATCH": "memories.manage", "DELETE": "memories.manage"}

    @extend_schema(operation_id="memories_read", summary="Read a fact", responses=MemorySerializer)
    def get(self, request: Request, memory_id: UUID) -> HttpResponse:
        """One fact."""
        return answer_object(request, show_memory(ContactMemory.objects.get(pk=memory_id)))

    @extend_schema(
        operation_id="memories_update",
        summary="Change a fact",
        request=MemorySerializer,
        responses=MemorySerializer,
    )
    def patch(self, request: Request, memory_id: UUID) -> HttpResponse:
        """Also to accept or dismiss a proposal."""
        memory = self._locked(request, memory_id)
        values = self.body(MemorySerializer, partial=True)
        values.pop("source_message", None)
        return answer_object(request, show_memory(service.change_memory(memory, actor=self.actor, **values)))

    @extend_schema(operation_id="memories_delete", summary="Forget a fact", responses={204: None})
    def delete(self, request: Request, memory_id: UUID) -> HttpResponse:
        """There is no way back."""
        service.forget(self._locked(request, memory_id), actor=self.actor)
        return HttpResponse(status=204)

    def _locked(self, request: Request, memory_id: UUID) -> ContactMemory:
        memory = service.lock_memory(memory_id)
        check_unchanged(request, lambda: show_memory(memory))
        return memory


class MemoryProposalsView(AccountView):
    """Looking for facts in a conversation."""

    actions: ClassVar = {"POST": "memories.manage"}
    is_single = False

    @extend_schema(
        operation_id="memories_propose", summary="Propose facts", request=None, responses={202: JobSerializer}
    )
    def post(self, request: Request, conversation_id: UUID) -> HttpResponse:
        """Answers a job; its proposals then stand among the contact's facts with the state ``proposed``."""
        conversation = Conversation.objects.get(pk=conversation_id)
        return answer(show_job(propose_memories(conversation, actor=self.actor)), status=202)
