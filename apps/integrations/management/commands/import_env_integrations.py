"""``manage.py import_env_integrations``: credentials of the environment, and of old columns, become connections."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from apps.accounts.actors import Actor
from apps.accounts.management.progress import Progress
from apps.accounts.models import Account
from apps.accounts.tenancy.scope import platform, tenant
from apps.integrations.providers import Provider, UnknownProvider, provider, providers
from apps.integrations.services.adopting import Adopted, Found, Incomplete, adopt, found_in, told
from apps.integrations.services.old_columns import CantRead, read_column
from config import environment

ACTOR = Actor.system("import_env_integrations")
MAPS = "google_maps"


class Command(BaseCommand):
    """Safe to stop and to run again: what is connected already is left alone."""

    help = (
        "Make connections of the credentials that are set in the environment (ZOHO_CLIENT_ID, ANTHROPIC_API_KEY, …; "
        "--list names them all, each also as NAME_FILE) for the accounts named, or for all. With --old-database, the "
        "Google Maps keys of an old account table become connections too. Running it again changes nothing. "
        "Exit code 1 when something could not be taken over; the rest is done all the same."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--account", action="append", default=[], metavar="SLUG", help="Only this account (repeatable)."
        )
        parser.add_argument(
            "--provider", action="append", default=[], metavar="NAME", help="Only this provider (repeatable)."
        )
        parser.add_argument("--replace", action="store_true", help="Replace connections that hold another credential.")
        parser.add_argument("--dry-run", action="store_true", help="Say what would be done, change nothing.")
        parser.add_argument("--list", action="store_true", dest="listing", help="Name every variable, and stop.")
        parser.add_argument(
            "--old-database", metavar="VARIABLE", help="Environment variable with the address of the old database."
        )
        parser.add_argument("--old-table", default="pwb_websites", help="Its account table (default: pwb_websites).")
        parser.add_argument(
            "--old-column", default="maps_api_key", help="The column with the Google Maps key (default: maps_api_key)."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = _providers(options["provider"])
        if options["listing"]:
            self._list(chosen)
            return
        self._troubles: list[str] = []
        accounts = _accounts(options["account"])
        work = list(self._from_environment(chosen, accounts))
        if options["old_database"]:
            work += self._from_column(options, accounts)
        counts = self._adopt_all(work, replace=options["replace"], dry_run=options["dry_run"])
        self._report(counts, dry_run=options["dry_run"])

    def _list(self, chosen: list[Provider]) -> None:
        for entry in chosen:
            self.stdout.write(f"{entry.label} ({entry.name})")
            required = {field.name for field in entry.credentials if field.required}
            for name, variable in entry.variables.items():
                self.stdout.write(f"  {variable}{'' if name in required else '  (optional)'}")

    def _from_environment(self, chosen: list[Provider], accounts: list[Account]) -> Iterator[tuple[Account, Found]]:
        for entry in chosen:
            try:
                found = found_in(lambda name: environment.text(name, ""), entry)
            except Incomplete as error:
                self._troubles.append(str(error))
                continue
            if found is not None:
                self.stdout.write(f"{entry.label}: found in the environment.")
                yield from ((account, found) for account in accounts)

    def _from_column(self, options: dict[str, Any], accounts: list[Account]) -> Iterator[tuple[Account, Found]]:
        url = environment.text(options["old_database"], "")
        if not url:
            raise CommandError(f"{options['old_database']} is not set.")
        by_slug, maps = {account.slug: account for account in accounts}, provider(MAPS)
        try:
            for old in read_column(url, options["old_table"], options["old_column"]):
                account = by_slug.get(old.slug)
                if account is None:
                    if not options["account"]:
                        self._troubles.append(f"{old.slug}: has a key there, but is no account here.")
                    continue
                try:
                    yield account, Found(maps, maps.clean_credentials({"api_key": old.value}), {})
                except ValueError as error:
                    self._troubles.append(f"{old.slug}: {error}")
        except CantRead as error:
            raise CommandError(str(error)) from None

    def _adopt_all(self, work: list[tuple[Account, Found]], *, replace: bool, dry_run: bool) -> Counter[Adopted]:
        counts: Counter[Adopted] = Counter()
        with Progress(self.stdout, len(work), "connections") as progress:
            for number, (account, found) in enumerate(work, start=1):
                outcome = self._adopt(account, found, replace=replace, dry_run=dry_run)
                if outcome is not None:
                    counts[outcome] += 1
                    self.stdout.write(f"{account.slug}: {found.provider.label}: {outcome}")
                progress.show(number)
        return counts

    def _adopt(self, account: Account, found: Found, *, replace: bool, dry_run: bool) -> Adopted | None:
        """What became of it; None when it could not be done, which must not stop the others."""
        try:
            with tenant(account):
                outcome = adopt(found, actor=ACTOR, replace=replace)
                if dry_run:
                    transaction.set_rollback(True)
                return outcome
        except ValidationError as error:
            self._troubles.append(f"{account.slug}: {found.provider.label}: {told(error)}")
        except Exception as error:
            self._troubles.append(f"{account.slug}: {found.provider.label}: {type(error).__name__}")
        return None

    def _report(self, counts: Counter[Adopted], *, dry_run: bool) -> None:
        if not counts and not self._troubles:
            self.stdout.write("No variable of any provider is set. --list names them.")
            return
        parts = [f"{counts[outcome]} {outcome}" for outcome in Adopted if counts[outcome]]
        ending = " Nothing was changed: this was a dry run." if dry_run else ""
        self.stdout.write(f"{', '.join(parts) or 'Nothing to do'}.{ending}")
        for trouble in self._troubles:
            self.stderr.write(f"- {trouble}")
        if self._troubles:
            raise CommandError(f"{len(self._troubles)} could not be taken over.")


def _providers(names: list[str]) -> list[Provider]:
    try:
        return [provider(name) for name in names] or list(providers().values())
    except UnknownProvider as error:
        raise CommandError(str(error)) from None


def _accounts(slugs: list[str]) -> list[Account]:
    with platform("find the accounts whose connections are taken over"):
        accounts = list(Account.objects.filter(status=Account.Status.ACTIVE).order_by("slug"))
    if missing := sorted(set(slugs) - {account.slug for account in accounts}):
        raise CommandError(f"No such active account: {', '.join(missing)}.")
    return [account for account in accounts if not slugs or account.slug in slugs]
