"""What encrypted fields share.

Built on django-cryptography's field API (``EncryptedMixin``: column type, checks) with
Tink inside instead of its own cipher: JSON or UTF-8 instead of pickles, the account's keys instead of
SECRET_KEY, and associated data = table, column, account, row, so that a ciphertext moved anywhere else
does not open.

What was loaded stays sealed until the attribute is read. What would bypass sealing, or ask PostgreSQL to
compare or compute what it can't read, is refused in words: ``update()``, ``bulk_update()``, filters, ordering.
"""

from __future__ import annotations

from typing import Any, NoReturn
from uuid import UUID

from django.core import checks
from django.core.exceptions import FieldError
from django.db import models
from django.db.models.query_utils import DeferredAttribute
from django_cryptography.fields import EncryptedMixin

from apps.vault.fields import carrying
from apps.vault.fields.carrying import CarriedValue
from apps.vault.fields.sealing import SealedValue, associated_data, note_failure
from apps.vault.keys import DecryptionFailed, account_keys


class _OpenOnFirstRead(DeferredAttribute):
    """Attribute of an encrypted field: decrypts when first read, not when loaded."""

    field: Any

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        if instance is None:
            return self
        name = self.field.attname
        value = instance.__dict__[name] if name in instance.__dict__ else super().__get__(instance, cls)
        if isinstance(value, SealedValue) and type(value) is not CarriedValue:
            value = self.field.open(instance, value)
            instance.__dict__[name] = value
        return value

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class EncryptedField(EncryptedMixin):
    """Subclasses say how a value becomes bytes."""

    descriptor_class = _OpenOnFirstRead
    empty_strings_allowed = False
    opaque = True  # to PostgreSQL: see OwnedQuerySet

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("null", False)
        super(EncryptedMixin, self).__init__(*args, **kwargs)  # past its own, which makes a Fernet from SECRET_KEY

    def contribute_to_class(self, cls: type[models.Model], name: str, private_only: bool = False) -> None:
        super().contribute_to_class(cls, name, private_only)
        if not cls._meta.abstract:
            carrying.carry_sealed(cls)

    def check(self, **kwargs: Any) -> list[checks.CheckMessage]:
        """What means nothing on a random ciphertext, or would put plaintext into the schema."""
        faults = super().check(**kwargs)
        if self.unique or self.db_index:  # type: ignore[attr-defined]
            words = "An encrypted field can't be unique or indexed; give it a BlindIndexField."
            faults.append(checks.Error(words, obj=self, id="vault.E001"))
        if self.has_db_default():
            words = "PostgreSQL can't seal a default of its own; give the encrypted field a default in Python."
            faults.append(checks.Error(words, obj=self, id="vault.E002"))
        return faults

    def dump(self, value: Any) -> bytes:
        raise NotImplementedError

    def load(self, data: bytes) -> Any:
        raise NotImplementedError

    def _place(self, instance: models.Model) -> bytes:
        account_id, row_id = instance.account_id, instance.pk  # type: ignore[attr-defined]
        if account_id is None or row_id is None:
            raise ValueError(f"{self} needs its row's account and id before it can be encrypted.")
        if not isinstance(row_id, UUID):
            row_id = UUID(str(row_id))
        return associated_data(self.model._meta.db_table, self.column or self.attname, account_id, row_id)

    def seal(self, instance: models.Model, value: Any) -> SealedValue:
        """Encrypt ``value`` for its place in ``instance``. Raises TypeError for what can't be sealed here."""
        if hasattr(value, "resolve_expression"):
            self.refuse(TypeError, "an expression is computed by PostgreSQL, which can't seal; give it a value")
        place = self._place(instance)
        try:
            plain = self.dump(value)
        except UnicodeEncodeError:
            self.refuse(ValueError, "it holds what is no character")
        except (TypeError, ValueError):
            self.refuse(TypeError, f"{type(value).__qualname__} can't be stored in it")
        keys = account_keys(instance.account_id)  # type: ignore[attr-defined]
        return SealedValue(keys.encrypt(plain, place))

    def open(self, instance: models.Model, sealed: SealedValue) -> Any:
        """Decrypt. Raises DecryptionFailed when the ciphertext does not belong here."""
        keys = account_keys(instance.account_id)  # type: ignore[attr-defined]
        try:
            return self.load(keys.decrypt(bytes(sealed), self._place(instance)))
        except DecryptionFailed:
            note_failure(self.model, self.name, instance.pk)
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
            self.refuse(TypeError, "only save(), create() and bulk_create() can seal a value")
        return connection.Database.Binary(bytes(value))

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        return self.get_db_prep_value(value, connection)

    def from_db_value(self, value: Any, *args: Any) -> SealedValue | None:
        return None if value is None else SealedValue(value)

    def get_lookup(self, lookup_name: str) -> Any:
        """Only ``isnull``. Raises FieldError for everything else."""
        if lookup_name != "isnull":
            self.refuse(FieldError, f"“{lookup_name}” can't compare what PostgreSQL can't read; use its blind index")
        return super().get_lookup(lookup_name)

    def get_transform(self, lookup_name: str) -> Any:
        """None there are. Raises FieldError."""
        self.refuse(FieldError, f"there is no “{lookup_name}” inside of what PostgreSQL can't read")

    def refuse(self, error: type[Exception], why: str) -> NoReturn:
        """Raise ``error``, naming the field."""
        raise error(f"{self.model._meta.label}.{self.name} is encrypted: {why}.")

    def value_to_string(self, obj: models.Model) -> Any:
        """In fixtures: the ciphertext, which opens in the same row of the same account only."""
        value = getattr(obj, self.attname)
        return None if value is None else carrying.to_text(self.seal(obj, value))

    def to_python(self, value: Any) -> Any:
        """What a fixture holds: a ciphertext, or a plaintext that loading will seal. Forms ask ``clean``."""
        value = carrying.from_text(value)
        return value if isinstance(value, SealedValue) else self.clean_value(value)

    def clean(self, value: Any, model_instance: models.Model | None) -> Any:
        """As Field's, but what somebody typed is never taken for a ciphertext."""
        value = self.clean_value(value)
        self.validate(value, model_instance)
        self.run_validators(value)
        return value

    def clean_value(self, value: Any) -> Any:
        return value

    def value_from_object(self, obj: models.Model) -> Any:
        return getattr(obj, self.attname)

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        name, _, args, kwargs = super(EncryptedMixin, self).deconstruct()
        return name, f"apps.vault.fields.{type(self).__name__}", args, kwargs

    def clone(self) -> Any:
        _, _, args, kwargs = self.deconstruct()
        return type(self)(*args, **kwargs)
