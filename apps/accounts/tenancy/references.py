"""References from owned rows to rows that nobody owns."""

from __future__ import annotations

from typing import Any

from django.db import models

from apps.accounts.tenancy.models import InScope


class OwnedForeignKey(models.ForeignKey):
    """A reference from an owned row to one that belongs to no account, such as a person.

    Queries that begin with the person and join to the owned rows (``User.objects.filter(memberships__role=…)``) have
    no manager that could hold them inside the scope; here the join itself does. Needed wherever the reference can be
    followed backwards; the checks say so.
    """

    def deconstruct(self) -> Any:
        """As a plain foreign key: to the database there is no difference."""
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.ForeignKey", args, kwargs

    def get_extra_restriction(self, alias: str | None, related_alias: str | None) -> Any:
        """``related_alias`` is always the table that holds the reference, whichever way the join goes."""
        manager: Any = self.model._default_manager
        owner: Any = next(field for field in self.model._meta.fields if field.attname == manager.wall.column)
        return InScope(owner.get_col(related_alias), manager.wall)
