"""What was said in a conversation, as the page shows it: by day, each with its sender."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone

from apps.accounts.api.pagination import Cursors
from apps.accounts.api.problems import Problem
from apps.accounts.keyset import Position
from apps.chat import selectors
from apps.chat.models import Conversation, Message
from apps.vault.templatetags.contacts import called

LIMIT = 60
_CURSORS = Cursors("thread", UUID)
Type = Message.Type


@dataclass(frozen=True)
class Line:
    """One message: ``side`` is "them", "us", "note" or "done" (what happened)."""

    message: Message
    side: str
    who: str


@dataclass(frozen=True)
class Day:
    """The lines of one day. ``is_named`` is false where the page shows the day's name already."""

    day: date
    lines: list[Line] = field(default_factory=list)
    is_named: bool = True


@dataclass(frozen=True)
class Thread:
    """Some days, the oldest first; ``older`` is the cursor of what was said before ("" at the beginning)."""

    days: list[Day]
    older: str
    last: str


def latest(request: HttpRequest, conversation: Conversation, cursor: str = "") -> Thread:
    """The last lines, or those before ``cursor``."""
    page = selectors.messages_of(conversation.id, _position(cursor), LIMIT)
    messages = list(reversed(page.rows))
    return _thread(request, conversation, messages, _CURSORS.write(page.next) or "")


def since(request: HttpRequest, conversation: Conversation, last: str) -> Thread:
    """What was said after the message with the id ``last``; all of it if there is no such message."""
    try:
        shown = Message.objects.filter(conversation=conversation).get(pk=UUID(last))
    except (ValueError, Message.DoesNotExist):
        return latest(request, conversation)
    found = Message.objects.filter(conversation=conversation, id__gt=shown.id).prefetch_related("attachments")
    return _thread(request, conversation, list(found.order_by("id")[:200]), "", shown)


def _thread(
    request: HttpRequest, conversation: Conversation, messages: list[Message], older: str, shown: Message | None = None
) -> Thread:
    days: list[Day] = []
    before = timezone.localtime(shown.created_at).date() if shown else None
    for message in messages:
        day = timezone.localtime(message.created_at).date()
        if not days or days[-1].day != day:
            days.append(Day(day, is_named=day != before))
        days[-1].lines.append(_line(request, conversation, message))
    last = messages[-1] if messages else shown
    return Thread(days, older, str(last.id) if last else "")


def _line(request: HttpRequest, conversation: Conversation, message: Message) -> Line:
    side = {Type.INCOMING: "them", Type.OUTGOING: "us", Type.NOTE: "note"}.get(Type(message.message_type), "done")
    return Line(message, side, _who(request, conversation, message))


def _who(request: HttpRequest, conversation: Conversation, message: Message) -> str:
    if message.sender_type == Message.Sender.CONTACT:
        return called(conversation.contact).split()[0]
    if message.sender_type == Message.Sender.MEMBER and message.sender_id == request.user.pk:
        return "you"
    return message.sender_name or Message.Sender(message.sender_type).label


def _position(cursor: str) -> Position | None:
    try:
        position: Any = _CURSORS.read(cursor or None)
    except Problem:
        return None
    return position  # type: ignore[no-any-return]
