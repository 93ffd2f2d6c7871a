"""The twin of a contact, and the token that opens the twin's API."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.search import SearchVectorField
from django.db import models

from apps.accounts.identifiers import uuid7


class PlainContact(models.Model):
    """What vault.Contact would be without encryption and row security: same columns, same indexes.

    The owner is called ``company``, so that the start-up check does not take this for a forgotten tenant table.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    company = models.ForeignKey("accounts.Account", on_delete=models.CASCADE, db_index=False, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    name = models.TextField(null=True, blank=True)
    email = models.TextField(null=True, blank=True)
    phone = models.TextField(null=True, blank=True)
    identifier = models.TextField(null=True, blank=True)
    custom_attributes = models.JSONField(null=True, blank=True)
    contact_type = models.CharField(max_length=40, default="lead")
    last_activity_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["company", "email"], name="plain_email_once"),
            models.UniqueConstraint(fields=["company", "phone"], name="plain_phone_once"),
            models.UniqueConstraint(fields=["company", "identifier"], name="plain_identifier_once"),
        ]
        indexes = [models.Index(fields=["company", "-last_activity_at", "-id"], name="plain_recent")]

    def __str__(self) -> str:
        return f"Plain contact {self.id}"


class PlainToken(models.Model):
    """What REST framework's ``TokenAuthentication`` looks up: a token, found with its user in one query."""

    key = models.CharField(max_length=40, primary_key=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    company_id = models.UUIDField()

    def __str__(self) -> str:
        return f"Plain token of {self.user_id}"


class PlainLetter(models.Model):
    """A letter in plaintext, found by PostgreSQL's full-text search. ``tests.bench.letters`` makes the table."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    company_id = models.UUIDField()
    created_at = models.DateTimeField()
    content = models.TextField()
    search = SearchVectorField()

    class Meta:
        managed = False
        db_table = "bench_plain_letter"

    def __str__(self) -> str:
        return f"Plain letter {self.id}"
