"""The column that says by which words a message is found."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models

from apps.vault.fields import SealedValue


class WordsField(ArrayField):
    """Keyed hashes of the words of ``source``, made by ``apps.vault.messages.storing``; None while there are none.

    A text that was set without them is stored with None: not found yet is better than found by words it has lost.
    The job that fills the gaps then comes by.
    """

    def __init__(self, *args: Any, source: str, **kwargs: Any) -> None:
        self.source = source
        kwargs.update(base_field=models.BigIntegerField(), null=True, editable=False)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        name, _, args, kwargs = super().deconstruct()
        for implied in ("base_field", "null", "editable"):
            kwargs.pop(implied, None)
        return name, "apps.vault.messages.fields.WordsField", args, {**kwargs, "source": self.source}

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        """As PostgreSQL writes arrays: as a list, each number would be adapted by itself, ten times as slow."""
        return None if value is None else f"{{{','.join(map(str, value))}}}"

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        if not self._fits(model_instance, add):
            setattr(model_instance, self.attname, None)
        return getattr(model_instance, self.attname)

    def _fits(self, instance: Any, add: bool) -> bool:
        """Whether the words at hand are those of the text at hand."""
        text = instance.__dict__.get(self.source)
        if not add and (text is None or isinstance(text, SealedValue)):
            return True  # deferred, or not even read
        if instance.words_are_of is not None and instance.words_are_of == text:
            return True
        source: Any = self.model._meta.get_field(self.source)
        loaded = instance.content_as_loaded
        return not add and loaded is not None and source.open(instance, loaded) == text
