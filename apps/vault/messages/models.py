"""Messages as the vault keeps them, and the words they are found by. The floors above make tables of these::

    class Message(SealedMessage): ...

    class MessageWord(SearchWord):
        of = Message

and their migration ends with ``ProtectTable("message")``, ``ProtectTable("messageword")``,
``KeepWords("message", "messageword")``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django.db import models
from django.utils import timezone

from apps.accounts.tenancy.models import OwnedModel, TenantManager, TenantModel
from apps.accounts.tenancy.scope import current_account_id
from apps.vault.fields import BlindIndexField, EncryptedTextField, SealedValue
from apps.vault.messages.fields import WordsField


class SealedMessage(TenantModel):
    """A text that somebody said. The text lies encrypted; its fingerprint tells equal texts of one account.

    "Newest first" goes by the id, a UUIDv7.
    """

    content = EncryptedTextField()
    fingerprint = BlindIndexField(source="content", normalise="apps.vault.normalise.said")
    # When it was said, which is not always when it was stored.
    created_at = models.DateTimeField(default=timezone.now)

    # Whether it may be found by its words at all.
    is_searchable = models.BooleanField(default=True, editable=False)
    # What lies in the table of words for this row; None: not indexed (any more, or yet).
    words = WordsField(source="content")

    # Of this instance in memory: for which text ``words`` were made, and the ciphertext it came with.
    words_are_of: str | None = None
    content_as_loaded: SealedValue | None = None

    class Meta(TenantModel.Meta):
        abstract = True

    def __str__(self) -> str:
        # Never the content: this text reaches logs and the admin's history.
        return f"{self._meta.verbose_name} {self.id}"

    def take_content(self, text: str, words: Sequence[int] | None) -> None:
        """Put a text in place with its words (not saved). ``apps.vault.messages.storing`` knows them."""
        self.content = text
        self.words = words  # type: ignore[assignment]
        self.words_are_of = text

    @classmethod
    def from_db(cls, db: Any, field_names: Any, values: Any, **options: Any) -> Any:
        """As Django's; the ciphertext is kept, to tell a text that was read from one that was changed."""
        instance = super().from_db(db, field_names, values, **options)
        instance.content_as_loaded = instance.__dict__.get("content")
        return instance


class SearchWord(OwnedModel):
    """One word of one message, as a keyed hash. Kept by triggers on the messages' table (``KeepWords``).

    No references: each would be looked up for every word that is written. The triggers remove what belongs to a
    message, and a search joins the messages in any case.
    """

    of: ClassVar[Any]
    """The model of the messages."""

    pk = models.CompositePrimaryKey("account", "word", "message_id")
    account = models.ForeignKey(
        "accounts.Account",
        on_delete=models.CASCADE,
        default=current_account_id,
        editable=False,
        db_index=False,
        db_constraint=False,
        related_name="+",
    )
    word = models.BigIntegerField()
    message_id = models.UUIDField()

    objects = TenantManager()

    class Meta:
        abstract = True
        base_manager_name = "objects"
        default_manager_name = "objects"

    def __str__(self) -> str:
        return f"A word of {self.message_id}"
