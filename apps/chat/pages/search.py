"""Finding conversations by what was said in them."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.accounts.pages.door import account_of, is_part, tenant_page
from apps.accounts.pages.shell import address
from apps.accounts.tenancy.middleware import actor_of
from apps.chat.indexing.vectors import NoProject
from apps.chat.pages.inbox_filters import Wanted, conversation_url
from apps.chat.services.search import LONGEST_QUERY, Mode, search_conversations
from apps.integrations.outbound.errors import OutboundError

LIMIT = 20
_NOT_READY = "Search by meaning is not ready: the AI project is being set up. Search by words works meanwhile."
_NO_ANSWER = "Search by meaning does not answer now. Search by words works meanwhile."


@tenant_page("conversations.view")
def search(request: HttpRequest) -> HttpResponse:
    """A page of its own; for htmx what was found alone."""
    query, mode = request.GET.get("q", "").strip(), request.GET.get("mode", "")
    mode = mode if mode in Mode.values else Mode.BOTH.value
    context = {
        "q": query,
        "mode": mode,
        "modes": Mode.choices,
        "longest": LONGEST_QUERY,
        "search_url": address(account_of(request), "inbox_search"),
        **(_found(request, query, Mode(mode)) if query else {}),
    }
    template = "chat/search/results.html" if is_part(request) else "chat/search/page.html"
    return render(request, template, context)


def _found(request: HttpRequest, query: str, mode: Mode) -> dict[str, Any]:
    try:
        found = search_conversations(query, actor=actor_of(request), mode=mode, limit=LIMIT)
    except ValidationError as error:
        return {"problem": " ".join(error.messages)}
    except NoProject:
        return {"problem": _NOT_READY}
    except OutboundError:
        return {"problem": _NO_ANSWER}
    hits = [{"is": hit, "url": conversation_url(request, hit.conversation.id, Wanted())} for hit in found.hits]
    return {"hits": hits, "notices": found.notices, "asked": True}
