"""Encrypted text and JSON."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.encoding import is_protected_type

from apps.vault.fields.base import EncryptedField


class EncryptedTextField(EncryptedField, models.TextField):
    """Text, stored as 33 bytes more than its UTF-8."""

    base_class = models.TextField

    def dump(self, value: Any) -> bytes:
        if isinstance(value, bytes | bytearray | memoryview):
            raise TypeError("text, not bytes")
        return str(value).encode()

    def load(self, data: bytes) -> str:
        return data.decode()

    def clean_value(self, value: Any) -> Any:
        return value if value is None or isinstance(value, str) else str(value)


class _JSONText(str):
    """A bare number or truth value as JSON text, on its way to a form or a fixture."""


class _JSONFormField(forms.JSONField):
    def prepare_value(self, value: Any) -> Any:
        return str(value) if isinstance(value, _JSONText) else super().prepare_value(value)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(json.loads(initial) if isinstance(initial, _JSONText) else initial, data)


class EncryptedJSONField(EncryptedField, models.JSONField):  # type: ignore[misc]
    """Any JSON value, stored as 33 bytes more than its compact text. No look-ups inside."""

    base_class = models.JSONField

    def dump(self, value: Any) -> bytes:
        text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, cls=self.encoder, allow_nan=False)
        return text.encode()

    def load(self, data: bytes) -> Any:
        return json.loads(data, cls=self.decoder)

    def validate(self, value: Any, model_instance: Any) -> None:
        models.Field.validate(self, value, model_instance)
        try:
            self.dump(value)
        except (TypeError, ValueError) as error:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error

    def value_from_object(self, obj: models.Model) -> Any:
        """As JSON text where Django's serializers would write the value in clear, past ``value_to_string``."""
        value = getattr(obj, self.attname)
        return _JSONText(json.dumps(value)) if value is not None and is_protected_type(value) else value

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"form_class": _JSONFormField, **kwargs})
