"""Building the demo, once; a second run changes nothing."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Any

from allauth.account.models import EmailAddress
from django.db import transaction
from django.dispatch import Signal

from apps.accounts.actors import Actor
from apps.accounts.demo.cast import COMPANIES, SUPER_ADMIN_EMAIL, Company
from apps.accounts.models import Account, Membership, User
from apps.accounts.roles import Role
from apps.accounts.services.api_keys import create_api_key
from apps.accounts.services.create_account import create_account
from apps.accounts.services.super_admin import create_super_admin
from apps.accounts.tenancy.scope import platform, tenant

# demo_account_built(account, company, actor): in the account's scope. Each floor adds what it would hold.
demo_account_built = Signal()


def exists() -> bool:
    """Whether the demo was built here before."""
    with platform("see whether the demo was built"):
        return Account.objects.filter(slug__in=[company.slug for company in COMPANIES]).exists()


@transaction.atomic
def build(base_url: str) -> dict[str, Any]:
    """Make the demo's accounts, people and keys. Returns what ``$DATA/demo.json`` holds (interface.md)."""
    password = secrets.token_urlsafe(9)
    admin = create_super_admin(email=SUPER_ADMIN_EMAIL, password=password)
    return {
        "base_url": base_url,
        "super_admin": {
            "email": SUPER_ADMIN_EMAIL,
            "password": password,
            "static_tokens": admin.static_tokens,
        },
        "accounts": [_build_company(company) for company in COMPANIES],
    }


def _build_company(company: Company) -> dict[str, Any]:
    users = {person.role: _person(person.name, person.email(company.domain)) for person in company.people}
    owner, _ = users[Role.OWNER]
    account = create_account(name=company.name, owner=owner, slug=company.slug)
    with tenant(account):
        account.default_region = company.region
        account.save(update_fields=["default_region", "updated_at"])
        for role, (user, _) in users.items():
            if role != Role.OWNER:
                Membership.objects.create(user=user, role=role)
        keys = []
        for role, (user, _) in users.items():
            # Made in the owner's name: a viewer may not make keys, a key may still only view.
            maker = Actor("user", user.id, user.email, Role.OWNER, user.id)
            made = create_api_key(actor=maker, name=f"Demo, {role.label.lower()}", role=role)
            keys.append({"role": role.value, "key": made.plain})
        demo_account_built.send(
            sender=Account, account=account, company=company, actor=Actor("user", owner.id, owner.email, Role.OWNER)
        )
    return {
        "id": str(account.id),
        "slug": account.slug,
        "name": account.name,
        "users": [
            {"email": user.email, "password": password, "role": role.value} for role, (user, password) in users.items()
        ],
        "api_keys": keys,
    }


def _person(name: str, email: str) -> tuple[User, str]:
    password = secrets.token_urlsafe(9)
    user = User.objects.create_user(email, password, name=name)
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return user, password


def write(path: Path, content: dict[str, Any]) -> None:
    """Write the log-ins where only the owner of the data folder reads them (mode 600)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file, indent=2)
