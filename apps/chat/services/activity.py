"""Lines in a conversation that say what was done with it."""

from __future__ import annotations

from typing import Any

from apps.accounts.actors import Actor
from apps.accounts.models import User
from apps.chat.models import Conversation, Message
from apps.vault.messages import store_content

_STATUS = {
    "open": "{who} opened the conversation again.",
    "pending": "{who} set the conversation to pending.",
    "snoozed": "{who} snoozed the conversation.",
    "resolved": "{who} solved the conversation.",
}


_AWAKE = "The conversation woke up: its time had come."


def tell_changes(conversation: Conversation, changes: dict[str, list[Any]], *, actor: Actor) -> None:
    """Write a line for a new status and for a new assignee; other changes speak for themselves."""
    who = _name(actor)
    if "status" in changes:
        has_woken = actor.kind == "system" and changes["status"] == ["snoozed", "open"]
        _say(conversation, _AWAKE if has_woken else _STATUS[conversation.status].format(who=who))
    if "assignee" in changes:
        member = conversation.assignee
        if member is None:
            _say(conversation, f"{who} took everybody out of charge.")
        elif member.user_id == actor.user_id and actor.kind == "user":
            _say(conversation, f"{who} took the conversation over.")
        else:
            _say(conversation, f"{who} put {member.user.display_name} in charge.")


def _say(conversation: Conversation, words: str) -> None:
    message = Message(conversation=conversation, message_type=Message.Type.ACTIVITY, sender_type=Message.Sender.SYSTEM)
    store_content(message, words, searchable=False)


def _name(actor: Actor) -> str:
    if actor.user_id is None or actor.kind == "api_key":
        return actor.label
    user = User.objects.filter(pk=actor.user_id).first()
    return user.display_name if user else actor.label
