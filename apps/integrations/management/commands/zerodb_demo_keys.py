"""``manage.py zerodb_demo_keys``: the keys and projects that the vendor's own tests expect to find."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.integrations.zerodb.server.demo_keys import DEMO_CALLERS, make_demo_callers


class Command(BaseCommand):
    """The keys are known to everybody, so they are made, and taken, in test mode alone."""

    help = "Make the well-known keys of ZeroDB's tests, where ZERODB_DEMO_KEYS is on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Say what would be made, and make nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.ZERODB_DEMO_KEYS:
            raise CommandError("These keys are known to everybody. Set ZERODB_DEMO_KEYS=on where that does no harm.")
        if options["dry_run"]:
            self.stderr.write(f"{len(DEMO_CALLERS)} callers would be made. Nothing was changed.")
            return
        made = make_demo_callers()
        self.stderr.write(f"Made {made} of {len(DEMO_CALLERS)} callers; the others were there.")
