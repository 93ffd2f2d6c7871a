"""Things for tests, made by the services that make them in the product."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

from allauth.account.models import EmailAddress
from django.utils import timezone

from apps.accounts.actors import Actor
from apps.accounts.models import Account, Membership, User
from apps.accounts.roles import Role
from apps.accounts.services.api_keys import create_api_key
from apps.accounts.services.create_account import create_account
from apps.accounts.tenancy.scope import tenant
from apps.vault.models import Contact

_numbers = itertools.count(1)
PASSWORD = "correct-horse-battery"


def make_user(email: str = "", **fields: Any) -> User:
    """A user with a confirmed e-mail and PASSWORD."""
    email = email or f"person{next(_numbers)}@people.example"
    user = User.objects.create_user(email, PASSWORD, **fields)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def make_account(name: str = "", owner: User | None = None) -> Account:
    """An account with its owner, keys and trail."""
    return create_account(name=name or f"Company {next(_numbers)}", owner=owner or make_user())


def add_member(account: Account, role: Role, user: User | None = None) -> Membership:
    """Somebody in the account in this role."""
    with tenant(account):
        return Membership.objects.create(user=user or make_user(), role=role)


def make_api_key(account: Account, role: Role = Role.OWNER, **values: Any) -> str:
    """The text of a fresh key, made by a member of that role, or by the owner where there is none.

    A viewer's is made for them: viewers make no keys.
    """
    with tenant(account):
        members = Membership.objects.select_related("user").order_by("created_at")
        user = (members.filter(role=role).first() or members.get(role=Role.OWNER)).user
        values.setdefault("name", f"key {next(_numbers)}")
        maker = Actor("user", user.id, user.email, Role.OWNER, user.id)
        return create_api_key(actor=maker, role=role, **values).plain


def make_contact(account: Account, **fields: Any) -> Contact:
    """A contact, directly (no audit entry)."""
    number = next(_numbers)
    fields.setdefault("name", f"Contact {number}")
    fields.setdefault("email", f"contact{number}@mail.example")
    fields.setdefault("last_activity_at", timezone.now())
    with tenant(account):
        return Contact.objects.create(**fields)


@dataclass(frozen=True)
class Cast:
    """The people of a tenancy test."""

    account: Account
    alice: User
    members: dict[Role, User]
    stranger_account: Account
    charlie: User

    @property
    def bob(self) -> User:
        """The plain member."""
        return self.members[Role.MEMBER]


def make_cast() -> Cast:
    """Alice's account with one member of each role, and Charlie's beside it."""
    alice, charlie = make_user(name="Alice"), make_user(name="Charlie")
    account = make_account("Alice & Co", alice)
    members = {Role.OWNER: alice}
    for role in (Role.ADMIN, Role.MEMBER, Role.VIEWER):
        members[role] = add_member(account, role).user
    return Cast(account, alice, members, make_account("Charlie Ltd", charlie), charlie)
