"""``conversations/{id}/suggestions``."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from apps.accounts.api.problems import declare
from apps.accounts.api.serializers import Input
from apps.accounts.api.views import AccountView, answer
from apps.accounts.models import Account
from apps.accounts.permissions import allows
from apps.chat.api.canned_responses import CannedResponseSerializer, show_canned
from apps.chat.models import CannedResponse, Conversation
from apps.chat.services import suggestions as service
from apps.chat.services.suggestions import AlreadyAnswered, Choice, NothingAsked

declare(NothingAsked, 409, "nothing_asked", title="The customer has not said anything yet")
declare(AlreadyAnswered, 409, "already_answered", title="The customer was answered meanwhile")


class SuggestionParameters(Input):
    """How many to suggest."""

    limit = serializers.IntegerField(min_value=1, max_value=service.MOST, default=service.OFFERED)


class SuggestedReplySerializer(Input):
    """A canned response that fits what the customer last said."""

    canned_response = CannedResponseSerializer()
    score = serializers.FloatField(help_text="0 to 1; comparable within one answer.")
    accepted = serializers.BooleanField(help_text="Whether it was taken for this message.")


class SuggestionsSerializer(Input):
    """The best first; empty when nothing fits well enough."""

    message = serializers.UUIDField(
        allow_null=True, help_text="The customer's last message, for which they are; null while nothing was said."
    )
    results = SuggestedReplySerializer(many=True)
    preparing = serializers.IntegerField(
        help_text="Canned responses that can't be compared yet: ask again in a few seconds."
    )


class ChoiceSerializer(Input):
    """What somebody made of a suggestion."""

    canned_response = serializers.UUIDField(help_text="The id of the canned response.")
    choice = serializers.ChoiceField(
        choices=Choice.choices, help_text="`accepted`: taken for the answer. `ignored`: not what is needed."
    )


class ChosenSerializer(Input):
    """What is kept of the choices for a message."""

    message = serializers.UUIDField()
    accepted = serializers.UUIDField(allow_null=True)
    ignored = serializers.ListField(child=serializers.UUIDField())


class SuggestionsView(AccountView):
    """Canned responses for an open conversation."""

    actions: ClassVar = {"GET": "suggestions.view", "POST": "suggestions.choose"}
    is_single = False

    @extend_schema(
        operation_id="suggestions_list",
        summary="Suggest canned responses",
        parameters=[SuggestionParameters],
        responses=SuggestionsSerializer,
    )
    def get(self, request: Request, conversation_id: UUID) -> HttpResponse:
        """For the customer's last three messages, best first.

        Answering a customer without one of those that a caller who may answer was given counts them as ignored.
        """
        conversation = Conversation.objects.get(pk=conversation_id)
        limit = self.parameters(SuggestionParameters)["limit"]
        may_choose = allows(self.actor, "suggestions.choose") and self.account.status != Account.Status.SUSPENDED
        found = service.suggest(conversation, actor=self.actor, limit=limit, are_seen=may_choose)
        return answer(show_suggestions(found))

    @extend_schema(
        operation_id="suggestions_choose",
        summary="Choose a suggestion",
        request=ChoiceSerializer,
        responses=ChosenSerializer,
    )
    def post(self, request: Request, conversation_id: UUID) -> HttpResponse:
        """Later suggestions learn from it. Each message counts once; another choice replaces the one before."""
        conversation = Conversation.objects.get(pk=conversation_id)
        values = self.body(ChoiceSerializer)
        canned = CannedResponse.objects.filter(pk=values["canned_response"]).first()
        if canned is None:
            words = "There is no such canned response."
            raise ValidationError({"canned_response": ValidationError(words, code="not_found")})
        kept = service.record_choice(conversation, canned, Choice(values["choice"]), actor=self.actor)
        return answer({"message": kept.message_id, "accepted": kept.accepted_id, "ignored": kept.ignored})


def show_suggestions(found: service.Suggestions) -> dict[str, Any]:
    """Suggestions as outsiders read them."""
    return {
        "message": found.message_id,
        "results": [
            {"canned_response": show_canned(one.canned), "score": round(one.score, 6), "accepted": one.is_accepted}
            for one in found.found
        ],
        "preparing": found.preparing,
    }
