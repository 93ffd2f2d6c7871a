"""How many contacts there are, in all and of each type, for the heads of lists."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.cache import cache
from django.db.models import Count

from apps.accounts.tenancy.scope import NoScope, current_account_id
from apps.vault.models import Contact

EXACT_UP_TO = 20_000
"""Counting so many takes a few milliseconds. A larger account's figures are kept for a minute."""
_SECONDS = 60


@dataclass(frozen=True)
class ContactFigures:
    """``by_type`` names only the types that occur."""

    total: int
    by_type: dict[str, int]


def contact_figures() -> ContactFigures:
    """The figures of the account in scope."""
    account_id = current_account_id()
    if account_id is None:
        raise NoScope("Contacts are counted in the scope of their account.")
    name = f"contact-figures:{account_id}"
    kept: ContactFigures | None = cache.get(name)
    if kept is not None:
        return kept
    by_type = dict(Contact.objects.order_by().values_list("contact_type").annotate(count=Count("id")))
    figures = ContactFigures(sum(by_type.values()), by_type)
    if figures.total > EXACT_UP_TO:
        cache.set(name, figures, _SECONDS)
    return figures
