"""Creating an account."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.utils.text import slugify

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.identifiers import uuid7
from apps.accounts.models import Account, Membership, User
from apps.accounts.names import check_name
from apps.accounts.roles import Role
from apps.accounts.signals import account_created
from apps.accounts.tenancy.scope import platform, tenant

# Words that would read as part of the product in /app/<slug>/.
RESERVED_SLUGS = frozenset({"new", "switch", "accounts", "admin", "api", "app", "static", "strongroom"})


def create_account(*, name: str, owner: User, actor: Actor | None = None, slug: str = "") -> Account:
    """Make an account with ``owner`` as its first member, its keys, its trail and its first jobs: all or nothing.

    ``slug`` is derived from the name when empty, with a number when taken. Raises ValidationError naming the field.
    """
    actor = actor or Actor.person(owner)
    account = Account(id=uuid7(), name=name.strip(), slug=slug or free_slug(name))
    check_name(account.name)
    with platform("check that an account's address is free"):
        account.full_clean(exclude=["id"])
    if account.slug in RESERVED_SLUGS:
        raise ValidationError({"slug": f"“{account.slug}” is reserved. Choose another address."})
    with tenant(account.id):
        account.save(force_insert=True)
        Membership.objects.create(account=account, user=owner, role=Role.OWNER)
        account_created.send(sender=Account, account=account, actor=actor)
        audit.record(
            "account.created",
            actor=actor,
            entity=account,
            label=account.name,
            changes={"name": account.name, "owner": owner.email},
        )
    return account


def free_slug(name: str) -> str:
    """A slug for ``name`` that no account has yet."""
    base = slugify(name)[:50].strip("-") or "account"
    if base in RESERVED_SLUGS:
        base = f"{base}-account"
    with platform("find a free address for a new account"):
        taken = set(Account.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    if base not in taken:
        return base
    number = 2
    while f"{base}-{number}" in taken:
        number += 1
    return f"{base}-{number}"
