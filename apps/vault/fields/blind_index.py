"""Keyed hashes by which rows are found without their plaintext."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import models
from django.utils.functional import cached_property
from django.utils.module_loading import import_string

from apps.vault.fields.sealing import SealedValue
from apps.vault.keys import INDEX_BYTES, account_keys


class BlindIndexField(models.BinaryField):
    """The keyed hash of another field, by which rows are found and kept unique without the plaintext.

    ``source`` is the encrypted field's name; ``normalise`` the dotted path of a function that turns a value
    into the form that is compared (None for "nothing to find"). Filled when the row is saved.
    """

    def __init__(self, *args: Any, source: str, normalise: str, **kwargs: Any) -> None:
        self.source, self.normalise = source, normalise
        kwargs.update(null=True, editable=False, max_length=INDEX_BYTES)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        name, _, args, kwargs = super().deconstruct()
        for implied in ("null", "editable", "max_length"):
            kwargs.pop(implied, None)
        return (
            name,
            "apps.vault.fields.BlindIndexField",
            args,
            {
                **kwargs,
                "source": self.source,
                "normalise": self.normalise,
            },
        )

    @cached_property
    def normalised(self) -> Callable[[str], str | None]:
        """The function that brings a value into the compared form."""
        function: Callable[[str], str | None] = import_string(self.normalise)
        return function

    @property
    def place(self) -> bytes:
        """Domain separation: the same value in two columns has two indexes."""
        return f"{self.model._meta.db_table}.{self.source}".encode()

    def pre_save(self, model_instance: models.Model, add: bool) -> bytes | None:
        raw = model_instance.__dict__.get(self.source)
        if isinstance(raw, SealedValue) and not add:
            return getattr(model_instance, self.attname)  # the source was not touched
        index = self.index(model_instance.account_id, getattr(model_instance, self.source))  # type: ignore[attr-defined]
        setattr(model_instance, self.attname, index)
        return index

    def index(self, account_id: UUID, value: str | None) -> bytes | None:
        """The index that a row with ``value`` carries; None when there is nothing to find."""
        compared = self.normalised(value) if value else None
        return account_keys(account_id).blind_index(self.place, compared) if compared else None

    def candidates(self, account_id: UUID, value: str) -> list[bytes]:
        """The indexes under which ``value`` may lie, newest key first; more than one while a key is rotated."""
        compared = self.normalised(value) if value else None
        return account_keys(account_id).blind_indexes(self.place, compared) if compared else []
