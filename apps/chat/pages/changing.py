"""What is done with a conversation: its state, who is in charge, its labels, its end."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from apps.accounts.models import Membership
from apps.accounts.pages.door import account_of, dialog, done, is_part, tenant_page, trigger
from apps.accounts.pages.shell import address
from apps.accounts.tenancy.middleware import actor_of
from apps.chat.models import Conversation, Label
from apps.chat.pages import snoozing
from apps.chat.pages.conversation import head_context, locked, shown_conversation
from apps.chat.pages.inbox_filters import Wanted, conversation_url
from apps.chat.services.conversations import change_conversation, delete_conversation, label_conversation
from apps.vault.templatetags.contacts import called

NOBODY = "nobody"


@tenant_page("conversations.update", "POST")
def status(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """Open, pending or solved; snoozing has a form of its own."""
    _change(request, conversation_id, status=request.POST.get("status", ""))
    return _head(request, conversation_id, focus="conversation-solve")


@tenant_page("conversations.update", "GET", "POST")
def snooze(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """Let it sleep until a moment of the menu, or one that is typed into the dialog."""
    if request.method != "POST":
        return _asking_when(request, shown_conversation(conversation_id))
    typed = request.POST.get("until", "")
    try:
        until = snoozing.moment(request.POST.get("choice", ""), typed)
        change_conversation(
            locked(conversation_id), actor=actor_of(request), status=Conversation.Status.SNOOZED, snoozed_until=until
        )
    except ValidationError as error:
        return _asking_when(request, shown_conversation(conversation_id), typed=typed, errors=error.messages)
    if "choice" in request.POST:
        return _head(request, conversation_id, focus="conversation-solve")
    return done(request, _url(request, conversation_id))


@tenant_page("conversations.update", "GET", "POST")
def assign(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """Put somebody in charge, or nobody; on phones a dialog asks whom."""
    if request.method != "POST":
        found = shown_conversation(conversation_id)
        context = {"title": "Who is in charge", "back": _url(request, conversation_id)}
        return dialog(request, "chat/inbox/assignee.html", {**head_context(request, found), **context})
    _change(request, conversation_id, assignee=_member(request.POST.get("member", "")))
    return _head(request, conversation_id, focus="conversation-assignee")


@tenant_page("conversations.update", "GET", "POST")
def labels(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """Choose among the account's labels."""
    if request.method == "POST":
        chosen = [label for label in Label.objects.all() if str(label.id) in request.POST.getlist("label")]
        label_conversation(locked(conversation_id), chosen, actor=actor_of(request))
        return done(request, _url(request, conversation_id))
    found = shown_conversation(conversation_id)
    context = {
        "title": "Labels of this conversation",
        "labels": Label.objects.order_by("name"),
        "carried": {row.label_id for row in found.labellings.all()},
        "back": _url(request, conversation_id),
    }
    return dialog(request, "chat/inbox/labels.html", context)


@tenant_page("conversations.delete", "GET", "POST")
def delete(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """Remove it with all that was said, after a second look."""
    if request.method == "POST":
        held = locked(conversation_id)
        name = called(held.contact)
        delete_conversation(held, actor=actor_of(request))
        return done(request, address(account_of(request), "inbox"), f"The conversation with {name} is deleted.")
    found = shown_conversation(conversation_id)
    context = {"title": "Delete this conversation?", "conversation": found, "back": _url(request, conversation_id)}
    return dialog(request, "chat/inbox/delete.html", context)


def _change(request: HttpRequest, conversation_id: UUID, **values: Any) -> None:
    try:
        change_conversation(locked(conversation_id), actor=actor_of(request), **values)
    except ValidationError:
        raise Http404("Not a choice of this page.") from None


def _member(chosen: str) -> Membership | None:
    """The member with this id; None for nobody. Raises Http404."""
    if chosen == NOBODY:
        return None
    try:
        found: Membership = Membership.objects.select_related("user").get(pk=UUID(chosen))
    except (ValueError, Membership.DoesNotExist):
        raise Http404("No such member.") from None
    return found


def _head(request: HttpRequest, conversation_id: UUID, *, focus: str) -> HttpResponse:
    if not is_part(request):
        return HttpResponseRedirect(_url(request, conversation_id))
    answer = render(request, "chat/inbox/head.html", head_context(request, shown_conversation(conversation_id)))
    return trigger(answer, conversation_changed={}, focus_on=focus)


def _asking_when(request: HttpRequest, found: Conversation, **typed: Any) -> HttpResponse:
    context = {"title": "Snooze until", "conversation": found, "back": _url(request, found.id), **typed}
    return dialog(request, "chat/inbox/snooze.html", context, status=422 if typed.get("errors") else 200)


def _url(request: HttpRequest, conversation_id: UUID) -> str:
    return conversation_url(request, conversation_id, Wanted.behind(request))
