"""Changing an account's own settings."""

from __future__ import annotations

import copy

from django.core.exceptions import ValidationError
from phonenumbers import SUPPORTED_REGIONS

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.models import Account
from apps.accounts.names import check_name
from apps.accounts.permissions import require
from apps.accounts.services.create_account import RESERVED_SLUGS
from apps.accounts.signals import account_changed
from apps.accounts.tenancy.scope import platform

_FIELDS = ["name", "slug", "default_region"]


def update_account(account: Account, *, actor: Actor, **values: str) -> Account:
    """Set any of name, slug and default_region. Raises ValidationError naming the field, PermissionDenied."""
    require(actor, "account.update")
    unknown = set(values) - set(_FIELDS)
    if unknown:
        raise TypeError(f"Not a setting of an account: {', '.join(sorted(unknown))}")
    before = copy.copy(account)
    for name, value in values.items():
        setattr(account, name, value.strip())
    account.default_region = account.default_region.upper()
    check_name(account.name)
    with platform("check that an account's address is free"):
        account.full_clean()
    if account.slug != before.slug and account.slug in RESERVED_SLUGS:
        raise ValidationError(
            {"slug": ValidationError(f"“{account.slug}” is reserved. Choose another.", code="reserved")}
        )
    if account.default_region not in SUPPORTED_REGIONS:
        words = f"“{account.default_region}” is no country with telephone numbers. Use an ISO 3166 code, as GB."
        raise ValidationError({"default_region": ValidationError(words, code="unknown_region")})
    changes = audit.changed_fields(before, account, _FIELDS)
    if not changes:
        return account
    account.save(update_fields=[*changes, "updated_at"])
    audit.record("account.updated", actor=actor, entity=account, label=account.name, changes=changes)
    account_changed.send(sender=Account, account=account, actor=actor)
    return account
