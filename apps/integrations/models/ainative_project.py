"""An account's project at the AINative/ZeroDB service: exactly one."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models

from apps.accounts.tenancy.models import TenantModel
from apps.vault.fields import EncryptedTextField

SHOWN_OF_KEY = 8
"""How many of the last characters of a project key are shown."""


def default_settings() -> dict[str, Any]:
    """What a new project starts with (the first source system's settings)."""
    return {
        "embeddings_model": "BAAI/bge-small-en-v1.5",
        "vector_dimensions": 384,
        "auto_indexing": True,
        "features": {"semantic_search": True, "smart_suggestions": True, "agent_memory": True},
    }


def server_in_use() -> str:
    """The address of the server that this installation uses; "" for the embedded one."""
    return str(settings.ZERODB_API_URL)


class AINativeProject(TenantModel):
    """Where provisioning of one account has got to. ``apps/integrations/zerodb/provisioning`` moves it."""

    class Status(models.TextChoices):
        PENDING = "pending", "Waiting"
        PROVISIONING = "provisioning", "Being set up"
        READY = "ready", "Ready"
        FAILED = "failed", "Failed"
        SUSPENDED = "suspended", "Suspended"

    status = models.CharField(max_length=12, choices=Status.choices, default=Status.PENDING)
    # Where the project is (or is to be made): another server knows neither it nor its key.
    server = models.CharField(max_length=500, blank=True, default=server_in_use, editable=False)
    project_id = models.CharField(max_length=100, blank=True)
    api_key = EncryptedTextField(null=True, blank=True)
    key_ending = models.CharField(max_length=SHOWN_OF_KEY, blank=True, editable=False)
    settings = models.JSONField(default=default_settings)
    error = models.TextField(blank=True, help_text="Why it is not ready, in words, and what to do.")
    entered_by_hand = models.BooleanField(default=False, editable=False)
    # Set before a create is sent: from then on a project of ours may exist at the service without our knowing its id.
    create_started_at = models.DateTimeField(null=True, blank=True, editable=False)
    provisioned_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta(TenantModel.Meta):
        verbose_name = "AINative project"
        constraints = [
            models.UniqueConstraint(fields=["account"], name="ainative_project_one_per_account"),
            # Across accounts: two of them must never share a project.
            models.UniqueConstraint(
                fields=["project_id"], condition=~models.Q(project_id=""), name="ainative_project_of_one_account"
            ),
        ]

    def __str__(self) -> str:
        account = self._state.fields_cache.get("account")  # never a query for a name
        return f"AINative project of {account.name if account else self.account_id}"

    @property
    def is_configured(self) -> bool:
        """Whether there is a project id and a key."""
        return bool(self.project_id and self.key_ending)

    @property
    def is_elsewhere(self) -> bool:
        """Whether it lies at another server than the one in use: nothing can be done with it from here."""
        return bool(self.project_id) and self.server != server_in_use()

    @property
    def is_ready(self) -> bool:
        """Whether it can be used."""
        return self.status == self.Status.READY and not self.is_elsewhere

    @classmethod
    def ready(cls) -> models.Q:
        """Condition: those that can be used."""
        return models.Q(status=cls.Status.READY, server=server_in_use())

    @property
    def masked_key(self) -> str:
        """The key as it may be shown."""
        return f"••••••••{self.key_ending}" if self.key_ending else ""

    def take_credentials(self, project_id: str, api_key: str) -> None:
        """Put id and key in place (not saved)."""
        self.project_id, self.api_key, self.key_ending = project_id, api_key, api_key[-SHOWN_OF_KEY:]
        self.server = server_in_use()
