"""Letters in folders, and the words they are found by."""

from __future__ import annotations

from django.db import models

from apps.vault.messages.models import SealedMessage, SearchWord


class Letter(SealedMessage):
    """A message that lies in a folder."""

    folder = models.CharField(max_length=40, default="in")

    class Meta(SealedMessage.Meta):
        app_label = "letters"
        indexes = [models.Index(fields=["account", "folder", "-id"], name="letter_by_folder")]

    def __str__(self) -> str:
        return f"Letter {self.id}"


class LetterWord(SearchWord):
    """A word of a letter."""

    of = Letter

    class Meta(SearchWord.Meta):
        app_label = "letters"
