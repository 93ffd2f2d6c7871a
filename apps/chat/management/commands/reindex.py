"""``manage.py reindex``: the search index of one account or of all, built anew beside the one in use."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentTypeError
from threading import Thread
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.utils import timezone

from apps.accounts.actors import Actor
from apps.accounts.jobs.running import run
from apps.accounts.models import Account, Job
from apps.accounts.tenancy.scope import platform, tenant
from apps.chat.indexing.progress import IndexProgress, index_progress
from apps.chat.indexing.reindexing import hurry, queue_indexing, reindex
from apps.chat.models import Message

ACTOR = Actor.system("reindex")
FEATURES = ("conversations",)


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0
    if not rate > 0:  # nor is NaN
        raise ArgumentTypeError(f"{text!r} is not a number above 0")
    return rate


def _begun(account: Account, job: Job) -> Thread:
    """The job's work, beside the thread that tells how far it is; ended with the command, as a killed worker's is."""

    def work() -> None:
        try:
            run(account.id, job.id, makes_room=False)
        finally:
            connection.close()

    thread = Thread(target=work, daemon=True)
    thread.start()
    return thread


class Command(BaseCommand):
    """Goes through accounts one after the other; what was stopped is continued by ``--continue``."""

    help = (
        "Build the search index of conversations anew, beside the one in use, which serves until the new one is whole. "
        "Exit code 1 when an account's index could not be built."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--account", action="append", default=[], metavar="SLUG", help="Only this one (repeatable)."
        )
        parser.add_argument("--feature", choices=FEATURES, default=FEATURES[0], help="Which index.")
        parser.add_argument("--model", default="", help="Another embedding model than the account's own.")
        parser.add_argument("--rate", type=_rate, help="Messages per second at most.")
        parser.add_argument(
            "--continue", action="store_true", dest="goes_on", help="Go on with what is being built; begin nothing."
        )
        parser.add_argument("--dry-run", action="store_true", help="Say how many messages would be indexed.")

    def handle(self, *args: Any, **options: Any) -> None:
        accounts = self._accounts(options["account"])
        if options["dry_run"]:
            for account in accounts:
                with tenant(account):
                    self.stdout.write(f"{account.slug}: {Message.objects.count():,} messages would be indexed")
            self.stdout.write(f"{len(accounts)} accounts. Nothing was changed.")
            return
        failed = [(account.slug, reason) for account in accounts if (reason := self._rebuild(account, options))]
        self.stdout.write(f"{len(accounts) - len(failed)} of {len(accounts)} indexes are built.")
        for slug, reason in failed:
            self.stderr.write(f"- {slug}: {reason}")
        if failed:
            raise CommandError(f"{len(failed)} could not be built. Run this again with --continue.")

    def _accounts(self, slugs: list[str]) -> list[Account]:
        with platform("list accounts to index"):
            accounts = Account.objects.filter(status=Account.Status.ACTIVE).order_by("created_at")
            if slugs:
                accounts = accounts.filter(slug__in=slugs)
                known = set(accounts.values_list("slug", flat=True))
                if missing := sorted(set(slugs) - known):
                    raise CommandError(f"No such active account: {', '.join(missing)}.")
            return list(accounts)

    def _rebuild(self, account: Account, options: dict[str, Any]) -> str:
        """Build one account's index here and now. Returns "" or why it did not work: it must not stop the others."""
        try:
            with tenant(account):
                if not options["goes_on"]:
                    reindex(actor=ACTOR, model=options["model"], rate=options["rate"])
                hurry()
                job = queue_indexing(ACTOR)
                Job.objects.filter(pk=job.pk, status=Job.Status.QUEUED).update(next_attempt_at=timezone.now())
            return self._outcome(account, job, _begun(account, job))
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from error
        except Exception as error:
            return f"{type(error).__name__}: {error}"

    def _outcome(self, account: Account, job: Job, work: Thread) -> str:
        """Follow the job to its end: a worker may have been quicker with its message than this command."""
        while True:
            work.join(0.5)
            with tenant(account):
                job.refresh_from_db()
                progress = index_progress()
            is_over = not work.is_alive() and job.status != Job.Status.RUNNING
            self._show(account, progress, is_last=is_over)
            if is_over:
                return "" if job.status == Job.Status.DONE else job.error or f"The job is {job.status}."
            if not work.is_alive():
                time.sleep(0.5)

    def _show(self, account: Account, progress: IndexProgress, *, is_last: bool) -> None:
        words = f"{account.slug}: {progress.indexed:,} of {progress.total:,} messages indexed"
        if sys.stdout.isatty():
            self.stdout.write(f"\r{words}", ending="\n" if is_last else "")
            self.stdout.flush()
        elif is_last:
            self.stdout.write(words)
