"""Answering, and writing notes."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from apps.accounts.pages.door import is_part, tenant_page, trigger
from apps.accounts.tenancy.middleware import actor_of
from apps.chat.models import Conversation
from apps.chat.pages.conversation import locked, page, shown_conversation
from apps.chat.pages.inbox_filters import Wanted, conversation_url
from apps.chat.services.attachments import attach, check_files, names_of
from apps.chat.services.messages import send_reply, write_note


@tenant_page("conversations.reply", "POST")
def say(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """Send what was typed, or keep it as a note. A refusal gives it back with the reason beside it."""
    held = locked(conversation_id)
    try:
        _say(request, held)
    except ValidationError as error:
        return _refused(request, conversation_id, error)
    if not is_part(request):
        return HttpResponseRedirect(conversation_url(request, conversation_id, Wanted.of(request)))
    context = {"conversation": shown_conversation(conversation_id), "may_reply": True}
    answer = render(request, "chat/inbox/composer.html", context)
    return trigger(answer, conversation_changed={}, focus_on="reply")


def _say(request: HttpRequest, held: Conversation) -> None:
    actor, content = actor_of(request), request.POST.get("content", "")
    files: list[Any] = request.FILES.getlist("files")
    check_files(files)
    if files and not content.strip():
        content = names_of(files)
    with transaction.atomic():
        if request.POST.get("note"):
            said = write_note(held, content, actor=actor, is_private=bool(request.POST.get("private")))
        else:
            said = send_reply(held, content, actor=actor)
        attach(said, files, actor=actor)


def _refused(request: HttpRequest, conversation_id: UUID, error: ValidationError) -> HttpResponse:
    found = shown_conversation(conversation_id)
    typed = {
        "content": request.POST.get("content", ""),
        "as_note": bool(request.POST.get("note")),
        "private": bool(request.POST.get("private")),
        "errors": error.messages,
    }
    if not is_part(request):
        return page(request, found, status=422, **typed)
    context = {"conversation": found, "may_reply": True, **typed}
    return render(request, "chat/inbox/composer.html", context, status=422)
