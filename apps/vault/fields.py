"""Model fields that are stored encrypted, and blind indexes to find them by.

Built on django-cryptography's field API (``EncryptedMixin``: column type, allowed lookups, checks) with
Tink inside instead of its own cipher: JSON or UTF-8 instead of pickles, the account's keys instead of
SECRET_KEY, and associated data = table, column, account, row, so that a ciphertext moved anywhere else
does not open.

What was loaded stays sealed until the attribute is read. What would bypass sealing refuses:
``QuerySet.update()``, ``bulk_update()`` and filters on an encrypted column raise.
"""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable, Container
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.query_utils import DeferredAttribute
from django.utils.module_loading import import_string
from django_cryptography.fields import EncryptedMixin

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.vault.keys import INDEX_BYTES, DecryptionFailed, account_keys

logger = logging.getLogger(__name__)


class SealedValue(bytes):
    """A ciphertext as it lies in the database. Never prints itself."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<sealed>"

    __str__ = __repr__


def associated_data(table: str, column: str, account_id: UUID, row_id: UUID) -> bytes:
    """What binds a ciphertext to its place. Unambiguous: the ids have a fixed length, names hold no NUL."""
    return f"{table}.{column}\0".encode() + account_id.bytes + row_id.bytes


class _OpenOnFirstRead(DeferredAttribute):
    """Attribute of an encrypted field: decrypts when first read, not when loaded."""

    field: Any

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        if instance is None:
            return self
        name = self.field.attname
        value = instance.__dict__[name] if name in instance.__dict__ else super().__get__(instance, cls)
        if isinstance(value, SealedValue):
            value = self.field.open(instance, value)
            instance.__dict__[name] = value
        return value

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class _EncryptedField(EncryptedMixin):
    """What encrypted fields share. Subclasses say how a value becomes bytes."""

    descriptor_class = _OpenOnFirstRead
    empty_strings_allowed = False
    wasinstance = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("null", False)
        super(EncryptedMixin, self).__init__(*args, **kwargs)  # past its own, which makes a Fernet from SECRET_KEY

    def dump(self, value: Any) -> bytes:
        raise NotImplementedError

    def load(self, data: bytes) -> Any:
        raise NotImplementedError

    def _place(self, instance: models.Model) -> bytes:
        account_id, row_id = instance.account_id, instance.pk  # type: ignore[attr-defined]
        if account_id is None or row_id is None:
            raise ValueError(f"{self} needs its row's account and id before it can be encrypted.")
        return associated_data(self.model._meta.db_table, self.column or self.attname, account_id, row_id)

    def seal(self, instance: models.Model, value: Any) -> SealedValue:
        """Encrypt ``value`` for its place in ``instance``."""
        keys = account_keys(instance.account_id)  # type: ignore[attr-defined]
        return SealedValue(keys.encrypt(self.dump(value), self._place(instance)))

    def open(self, instance: models.Model, sealed: SealedValue) -> Any:
        """Decrypt. Raises DecryptionFailed when the ciphertext does not belong here."""
        keys = account_keys(instance.account_id)  # type: ignore[attr-defined]
        try:
            return self.load(keys.decrypt(bytes(sealed), self._place(instance)))
        except DecryptionFailed:
            _note_failure(self.model, self.name, instance.pk)
            raise

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        raw = model_instance.__dict__.get(self.attname)
        if isinstance(raw, SealedValue):
            if add:
                self.open(model_instance, raw)  # a row may only be born with a ciphertext made for it
            return raw
        value = getattr(model_instance, self.attname)
        return None if value is None else self.seal(model_instance, value)

    def get_prep_value(self, value: Any) -> Any:
        return value

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        if value is None:
            return None
        if not isinstance(value, SealedValue):
            raise TypeError(
                f"{self.model._meta.label}.{self.name} is encrypted: only save(), create() and bulk_create() can "
                "seal a value; update(), bulk_update() and filters would write or compare plaintext."
            )
        return connection.Database.Binary(bytes(value))

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        return self.get_db_prep_value(value, connection)

    def from_db_value(self, value: Any, *args: Any) -> SealedValue | None:
        return None if value is None else SealedValue(value)

    def value_to_string(self, obj: models.Model) -> Any:
        """In fixtures: the ciphertext, which opens in the same row of the same account only."""
        raw = obj.__dict__.get(self.attname)
        if raw is None:
            return None
        sealed = raw if isinstance(raw, SealedValue) else self.seal(obj, raw)
        return ["sealed", base64.b64encode(sealed).decode()]

    def to_python(self, value: Any) -> Any:
        if isinstance(value, list) and len(value) == 2 and value[0] == "sealed":
            return SealedValue(base64.b64decode(value[1]))
        return self.clean_value(value)

    def clean_value(self, value: Any) -> Any:
        return value

    def value_from_object(self, obj: models.Model) -> Any:
        return getattr(obj, self.attname)

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        name, _, args, kwargs = super(EncryptedMixin, self).deconstruct()
        return name, f"{type(self).__module__}.{type(self).__name__}", args, kwargs

    def clone(self) -> Any:
        _, _, args, kwargs = self.deconstruct()
        return type(self)(*args, **kwargs)


def _note_failure(model: type[models.Model], name: str, row_id: UUID) -> None:
    """Write down which value did not open: in the log, and in the trail of the scope.

    As a refusal, because what was to be done with the value is undone by the exception that follows.
    """
    place = f"{model._meta.label}.{name}"
    logger.error("%s of row %s does not decrypt.", place, row_id)
    actor = Actor.system("vault")
    audit.record_refusal("vault.decryption_failed", actor=actor, label=place, changes={"row": str(row_id)})


class EncryptedTextField(_EncryptedField, models.TextField):
    """Text, stored as 33 bytes more than its UTF-8."""

    base_class = models.TextField

    def dump(self, value: Any) -> bytes:
        return str(value).encode()

    def load(self, data: bytes) -> str:
        return data.decode()

    def clean_value(self, value: Any) -> Any:
        return value if value is None or isinstance(value, str | SealedValue) else str(value)


class EncryptedJSONField(_EncryptedField, models.JSONField):  # type: ignore[misc]
    """Any JSON value, stored as 33 bytes more than its compact text. No look-ups inside."""

    base_class = models.JSONField

    def dump(self, value: Any) -> bytes:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False, cls=self.encoder).encode()

    def load(self, data: bytes) -> Any:
        return json.loads(data, cls=self.decoder)

    def validate(self, value: Any, model_instance: Any) -> None:
        models.Field.validate(self, value, model_instance)
        try:
            json.dumps(value, cls=self.encoder)
        except TypeError as error:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error


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
        name, path, args, kwargs = super().deconstruct()
        for implied in ("null", "editable", "max_length"):
            kwargs.pop(implied, None)
        return name, path, args, {**kwargs, "source": self.source, "normalise": self.normalise}

    @property
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


def open_columns(
    model: type[models.Model],
    account_id: UUID,
    rows: list[tuple[Any, ...]],
    columns: dict[int, str],
    id_at: int = 0,
    raw: Container[int] = (),
) -> list[list[Any]]:
    """Decrypt whole columns of ``values_list`` rows in one flat loop: the fast way to read a page.

    ``columns`` maps a position in the row to the encrypted field there; ``id_at`` is the position of the row's id.
    Positions in ``raw`` give the decrypted bytes as they are (UTF-8 text, JSON).
    Returns rows as lists with plaintext in those positions. Raises DecryptionFailed.
    """
    decrypt = account_keys(account_id).decrypt
    owner = account_id.bytes
    plan = []
    for position, name in columns.items():
        field: Any = model._meta.get_field(name)
        place = f"{model._meta.db_table}.{field.column}\0".encode() + owner
        plan.append((position, place, None if position in raw else field.load))
    opened = []
    for row in rows:
        values = list(row)
        row_id = values[id_at].bytes
        for position, prefix, load in plan:
            sealed = values[position]
            if sealed is not None:
                try:
                    plain = decrypt(sealed, prefix + row_id)
                    values[position] = plain if load is None else load(plain)
                except DecryptionFailed:
                    _note_failure(model, columns[position], values[id_at])
                    raise
        opened.append(values)
    return opened
