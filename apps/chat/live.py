"""Which parts of open pages show what happens to conversations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from apps.accounts.live.announcing import announce
from apps.chat.models import Conversation
from apps.chat.signals import conversation_changed, conversation_removed

LIST, HEAD, THREAD, PANEL = "list", "head", "thread", "panel"
_SHOWN_IN = {
    "opened": {LIST},
    "messages": {LIST, THREAD},
    "seen_at": {LIST},
    "labels": {LIST, PANEL},
    "subject": {LIST, PANEL},
    "custom_attributes": {PANEL},
}
_ELSEWHERE = {LIST, HEAD, THREAD}  # status, who is in charge, until when it sleeps: with a line that says who did it


def connect() -> None:
    """Called once, at start-up."""
    conversation_changed.connect(_changed, dispatch_uid="chat.live_changed")
    conversation_removed.connect(_removed, dispatch_uid="chat.live_removed")


def _changed(sender: Any, conversation: Conversation, fields: Iterable[str], **_: Any) -> None:
    parts = {part for field in fields for part in _SHOWN_IN.get(field, _ELSEWHERE)}
    assert conversation.account_id
    announce(conversation.account_id, conversation.id, parts)


def _removed(sender: Any, conversation: Conversation, **_: Any) -> None:
    assert conversation.account_id
    announce(conversation.account_id, conversation.id, {LIST, THREAD})
