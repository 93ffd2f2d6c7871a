"""Similar conversations beside one. They are looked for when they come into view: each search costs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from apps.accounts.features import FeatureOff, is_on
from apps.accounts.metering import LimitReached, PriceUnknown
from apps.accounts.pages.door import account_of, tenant_page
from apps.accounts.tenancy.middleware import actor_of
from apps.chat.features import SEMANTIC_SEARCH
from apps.chat.indexing.vectors import NoProject
from apps.chat.models import Conversation
from apps.chat.pages.inbox_filters import Wanted, conversation_url
from apps.chat.services.similar import similar_conversations
from apps.integrations.outbound.errors import OutboundError


def read(request: HttpRequest, conversation: Conversation) -> dict[str, Any] | None:
    """The part, which loads itself; none while search by meaning is off."""
    if not is_on(SEMANTIC_SEARCH.name, account_of(request)):
        return None
    return {"conversation": conversation, "is_loading": True}


@tenant_page("conversations.view")
def similar(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """The part by itself."""
    conversation = get_object_or_404(Conversation, pk=conversation_id)
    context = {"conversation": conversation, **_similar(request, conversation)}
    return render(request, "chat/search/similar.html", {"part": context})


def _similar(request: HttpRequest, conversation: Conversation) -> dict[str, Any]:
    try:
        similar = similar_conversations(conversation, actor=actor_of(request), is_asked=False)
    except (FeatureOff, NoProject, LimitReached, PriceUnknown) as reason:
        return {"notice": str(reason)}
    except OutboundError:
        return {"notice": "The AI service does not answer at the moment."}
    rows = [{"is": one, "url": conversation_url(request, one.conversation.pk, Wanted())} for one in similar.found]
    return {"rows": rows, "is_indexed": similar.is_indexed}
