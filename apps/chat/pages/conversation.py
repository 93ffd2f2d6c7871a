"""One conversation: what was said, who is in charge, and about whom it is."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from apps.accounts.models import Membership
from apps.accounts.pages.door import is_part, is_suspended, may, tenant_page
from apps.accounts.pages.registry import counts_of
from apps.accounts.roles import Role
from apps.accounts.tenancy.middleware import actor_of
from apps.chat import selectors
from apps.chat.models import Conversation
from apps.chat.pages import thread
from apps.chat.pages.inbox import list_context
from apps.chat.pages.inbox_filters import Wanted, member_of
from apps.chat.pages.panel import facts_context, panel_context
from apps.chat.pages.snoozing import choices
from apps.chat.services.conversations import lock_conversation, mark_seen


@tenant_page("conversations.view")
def conversation(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """The page, with the list beside it. Who may answer has read it by that."""
    found = shown_conversation(conversation_id)
    see(request, found)
    return page(request, found)


def page(request: HttpRequest, found: Conversation, *, status: int = 200, **typed: Any) -> HttpResponse:
    """The whole page; ``typed`` is what the composer gives back (``saying.py``)."""
    context = {
        **list_context(request, current=str(found.id)),
        **head_context(request, found),
        **panel_context(request, found, Wanted.of(request)),
        "thread": thread.latest(request, found),
        "may_reply": may(request, "conversations.reply"),
        **typed,
    }
    return render(request, "chat/inbox/conversation.html", context, status=status)


@tenant_page("conversations.view")
def lines(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """For htmx: what was said after ``last``, and the head where it changed; or what was said before ``older``."""
    found = shown_conversation(conversation_id)
    if older := request.GET.get("older", ""):
        shown = thread.latest(request, found, older)
        return render(request, "chat/inbox/older.html", {"conversation": found, "thread": shown})
    shown = thread.since(request, found, request.GET.get("last", ""))
    has_changed = request.GET.get("head", "") != found.updated_at.isoformat()
    if not shown.days and not has_changed:
        return HttpResponse(status=204)
    see(request, found)
    context = {
        **head_context(request, found),
        **facts_context(found),
        "thread": shown,
        "head_changed": has_changed,
        "counts": counts_of(request),
    }
    return render(request, "chat/inbox/news.html" if is_part(request) else "chat/inbox/lines.html", context)


def head_context(request: HttpRequest, found: Conversation) -> dict[str, Any]:
    """What ``chat/inbox/head.html`` needs."""
    may_update = may(request, "conversations.update")
    return {
        "conversation": found,
        "member": member_of(request),
        "members": answering_members() if may_update else [],
        "may_update": may_update,
        "may_delete": may(request, "conversations.delete"),
        "snoozes": choices(),
    }


def answering_members() -> list[Membership]:
    """Who may be in charge of a conversation."""
    found = Membership.objects.exclude(role=Role.VIEWER).select_related("user")
    return sorted(found, key=lambda member: member.user.display_name.casefold())


def see(request: HttpRequest, found: Conversation) -> None:
    """What came in is read by that; in a suspended account nothing changes."""
    if not is_suspended(request):
        mark_seen(found, actor=actor_of(request))


def shown_conversation(conversation_id: UUID) -> Conversation:
    """A conversation with all that is shown of it. Raises Http404."""
    try:
        return selectors.conversation(conversation_id)
    except Conversation.DoesNotExist:
        raise Http404("No such conversation.") from None


def locked(conversation_id: UUID) -> Conversation:
    """The conversation, held until the request ends. Raises Http404."""
    try:
        return lock_conversation(conversation_id)
    except Conversation.DoesNotExist:
        raise Http404("No such conversation.") from None
