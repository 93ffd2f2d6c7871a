"""``manage.py init_vault``: make what the vault needs on first run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.accounts.tenancy.scope import platform
from apps.vault.keys import Sealed
from apps.vault.keys.master import create_local_file
from apps.vault.models import PlatformKeyset
from apps.vault.services.open_vault import init_vault


class Command(BaseCommand):
    """Safe to run at every start: it never replaces a key that something is encrypted with."""

    help = "Make the local master key file (first run only) and the platform's own keys."

    def handle(self, *args: Any, **options: Any) -> None:
        scheme, _, location = settings.VAULT_MASTER_KEY_URI.partition("://")
        with platform("see whether the vault was ever opened here"):
            fresh = not PlatformKeyset.objects.exists()
        if fresh and scheme == "local" and not Path(location).exists():
            create_local_file(Path(location))
            self.stdout.write(f"Made the master key {location}. Keep a copy: without it nothing can be read.")
        try:
            made = init_vault()
        except Sealed as error:
            raise CommandError(f"The vault stays sealed: {error}") from error
        self.stdout.write("Made the platform's keys." if made else "The vault was initialised before.")
