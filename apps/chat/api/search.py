"""``POST conversations/search``."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from apps.accounts.api.problems import declare
from apps.accounts.api.serializers import Input, Text
from apps.accounts.api.views import AccountView, answer
from apps.chat.api.filters import Period, Statuses, period
from apps.chat.api.shapes import ConversationSerializer, show_conversation
from apps.chat.indexing.vectors import NoProject
from apps.chat.search.highlighting import Asked, asked_in_account
from apps.chat.search.showing import ConversationHit
from apps.chat.selectors import ConversationFilter
from apps.chat.services import search as service
from apps.chat.services.search import Mode

declare(NoProject, 503, "search_not_ready", title="Search by meaning is not ready", Retry_After="60")

_MODES = {**{mode.value: mode for mode in Mode}, "fused": Mode.BOTH, "hybrid": Mode.BOTH}


class SearchSerializer(Period):
    """What to look for."""

    query = Text(max_length=service.LONGEST_QUERY)
    mode = serializers.ChoiceField(
        choices=list(_MODES),
        default=Mode.BOTH.value,
        help_text="By `meaning`, by the very `words`, or by `both` fused; `fused` and `hybrid` say `both`, too.",
    )
    limit = serializers.IntegerField(min_value=1, max_value=service.MOST, default=service.DEFAULT_LIMIT)
    status = Statuses(required=False, max_length=4)
    inbox = serializers.UUIDField(required=False)
    contact = serializers.UUIDField(required=False)


class PassageSerializer(Input):
    """A part of a message that fits the query."""

    message_id = serializers.UUIDField()
    text = serializers.CharField()
    highlights = serializers.ListField(
        child=serializers.ListField(child=serializers.IntegerField(), min_length=2, max_length=2),
        help_text="Where words of the query stand in `text`: `[begin, end]` in characters (code points).",
    )


class ConversationHitSerializer(Input):
    """A conversation that was found, its best passages first."""

    conversation = ConversationSerializer()
    score = serializers.FloatField(help_text="0 to 1; comparable within one answer.")
    passages = PassageSerializer(many=True)


class FoundSerializer(Input):
    """What was found, best first. ``notices`` say what could not be looked into."""

    results = ConversationHitSerializer(many=True)
    notices = serializers.ListField(child=serializers.CharField())


class ConversationSearchView(AccountView):
    """Finding conversations."""

    actions: ClassVar = {"POST": "conversations.view"}
    reading: ClassVar = frozenset({"POST"})

    @extend_schema(
        operation_id="conversations_search",
        summary="Search conversations",
        request=SearchSerializer,
        responses=FoundSerializer,
    )
    def post(self, request: Request) -> HttpResponse:
        """By meaning, by words or by both; the best first, with the passages that fit."""
        values = self.body(SearchSerializer)
        wanted = ConversationFilter(
            inbox=values.get("inbox"),
            statuses=tuple(values.get("status", ())),
            contact=values.get("contact"),
            **period(values),
        )
        found = service.search_conversations(
            values["query"], actor=self.actor, mode=_MODES[values["mode"]], wanted=wanted, limit=values["limit"]
        )
        asked = asked_in_account(values["query"])
        return answer({"results": [show_hit(hit, asked) for hit in found.hits], "notices": found.notices})


def show_hit(hit: ConversationHit, asked: Asked) -> dict[str, Any]:
    """A found conversation as outsiders read it."""
    return {
        "conversation": show_conversation(hit.conversation),
        "score": round(hit.score, 6),
        "passages": [
            {"message_id": passage.message_id, "text": passage.text, "highlights": asked.spans(passage.text)}
            for passage in hit.passages
        ],
    }
