"""``manage.py zerodb_key NAME``: a new account-wide key of the embedded ZeroDB server."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from apps.accounts.tenancy.scope import platform
from apps.integrations.models import ZeroCaller
from apps.integrations.zerodb.server.store.keys import create_caller, create_key


class Command(BaseCommand):
    """Prints the key alone on standard output, once; everything else goes to standard error."""

    help = "Make an account-wide key of the embedded ZeroDB server and print it once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="what the key is for, as lists will show it")
        parser.add_argument(
            "--caller", type=UUID, help="give this caller another key (to rotate it); without it a new caller is made"
        )
        parser.add_argument("--dry-run", action="store_true", help="Say what would be made, and make nothing.")
        parser.add_argument("--unlimited", action="store_true", help="a new caller without limits on projects by tier")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["name"].strip()
        if not name or len(name) > 100:
            raise CommandError("Give the key a name of 1 to 100 characters.")
        caller_id = options["caller"]
        if caller_id is not None and not self._exists(caller_id):
            raise CommandError(f"There is no caller {caller_id}.")
        if options["dry_run"]:
            self.stderr.write(f"A key “{name}” of {caller_id or 'a new caller'} would be made. Nothing was changed.")
            return
        if caller_id is None:
            caller_id = create_caller(name, unlimited_projects=options["unlimited"]).id
        key = create_key(caller_id, name)
        self.stderr.write(
            f"Key {key.public_id} of caller {caller_id}. It is shown this once and stored as a hash only."
        )
        self.stdout.write(key.plain)

    def _exists(self, caller_id: UUID) -> bool:
        with platform("find the ZeroDB caller named on the command line"):
            return bool(ZeroCaller.objects.filter(pk=caller_id).exists())
