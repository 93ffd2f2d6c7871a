"""``manage.py check_isolation``: do both walls stand?"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.accounts.tenancy.checks import all_faults
from apps.accounts.tenancy.registry import GLOBAL_MODELS, owned_columns


class Command(BaseCommand):
    """Reads models, roles, tables, policies and keys, and names every fault. Exit code 1 when there is one."""

    help = "Check that every account's rows are isolated twice: by the ORM and by PostgreSQL row security."

    def handle(self, *args: Any, **options: Any) -> None:
        faults = all_faults()
        for fault in faults:
            self.stderr.write(f"- {fault}")
        if faults:
            raise CommandError(f"{len(faults)} {'fault' if len(faults) == 1 else 'faults'}: isolation does not hold.")
        if options["verbosity"] > 1:
            for table, (column, _) in sorted(owned_columns().items()):
                self.stdout.write(f"{table}: by {column}")
            for label, reason in sorted(GLOBAL_MODELS.items()):
                self.stdout.write(f"{label}: global, {reason}")
        self.stdout.write(f"Both walls stand around {len(owned_columns())} tables.")
