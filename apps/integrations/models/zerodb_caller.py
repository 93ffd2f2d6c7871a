"""Callers of the embedded ZeroDB server, and their keys."""

from __future__ import annotations

from typing import Any

from django.db import models

from apps.accounts.identifiers import uuid7
from apps.accounts.tenancy.models import InScope, OwnedManager, OwnedModel, OwnedQuerySet
from apps.accounts.tenancy.scope import Wall
from apps.integrations.zerodb.server.walls import CALLER_WALL, caller_in_scope

# A caller stands behind the same wall as what it owns; only here the owner's column is the row's own id.
_SELF = Wall("id", CALLER_WALL.setting, CALLER_WALL.current)


class CallerQuerySet(OwnedQuerySet):
    """Rows of the caller in scope."""

    wall = CALLER_WALL


class CallerManager(OwnedManager.from_queryset(CallerQuerySet)):  # type: ignore[misc]
    """``Model.objects`` of everything a caller owns."""

    wall = CALLER_WALL


class ZeroCallerQuerySet(OwnedQuerySet):
    """Callers in scope: one in its own scope, all in the platform's."""

    wall = _SELF


class ZeroCallerManager(models.Manager.from_queryset(ZeroCallerQuerySet)):  # type: ignore[misc]
    """Default manager of callers."""

    wall = _SELF

    def get_queryset(self) -> Any:
        return super().get_queryset().filter(InScope("id", _SELF))


class ZeroCaller(OwnedModel):
    """Somebody who may create projects. Not an account: this server may serve other products too."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=100)
    unlimited_projects = models.BooleanField(
        default=False, help_text="No limit by tier: for the product's own projects, one per account."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ZeroCallerManager()

    class Meta:
        base_manager_name = "objects"
        default_manager_name = "objects"

    def __str__(self) -> str:
        return self.name


class CallerModel(OwnedModel):
    """A row that belongs to a caller."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # No index of its own: the table's primary key in PostgreSQL is (caller_id, id).
    caller = models.ForeignKey(
        ZeroCaller,
        on_delete=models.CASCADE,
        default=caller_in_scope,
        editable=False,
        db_index=False,
        related_name="+",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = CallerManager()

    class Meta:
        abstract = True
        base_manager_name = "objects"
        default_manager_name = "objects"


class ZeroKey(CallerModel):
    """An API key: account-wide, or of one project. The key itself is nowhere, only its SHA-256.

    A plain hash is enough for 256 random bits (NIST SP 800-63B-4 section 3.1.2.2).
    """

    name = models.CharField(max_length=100)
    public_id = models.CharField(max_length=16, help_text="The part of the key that is no secret.")
    key_hash = models.BinaryField(max_length=32)
    project_id = models.UUIDField(null=True, blank=True, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta(CallerModel.Meta):
        constraints = [models.UniqueConstraint(fields=["caller", "key_hash"], name="zerodb_key_hash_once")]
        indexes = [
            models.Index(fields=["key_hash"], name="zerodb_key_by_hash"),
            models.Index(fields=["caller", "project_id"], name="zerodb_key_of_project"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.public_id})"
