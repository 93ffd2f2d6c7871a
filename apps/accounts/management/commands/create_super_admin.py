"""``manage.py create_super_admin EMAIL``: the first way into the admin."""

from __future__ import annotations

import os
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from apps.accounts.services.super_admin import NewSuperAdmin, create_super_admin
from apps.accounts.signin import static_tokens


class Command(BaseCommand):
    """Safe to run twice: whoever is a super admin already keeps password and tokens."""

    help = "Make a super admin and print their break-glass tokens, once. The password comes from SUPER_ADMIN_PASSWORD."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--name", default="")
        parser.add_argument("--new-tokens", action="store_true", help="Replace the tokens there are by fresh ones.")

    def handle(self, *args: Any, email: str, name: str, new_tokens: bool, **options: Any) -> None:
        try:
            made = create_super_admin(
                email=email,
                name=name,
                password=os.environ.get("SUPER_ADMIN_PASSWORD", ""),
                new_tokens=new_tokens,
            )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self._tell(made)

    def _tell(self, made: NewSuperAdmin) -> None:
        done = "is a super admin now" if made.created or made.promoted else "was a super admin already"
        self.stdout.write(f"{made.user.email} {done}.")
        if made.password and "SUPER_ADMIN_PASSWORD" not in os.environ:
            self.stdout.write(f"Password: {made.password}")
        if made.static_tokens:
            self.stdout.write(f"Tokens for {reverse('admin:break_glass')}; each works once and is shown only now:")
            for token in made.static_tokens:
                self.stdout.write(f"  {token}")
        else:
            count = static_tokens.left(made.user)
            self.stdout.write(f"{count} unused tokens are left; --new-tokens replaces them.")
