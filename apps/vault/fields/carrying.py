"""Rows that leave the ORM's ordinary ways: fixtures (``dumpdata``, ``loaddata``) and pickles (caches, queues).

Both carry ciphertext, which opens in the same row of the same account and nowhere else. A fixture written
by hand may hold plaintext: it is sealed while it is loaded.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from django.db import models
from django.db.models.signals import post_save, pre_save

from apps.vault.fields.blind_index import BlindIndexField
from apps.vault.fields.sealing import SealedValue

_MARK = "sealed:"


class CarriedValue(SealedValue):
    """A ciphertext on its way into the table by a save that asks no field (``raw``): reading does not open it."""

    __slots__ = ()


def to_text(sealed: SealedValue) -> str:
    """A ciphertext in a fixture."""
    return _MARK + base64.b64encode(sealed).decode()


def from_text(value: Any) -> Any:
    """Undo ``to_text``; everything else, as it came, is plaintext."""
    if not isinstance(value, str) or not value.startswith(_MARK):
        return value
    try:
        return SealedValue(base64.b64decode(value[len(_MARK) :], validate=True))
    except binascii.Error as error:
        raise ValueError("A sealed value of a fixture is not Base64.") from error


def carry_sealed(model: type[models.Model]) -> None:
    """Let rows of ``model`` be loaded from fixtures and pickled; called by each of its encrypted fields."""
    pre_save.connect(_before_raw_save, sender=model, dispatch_uid="vault.carry")
    post_save.connect(_after_raw_save, sender=model, dispatch_uid="vault.carried")
    if not getattr(model.__getstate__, "seals", False):
        model.__getstate__ = _sealing(model.__getstate__)  # type: ignore[method-assign]


def _sealed_fields(model: type[models.Model]) -> list[Any]:
    return [field for field in model._meta.concrete_fields if getattr(field, "opaque", False)]


def _before_raw_save(sender: type[models.Model], instance: Any, raw: bool = False, **_: Any) -> None:
    """A raw save writes attributes past ``pre_save``: check what is sealed, seal what is not, and index it.

    Raises DecryptionFailed for the ciphertext of another place.
    """
    if not raw:
        return
    for field in sender._meta.concrete_fields:
        if isinstance(field, BlindIndexField):
            value = field.index(instance.account_id, getattr(instance, field.source))
            setattr(instance, field.attname, value)
    for field in _sealed_fields(sender):
        value = instance.__dict__.get(field.attname)
        if isinstance(value, SealedValue):
            field.open(instance, value)
        elif value is not None:
            value = field.seal(instance, value)
        instance.__dict__[field.attname] = None if value is None else CarriedValue(value)


def _after_raw_save(sender: type[models.Model], instance: Any, raw: bool = False, **_: Any) -> None:
    if not raw:
        return
    for field in _sealed_fields(sender):
        value = instance.__dict__[field.attname]
        if value is not None:
            instance.__dict__[field.attname] = SealedValue(value)


def _sealing(original: Any) -> Any:
    """``__getstate__`` that puts back under seal what was read or set."""

    def state_of(self: Any) -> Any:
        state = original(self)
        for field in _sealed_fields(type(self)):
            value = state.get(field.attname)
            if value is not None and not isinstance(value, SealedValue):
                state[field.attname] = field.seal(self, value)
        return state

    state_of.seals = True  # type: ignore[attr-defined]
    return state_of
