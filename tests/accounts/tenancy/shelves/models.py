"""Books on shelves: a reference inside the account, one to itself, and one to a person."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from apps.accounts.tenancy.models import TenantForeignKey, TenantModel
from apps.accounts.tenancy.references import OwnedForeignKey


class Shelf(TenantModel):
    """Holds books."""

    name = models.CharField(max_length=40)

    class Meta(TenantModel.Meta):
        app_label = "shelves"
        constraints = [models.UniqueConstraint(fields=["account", "name"], name="shelf_name_once")]

    def __str__(self) -> str:
        return self.name


class Book(TenantModel):
    """Stands on a shelf, may follow another book, may be lent to a person."""

    shelf = TenantForeignKey(Shelf, on_delete=models.CASCADE, related_name="books")
    follows = TenantForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="followers")
    reader = OwnedForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="borrowed_books"
    )
    title = models.CharField(max_length=80)
    pages = models.PositiveIntegerField(default=1)

    class Meta(TenantModel.Meta):
        app_label = "shelves"

    def __str__(self) -> str:
        return self.title
