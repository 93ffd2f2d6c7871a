"""``manage.py demo``: two accounts to look at."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from apps.accounts.demo import build, cast


class Command(BaseCommand):
    """Builds the demo once and writes its log-ins to ``$DATA/demo.json``."""

    help = "Build two demo accounts with members of each role, API keys and contacts. Does nothing the second time."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Say what would be made, and make nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        if build.exists():
            self.stdout.write("The demo is there already.")
            return
        if options["dry_run"]:
            for company in cast.COMPANIES:
                self.stdout.write(f"{company.name}: {len(company.people)} members, {company.contacts} contacts")
            return
        content = build.build(settings.BASE_URL)
        build.write(settings.DATA / "demo.json", content)
        for account in content["accounts"]:
            self.stdout.write(f"{account['name']}: {content['base_url']}/app/{account['slug']}/")
            for user in account["users"]:
                self.stdout.write(f"  {user['role']:7} {user['email']:32} {user['password']}")
        admin = content["super_admin"]
        self.stdout.write(f"Super admin: {admin['email']} {admin['password']}")
