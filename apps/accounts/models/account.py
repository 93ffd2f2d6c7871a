"""The tenant."""

from __future__ import annotations

from typing import Any

from django.core.validators import RegexValidator
from django.db import models

from apps.accounts.identifiers import uuid7
from apps.accounts.tenancy.models import InScope, OwnedModel, OwnedQuerySet
from apps.accounts.tenancy.scope import ACCOUNT_WALL, Wall

# Accounts stand behind the same wall as what they own; only here the owner's column is the row's own id.
_SELF = Wall("id", ACCOUNT_WALL.setting, ACCOUNT_WALL.current)


class AccountQuerySet(OwnedQuerySet):
    """Accounts in scope: one in its own scope, all in the platform's."""

    wall = _SELF


class AccountManager(models.Manager.from_queryset(AccountQuerySet)):  # type: ignore[misc]
    """Default manager of accounts."""

    wall = _SELF

    def get_queryset(self) -> Any:
        return super().get_queryset().filter(InScope("id", _SELF))


class Account(OwnedModel):
    """A customer of the platform, and the owner of everything in it."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        SUSPENDED = "suspended", "Suspended"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=120)
    slug = models.SlugField(
        max_length=60,
        unique=True,
        validators=[RegexValidator(r"^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$", "Use a–z, 0–9 and hyphens between them.")],
        help_text="The account's part of the address: /app/<slug>/.",
    )
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ACTIVE)
    default_region = models.CharField(
        max_length=2, default="GB", help_text="Country whose phone numbers may be written without +code (ISO 3166)."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = AccountManager()

    class Meta:
        base_manager_name = "objects"
        default_manager_name = "objects"
        ordering = ["name"]
        indexes = [models.Index(fields=["-created_at"], name="account_newest")]

    def __str__(self) -> str:
        return self.name
