"""Conditions that the list of conversations and the search share."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.accounts.api.serializers import Input, Time
from apps.chat.models import Conversation


class Statuses(serializers.ListField):
    """A list of statuses, or one text with commas between them."""

    def __init__(self, **options: Any) -> None:
        super().__init__(child=serializers.ChoiceField(choices=Conversation.Status.choices), **options)

    def to_internal_value(self, data: Any) -> list[Any]:
        if isinstance(data, str):
            data = [word.strip() for word in data.split(",") if word.strip()]
        return super().to_internal_value(data)


class Period(Input):
    """Of the last activity: ``from`` and ``to``, as the audit trail has them; ``since`` and ``until`` say the same."""

    since = Time(required=False, help_text="Another word for `from`.")
    until = Time(required=False, help_text="Another word for `to`.")

    def get_fields(self) -> dict[str, Any]:
        # "from" is a word of Python's own, so it can't be an attribute of the class.
        times = {
            "from": Time(required=False, help_text="With activity at or after this moment."),
            "to": Time(required=False, help_text="With their last activity before this moment."),
        }
        return {**super().get_fields(), **times}


def period(values: dict[str, Any]) -> dict[str, Any]:
    """``since`` and ``until`` of a ConversationFilter."""
    return {
        "since": values.get("from", values.get("since")),
        "until": values.get("to", values.get("until")),
    }
