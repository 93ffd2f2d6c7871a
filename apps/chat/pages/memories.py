"""What is remembered about a contact, beside a conversation."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from apps.accounts.features import is_on
from apps.accounts.metering import LimitReached
from apps.accounts.models import Job
from apps.accounts.pages.door import account_of, is_part, tenant_page, trigger
from apps.accounts.permissions import allows
from apps.accounts.tenancy.middleware import actor_of
from apps.chat.features import AGENT_MEMORY
from apps.chat.indexing.vectors import NoProject
from apps.chat.memory.proposing import KIND, propose_memories
from apps.chat.memory.recalling import known_facts, last_said, recall
from apps.chat.models import ContactMemory, Conversation
from apps.chat.pages.inbox_filters import uuid_or_nothing
from apps.chat.services import memories as service
from apps.integrations.outbound.errors import OutboundError

SHOWN = 8
State = ContactMemory.State


def read(request: HttpRequest, conversation: Conversation) -> dict[str, Any] | None:
    """The part of the panel; none while the feature is off."""
    if not is_on(AGENT_MEMORY.name, account_of(request)):
        return None
    return _facts(request, conversation)


def _facts(request: HttpRequest, conversation: Conversation) -> dict[str, Any]:
    rows = ContactMemory.objects.filter(contact=conversation.contact)
    proposed = rows.filter(state=State.PROPOSED)
    known = rows.filter(state=State.REMEMBERED).count()
    return {
        "conversation": conversation,
        "facts": [fact.memory for fact in known_facts(conversation.contact, limit=SHOWN)],
        "more": max(0, known - SHOWN),
        # The page does not wait for the AI service: the order by what is talked about comes behind.
        "to_recall": known > 1,
        "proposed": list(proposed.order_by("-importance", "-id")[:SHOWN]),
        "may_change": allows(actor_of(request), "memories.manage"),
    }


@tenant_page("memories.view")
def recalled(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """The facts alone, those first that bear on what the customer said last; 204 where that can't be asked now."""
    conversation = _conversation(conversation_id)
    about = last_said(conversation)
    if not about or not is_part(request) or not is_on(AGENT_MEMORY.name, account_of(request)):
        return HttpResponse(status=204)
    try:
        found = recall(conversation.contact, about, actor=actor_of(request), limit=SHOWN)
    except (NoProject, LimitReached, OutboundError):
        return HttpResponse(status=204)
    context = {
        "conversation": conversation,
        "facts": [fact.memory for fact in found],
        "recalled": True,
        "may_change": allows(actor_of(request), "memories.manage"),
    }
    return render(request, "chat/memory/facts.html", {"part": context})


@tenant_page("memories.manage", "GET", "POST")
def remembered(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """The part by itself; what was typed is kept."""
    conversation = _conversation(conversation_id)
    if request.method != "POST":
        return _part(request, conversation, **_search(request.GET.get("search", "")))
    content = request.POST.get("content", "")
    try:
        service.remember(conversation.contact, actor=actor_of(request), content=content)
    except ValidationError as error:
        return _part(request, conversation, status=422, typed=content, errors=error.messages)
    return _part(request, conversation)


@tenant_page("memories.manage", "POST")
def propose(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """Look for facts in the conversation, in the background."""
    conversation = _conversation(conversation_id)
    job = propose_memories(conversation, actor=actor_of(request))
    return _part(request, conversation, **_search(str(job.pk)))


@tenant_page("memories.manage", "POST")
def decide(request: HttpRequest, memory_id: UUID) -> HttpResponse:
    """Accept, dismiss or forget one fact."""
    memory = get_object_or_404(ContactMemory.objects.select_for_update(of=("self",)), pk=memory_id)
    contact_id, what = memory.contact_id, request.POST.get("what", "")
    if what == "forget":
        service.forget(memory, actor=actor_of(request))
    elif what in {State.REMEMBERED, State.DISMISSED}:
        service.change_memory(memory, actor=actor_of(request), state=what)
    if is_part(request):
        return trigger(HttpResponse(), memories_changed={})
    return HttpResponseRedirect(reverse("app:contact", args=[account_of(request).slug, contact_id]))


def _search(job_id: str) -> dict[str, Any]:
    """How the search for facts stands that this job does: on its way, what it came to, or why it came to nothing."""
    known = uuid_or_nothing(job_id)
    job = Job.objects.filter(pk=known, kind=KIND).first() if known else None
    if job is None:
        return {}
    if job.status in (Job.Status.QUEUED, Job.Status.RUNNING):
        return {"search": job.pk, "looking": True}
    if job.status != Job.Status.DONE:
        return {"search_says": "The search for facts did not come to its end. Try again."}
    if number := (job.result or {}).get("proposed", 0):
        return {"search_says": f"{number} proposed: remember what is right." if number > 1 else "One proposed."}
    return {"search_says": "Nothing new was found in this conversation."}


def _conversation(conversation_id: UUID) -> Conversation:
    return get_object_or_404(Conversation.objects.select_related("contact"), pk=conversation_id)


def _part(request: HttpRequest, conversation: Conversation, *, status: int = 200, **more: Any) -> HttpResponse:
    context = {**_facts(request, conversation), **more}
    return render(request, "chat/memory/panel.html", {"part": context}, status=status)
