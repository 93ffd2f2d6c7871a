"""Suggested replies beside a conversation. They come after the page: it does not wait for them."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from apps.accounts.features import FeatureOff
from apps.accounts.features.asking import reason_off
from apps.accounts.features.rollout import NOT_AVAILABLE
from apps.accounts.metering import LimitReached, PriceUnknown
from apps.accounts.pages.door import account_of, is_part, is_suspended, may, tenant_page
from apps.accounts.tenancy.middleware import actor_of
from apps.chat.features import SMART_SUGGESTIONS
from apps.chat.indexing.vectors import NoProject
from apps.chat.models import CannedResponse, Conversation
from apps.chat.services.suggestions import (
    AlreadyAnswered,
    Choice,
    NothingAsked,
    Suggestions,
    record_choice,
    suggest,
)
from apps.integrations.outbound.errors import OutboundError

_NO_ANSWER = "Suggestions do not come at the moment: the AI service does not answer. Canned replies by / work."


def read(request: HttpRequest, conversation: Conversation) -> dict[str, Any] | None:
    """The empty part, which loads itself; none for who can't answer, or while the feature is not let out."""
    off = reason_off(SMART_SUGGESTIONS.name, account_of(request)) == NOT_AVAILABLE
    return None if off or is_suspended(request) else {"conversation": conversation, "is_loading": True}


@tenant_page("suggestions.choose", "GET", "POST")
def suggested(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """The part by itself, or nothing new (204) when ``seen`` is what would be shown; POST keeps a choice."""
    conversation = get_object_or_404(Conversation, pk=conversation_id)
    if request.method == "POST":
        _choose(request, conversation)
        if not is_part(request):
            return HttpResponse(status=204)
    context = {"conversation": conversation, **_suggestions(request, conversation)}
    context["version"] = _version(context)
    if request.method == "GET" and request.GET.get("seen") == context["version"]:
        return HttpResponse(status=204)
    return render(request, "chat/suggestions/panel.html", {"part": context})


def _choose(request: HttpRequest, conversation: Conversation) -> None:
    try:
        choice = Choice(request.POST.get("choice", ""))
        canned = CannedResponse.objects.get(pk=UUID(request.POST.get("canned_response", "")))
    except (ValueError, CannedResponse.DoesNotExist):
        raise Http404("Not a choice of this page.") from None
    try:
        record_choice(conversation, canned, choice, actor=actor_of(request))
    except (AlreadyAnswered, NothingAsked):
        return  # what was sent meanwhile has told what was taken


def _suggestions(request: HttpRequest, conversation: Conversation) -> dict[str, Any]:
    try:
        found = suggest(conversation, actor=actor_of(request), are_seen=not is_suspended(request))
    except (FeatureOff, NoProject) as reason:
        return {"notice": str(reason), "may_switch": may(request, "features.manage")}
    except (LimitReached, PriceUnknown) as reason:
        return {"notice": str(reason)}
    except OutboundError:
        return {"notice": _NO_ANSWER}
    return {"suggestions": found, "may_write": may(request, "canned_responses.manage")}


def _version(context: dict[str, Any]) -> str:
    """What would be shown, in short."""
    found: Suggestions | None = context.get("suggestions")
    shown = context.get("notice", "")
    if found is not None:
        rows = [f"{one.canned.pk} {one.canned.updated_at} {one.is_accepted}" for one in found.found]
        shown = f"{found.message_id} {found.preparing} {found.replies} {rows}"
    return hashlib.sha256(shown.encode()).hexdigest()[:16]
