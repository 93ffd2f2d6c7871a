"""``conversations/{id}/similar``."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from apps.accounts.api.serializers import Input
from apps.accounts.api.views import AccountView, answer
from apps.chat.api.shapes import ConversationSerializer, show_conversation
from apps.chat.models import Conversation
from apps.chat.services import similar as service


class SimilarParameters(Input):
    """How many."""

    limit = serializers.IntegerField(min_value=1, max_value=service.MOST, default=service.SHOWN)


class SimilarPassageSerializer(Input):
    """A part of a message."""

    message_id = serializers.UUIDField()
    text = serializers.CharField()


class SimilarSerializer(Input):
    """Another conversation about the same matter."""

    conversation = ConversationSerializer()
    score = serializers.FloatField(help_text="How alike, 0 to 1.")
    passages = SimilarPassageSerializer(many=True, help_text="What in it is most alike.")


class SimilarConversationsSerializer(Input):
    """The most alike first."""

    results = SimilarSerializer(many=True)
    indexed = serializers.BooleanField(
        help_text="False while the conversation is not in the index yet, so that nothing could be compared."
    )


class SimilarView(AccountView):
    """Conversations that are alike."""

    actions: ClassVar = {"GET": "conversations.view"}
    is_single = False

    @extend_schema(
        operation_id="conversations_similar",
        summary="List similar conversations",
        parameters=[SimilarParameters],
        responses=SimilarConversationsSerializer,
    )
    def get(self, request: Request, conversation_id: UUID) -> HttpResponse:
        """By meaning, from the index. Counts as one search, none when they were looked for within the hour."""
        conversation = Conversation.objects.get(pk=conversation_id)
        limit = self.parameters(SimilarParameters)["limit"]
        similar = service.similar_conversations(conversation, actor=self.actor, limit=limit)
        rows = [
            {
                "conversation": show_conversation(one.conversation),
                "score": round(one.score, 6),
                "passages": [{"message_id": one.passage.message_id, "text": one.passage.text}],
            }
            for one in similar.found
        ]
        return answer({"results": rows, "indexed": similar.is_indexed})
