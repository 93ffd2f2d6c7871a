"""The list of conversations, beside which one of them may be open."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.accounts.api.pagination import Cursors
from apps.accounts.api.problems import Problem
from apps.accounts.keyset import Position
from apps.accounts.live import numbers
from apps.accounts.pages.door import account_of, is_part, may, tenant_page
from apps.accounts.pages.registry import counts_of
from apps.accounts.pages.shell import address
from apps.chat import selectors
from apps.chat.models import Conversation, Inbox, Label
from apps.chat.pages.inbox_filters import (
    ALL,
    MINE,
    STATUS_CHOICES,
    UNASSIGNED,
    Wanted,
    conversation_url,
    list_url,
    member_of,
)

LIMIT, MOST = 50, 300
_CURSORS = Cursors("conversations", datetime, UUID)
_TABS = {MINE: "Mine", UNASSIGNED: "Unassigned", ALL: "All"}


@tenant_page("conversations.view")
def inbox(request: HttpRequest) -> HttpResponse:
    """The page; for htmx its list alone, or the next rows of it."""
    context = list_context(request, current=request.GET.get("current", ""))
    if is_part(request):
        template = "chat/inbox/rows.html" if "cursor" in request.GET else "chat/inbox/list_parts.html"
        answer = render(request, template, {**context, "counts": counts_of(request)})
        if "cursor" not in request.GET and not context["current"] and "refresh" not in request.GET:
            answer["HX-Push-Url"] = list_url(request, context["wanted"])
        return answer
    context["has_any"] = Conversation.objects.exists()
    return render(request, "chat/inbox/page.html", context)


def list_context(request: HttpRequest, *, current: str = "") -> dict[str, Any]:
    """What the list needs; ``current`` is the id of the conversation that is open beside it."""
    live_number = numbers.current()  # before anything else is read: what changes meanwhile is told to the page
    wanted, member = Wanted.of(request), member_of(request)
    page = selectors.conversations_by_recency(wanted.filter(wanted.tab, member), _position(request), _limit(request))
    counted = _counted(wanted, member)
    cursor = _CURSORS.write(page.next)
    beside = {"current": current} if current else {}
    return {
        "live_number": live_number,
        "wanted": wanted,
        "current": current,
        "rows": [{"is": row, "url": conversation_url(request, row.id, wanted)} for row in page.rows],
        "older_url": list_url(request, wanted, extra={**beside, "cursor": cursor}) if cursor else "",
        "list_url": list_url(request, wanted, extra={**beside, "refresh": "1"}),
        "tabs": [
            {
                "name": _TABS[tab],
                "count": counted[tab],
                "on": tab == wanted.tab,
                "url": list_url(request, wanted, tab=tab),
                "part_url": list_url(request, wanted, extra=beside, tab=tab),
            }
            for tab in wanted.tabs
        ],
        "mine": counted[MINE],
        "unassigned": counted[UNASSIGNED],
        "unassigned_url": list_url(request, wanted, tab=UNASSIGNED),
        "everything_url": list_url(request, Wanted(tabs=wanted.tabs), tab=ALL, status="any"),
        "inbox_url": address(account_of(request), "inbox"),
        "statuses": STATUS_CHOICES,
        "inboxes": Inbox.objects.order_by("name"),
        "labels": Label.objects.order_by("name"),
        "may_create": may(request, "conversations.create"),
    }


def _counted(wanted: Wanted, member: Any) -> dict[str, int]:
    """How many conversations each tab holds, whatever tab is shown."""
    found: dict[str, int] = (
        wanted.filter(None, member)
        .apply(Conversation.objects.all())
        .aggregate(
            all=Count("id"),
            mine=Count("id", filter=Q(assignee=member)),
            unassigned=Count("id", filter=Q(assignee__isnull=True)),
        )
    )
    return found


def _position(request: HttpRequest) -> Position | None:
    try:
        return _CURSORS.read(request.GET.get("cursor"))
    except Problem:
        return None  # an old bookmark: from the beginning


def _limit(request: HttpRequest) -> int:
    """A list that was made longer stays as long when it is read anew."""
    shown = request.GET.get("shown", "")
    return max(LIMIT, min(MOST, int(shown[:4]))) if shown.isascii() and shown.isdigit() else LIMIT
