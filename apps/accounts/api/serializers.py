"""Parts that the serializers of all floors share."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from rest_framework import serializers


class Input(serializers.Serializer[Any]):
    """What a caller may send. A name that is not known is refused, so that a misspelt one is not lost in silence.

    Read-only fields may come along unread: whoever reads an object may send it back whole.
    """

    default_error_messages = {
        "unknown": "There is no such field here.",
        "invalid": "Send a JSON object with named fields.",
    }

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """The fields; those with a few choices name them to who sends another."""
        fields = super().get_fields()
        for field in fields.values():
            _name_choices(getattr(field, "child", field))
        return fields

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            unknown = [name for name in data if name not in self.fields]
            if unknown:
                error = serializers.ErrorDetail(str(self.error_messages["unknown"]), code="unknown")
                raise serializers.ValidationError({name: [error] for name in unknown})
        return super().to_internal_value(data)


MOST_NAMED = 20
"""Choices beyond are not named: nobody reads a page of languages in an error."""


def _name_choices(field: Any) -> None:
    default = serializers.ChoiceField.default_error_messages["invalid_choice"]
    if not isinstance(field, serializers.ChoiceField) or field.error_messages.get("invalid_choice") != default:
        return
    if len(field.choices) <= MOST_NAMED:
        named = ", ".join(str(choice) for choice in field.choices).replace("{", "{{").replace("}", "}}")
        field.error_messages["invalid_choice"] = f'"{{input}}" is none of {named}.'


class Parameters(Input):
    """What a caller may write after the question mark."""

    default_error_messages = {"unknown": "There is no such parameter here."}


class Text(serializers.CharField):
    """Text, and nothing that could be read as text: 5 is no name."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class PassedOn(serializers.Field[Any, Any, Any, Any]):
    """A value that the service checks, so that all that is wrong is said at once. ``schema`` describes it."""

    def __init__(self, *, schema: dict[str, Any], **options: Any) -> None:
        options.setdefault("required", False)
        super().__init__(allow_null=True, **options)
        self._spectacular_annotation = {"field": schema}

    def to_internal_value(self, data: Any) -> Any:
        return data

    def to_representation(self, value: Any) -> Any:
        return value


def text_schema(max_length: int, **more: Any) -> dict[str, Any]:
    """OpenAPI of a text; that it may be null is added to every such value."""
    return {"type": "string", "maxLength": max_length, **more}


class Time(serializers.DateTimeField):
    """A moment, RFC 3339. Always UTC, whatever zone the reader's pages are shown in; so is one without an offset."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("default_timezone", UTC)
        super().__init__(**options)


def page_of(item: type[serializers.Serializer[Any]]) -> type[serializers.Serializer[Any]]:
    """The serializer of one page of a list, for the schema."""
    name = item.__name__.removesuffix("Serializer")
    fields = {
        "__doc__": f"One page of a list; {name.lower()}s by position.",
        "results": item(many=True),
        "next": serializers.CharField(allow_null=True),
        "previous": serializers.CharField(allow_null=True),
    }
    return type(f"{name}PageSerializer", (serializers.Serializer,), fields)
