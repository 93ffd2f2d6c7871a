"""Whether an account's messages can be found by their words, and in which language."""

from __future__ import annotations

from django.db import models

from apps.accounts.tenancy.models import TenantModel


class MessageSearch(TenantModel):
    """One row for an account that chose; without it: on, in English. ``apps.vault.messages.setting`` reads it."""

    enabled = models.BooleanField(default=True)
    language = models.CharField(max_length=40, default="english")
    # The words of messages are being made (again): not everything is found yet.
    building = models.BooleanField(default=False)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["account"], name="message_search_once")]

    def __str__(self) -> str:
        return f"Word search of {self.account_id}"
