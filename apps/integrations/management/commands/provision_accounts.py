"""``manage.py provision_accounts``: projects for accounts that have none yet."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentTypeError
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from apps.accounts.actors import Actor
from apps.accounts.jobs.running import run
from apps.accounts.models import Account, Job
from apps.accounts.selectors import accounts_named
from apps.accounts.tenancy.scope import platform, tenant
from apps.integrations.models import AINativeProject
from apps.integrations.zerodb.provisioning import project_of, request_provisioning

ACTOR = Actor.system("provision_accounts")
BAR = 30


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0
    if not rate > 0:  # nor is NaN
        raise ArgumentTypeError(f"{text!r} is not a number above 0")
    return rate


def _limit(text: str) -> int:
    """A whole number of accounts, at least one. Raises ArgumentTypeError."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


class Command(BaseCommand):
    """Goes through accounts without a ready project, one after the other; safe to stop and to run again."""

    help = (
        "Provision an AINative/ZeroDB project for every account that has none at the server in use. Accounts that are "
        "ready are left alone, so an interrupted run is continued by running it again. Exit code 1 when an account "
        "could not be provisioned."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--account", action="append", default=[], metavar="SLUG", help="Only this one, by slug or id (repeatable)."
        )
        parser.add_argument("--rate", type=_rate, default=1.0, help="Accounts per second at most (default 1).")
        parser.add_argument("--limit", type=_limit, help="Stop after so many accounts.")
        parser.add_argument("--dry-run", action="store_true", help="Say which accounts would be provisioned.")

    def handle(self, *args: Any, **options: Any) -> None:
        accounts = self._accounts(options["account"])[: options["limit"]]
        if options["dry_run"]:
            for account in accounts:
                self.stdout.write(f"{account.slug}: would be provisioned")
            have = "account has" if len(accounts) == 1 else "accounts have"
            self.stdout.write(f"{len(accounts)} {have} no project. Nothing was changed.")
            return
        done, failed = self._provision_all(accounts, 1 / options["rate"])
        self.stdout.write(f"{done} provisioned, {len(failed)} failed, of {len(accounts)} accounts without a project.")
        for slug, reason in failed:
            self.stderr.write(f"- {slug}: {reason}")
        if failed:
            raise CommandError(f"{len(failed)} accounts have no project yet. Run this again to continue.")

    def _accounts(self, slugs: list[str]) -> list[Account]:
        with platform("find accounts without a project"):
            ready = AINativeProject.objects.filter(AINativeProject.ready()).values("account_id")
            named, missing = accounts_named(Account.objects.all(), slugs)
            if missing:
                raise CommandError(f"No such account: {', '.join(missing)}.")
            return list(named.exclude(pk__in=ready).order_by("created_at"))

    def _provision_all(self, accounts: list[Account], pause: float) -> tuple[int, list[tuple[str, str]]]:
        done, failed = 0, []
        for number, account in enumerate(accounts, start=1):
            started = time.monotonic()
            reason = self._provision(account)
            if reason:
                failed.append((account.slug, reason))
            else:
                done += 1
            self._show(number, len(accounts), account.slug, reason)
            if number < len(accounts):
                time.sleep(max(0.0, pause - (time.monotonic() - started)))
        return done, failed

    def _provision(self, account: Account) -> str:
        """Provision one account here and now. Returns "" or why it did not work: it must not stop the others."""
        try:
            with tenant(account):
                job = request_provisioning(account=account, actor=ACTOR)
                # An attempt may be waiting for its time; whoever runs this has decided that it is now.
                Job.objects.filter(pk=job.id, status=Job.Status.QUEUED).update(next_attempt_at=timezone.now())
            return self._outcome(account, job)
        except Exception as error:
            return f"{type(error).__name__}: {error}"

    def _outcome(self, account: Account, job: Job) -> str:
        deadline = time.monotonic() + 60
        while True:  # a worker may have been quicker with the job's message, or be just about to take it
            run(account.id, job.id, makes_room=False)
            with tenant(account):
                job.refresh_from_db()
                project = project_of(account)
            if project.is_ready:
                return ""
            is_under_way = job.status == Job.Status.RUNNING or (job.status == Job.Status.QUEUED and not job.error)
            if not is_under_way or time.monotonic() > deadline:
                return project.error or job.error or f"The job is {job.status}."
            time.sleep(0.2)

    def _show(self, number: int, total: int, slug: str, reason: str) -> None:
        words = f"failed: {reason}" if reason else "ready"
        if not sys.stdout.isatty():
            self.stdout.write(f"{number}/{total} {slug}: {words}")
            return
        filled = BAR * number // total
        draw: Callable[[str], object] = self.stdout.write
        draw(f"\r[{'█' * filled}{'·' * (BAR - filled)}] {number}/{total} {slug}: {words}\033[K")
        if number == total or reason:
            draw("")
