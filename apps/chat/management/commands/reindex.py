"""``manage.py reindex``: the vectors of one feature or of one account, made anew beside those in use."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentTypeError, RawDescriptionHelpFormatter
from collections import Counter
from collections.abc import Sequence
from textwrap import fill
from threading import Thread
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser, DjangoHelpFormatter
from django.db import connection

from apps.accounts.actors import Actor
from apps.accounts.features import FeatureOff
from apps.accounts.jobs.running import run
from apps.accounts.models import Account, Job
from apps.accounts.selectors import accounts_named
from apps.accounts.tenancy.scope import platform, tenant
from apps.chat.services.rebuilding import ALL, Rebuildable, make_due

ACTOR = Actor.system("reindex")
EVERY = "all"
_BUILT, _SKIPPED, _FAILED = "built", "skipped", "failed"


class _Formatter(DjangoHelpFormatter, RawDescriptionHelpFormatter):
    """Keeps the lines of the description."""


def _help() -> str:
    told = [fill(f"{one.name}: {one.how}.", 100, initial_indent="  ", subsequent_indent="    ") for one in ALL]
    return "\n".join(
        [
            "Make the vectors of features anew, of all accounts or of one.",
            "",
            *told,
            "",
            "Accounts that have a feature off are left out. Killed, it goes on with --continue.",
            "Exit code 1 when something could not be built.",
        ]
    )


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0
    if not rate > 0:  # nor is NaN
        raise ArgumentTypeError(f"{text!r} is not a number above 0")
    return rate


def _chosen(text: str) -> Sequence[Rebuildable]:
    """By the short name, or by the one that the switch has."""
    found = ALL if text == EVERY else [one for one in ALL if text in {one.name, one.feature.name}]
    if not found:
        names = ", ".join(one.name for one in ALL)
        raise ArgumentTypeError(f"{text!r} keeps no vectors. Choose one of {names}, or {EVERY}")
    return found


_IN_LINE = 60.0
"""Seconds that a job may be in line until nobody is believed to take it."""


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

    help = _help()

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=_Formatter, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--account", action="append", default=[], metavar="SLUG", help="Only this one, by slug or id (repeatable)."
        )
        parser.add_argument(
            "--feature",
            type=_chosen,
            metavar="FEATURE",
            help=f"Only this one: {', '.join(one.name for one in ALL)}, or {EVERY} (the default).",
        )
        parser.add_argument(
            "--model",
            default="",
            help="Another embedding model than the account's own, for the index of conversations alone: the others "
            "are always compared by the model that the account chose.",
        )
        parser.add_argument("--rate", type=_rate, help="Texts per second at most.")
        parser.add_argument(
            "--continue", action="store_true", dest="goes_on", help="Go on with what is being built; begin nothing."
        )
        parser.add_argument("--dry-run", action="store_true", help="Say how much would be done, and do nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = self._wanted(options)
        accounts = self._accounts(options["account"])
        if options["dry_run"]:
            for account in accounts:
                for one in wanted:
                    self._say_what_there_is(account, one)
            self.stdout.write(f"{len(accounts)} accounts. Nothing was changed.")
            return
        outcomes = Counter(self._rebuild(account, one, options) for account in accounts for one in wanted)
        skipped = f", {outcomes[_SKIPPED]} left out" if outcomes[_SKIPPED] else ""
        self.stdout.write(f"{outcomes[_BUILT]} of {outcomes.total()} are built{skipped}.")
        if outcomes[_FAILED]:
            raise CommandError(f"{outcomes[_FAILED]} could not be built. Run this again with --continue.")

    def _wanted(self, options: dict[str, Any]) -> Sequence[Rebuildable]:
        by_model = ALL[:1]
        if not options["model"]:
            return options["feature"] or ALL
        if options["feature"] and list(options["feature"]) != list(by_model):
            raise CommandError(
                "--model is for the index of conversations alone. What canned responses and facts are compared by "
                "follows the model in the account's settings."
            )
        return by_model

    def _accounts(self, slugs: list[str]) -> list[Account]:
        with platform("list accounts to index"):
            named, missing = accounts_named(Account.objects.filter(status=Account.Status.ACTIVE), slugs)
            if missing:
                raise CommandError(f"No such active account: {', '.join(missing)}.")
            return list(named.order_by("created_at"))

    def _say_what_there_is(self, account: Account, one: Rebuildable) -> None:
        with tenant(account):
            try:
                one.require_on()
            except FeatureOff as error:
                self.stdout.write(f"{account.slug}: {one.things} would be left out. {error}")
            else:
                self.stdout.write(f"{account.slug}: {one.count():,} {one.things} would be {one.done}")

    def _rebuild(self, account: Account, one: Rebuildable, options: dict[str, Any]) -> str:
        """Build one feature of one account here and now. Returns what came of it: it must not stop the others."""
        try:
            with tenant(account):
                one.require_on()
        except FeatureOff as error:
            self.stdout.write(f"{account.slug}: {one.things} are left out. {error}")
            return _SKIPPED
        if problem := self._problem(account, one, options):
            self.stderr.write(f"- {account.slug}: {one.things}: {problem}")
            return _FAILED
        return _BUILT

    def _problem(self, account: Account, one: Rebuildable, options: dict[str, Any]) -> str:
        """Build it. Returns "" or why it did not work."""
        try:
            with tenant(account):
                goes_on = options["goes_on"]
                job = one.go_on(ACTOR) if goes_on else one.begin(ACTOR, options["model"], options["rate"])
                if job is not None:
                    make_due(job)
            if job is not None:
                return self._outcome(account, one, job, _begun(account, job))
            self.stdout.write(f"{account.slug}: {one.things}: nothing is unfinished")
            return ""
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from error
        except FeatureOff as error:
            return str(error)
        except Exception as error:
            return f"{type(error).__name__}: {error}"

    def _outcome(self, account: Account, one: Rebuildable, job: Job, work: Thread) -> str:
        """Follow the job to its end: a worker may have been quicker with its message than this command."""
        moved = time.monotonic()
        while True:
            work.join(0.5)
            with tenant(account):
                job.refresh_from_db()
                done, total = one.progress(job)
            if work.is_alive() or job.status == Job.Status.RUNNING:
                moved = time.monotonic()
            # In line without an error: a worker was just about to take it, or gave it back to make room for others.
            is_in_line = job.status == Job.Status.QUEUED and not job.error and time.monotonic() - moved < _IN_LINE
            is_over = not work.is_alive() and job.status != Job.Status.RUNNING and not is_in_line
            self._show(f"{account.slug}: {done:,} of {total:,} {one.things} {one.done}", is_last=is_over)
            if is_over:
                return "" if job.status == Job.Status.DONE else job.error or f"The job is {job.status}."
            if not work.is_alive():
                time.sleep(0.5)
                work = _begun(account, job)  # whoever has it may be gone: then it is free when its lease is over

    def _show(self, words: str, *, is_last: bool) -> None:
        if sys.stdout.isatty():
            self.stdout.write(f"\r{words}", ending="\n" if is_last else "")
            self.stdout.flush()
        elif is_last:
            self.stdout.write(words)
