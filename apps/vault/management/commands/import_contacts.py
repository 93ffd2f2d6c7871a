"""``manage.py import_contacts``: a list of contacts from a file into an account."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from apps.accounts.actors import Actor
from apps.accounts.jobs import running as jobs
from apps.accounts.management.progress import Progress
from apps.accounts.models import Account, Job
from apps.accounts.selectors import account_named
from apps.accounts.tenancy.scope import tenant
from apps.vault import uploads
from apps.vault.contact_import import mapping as mappings
from apps.vault.contact_import import running
from apps.vault.contact_import.reading import Format
from apps.vault.keys import Sealed
from apps.vault.models import ContactImport
from apps.vault.services import contact_imports as service

_BLOCK = 1 << 20
SOME_REJECTED = 2


class Command(BaseCommand):
    """Does in this process what the page does in a worker, with the same job row: killed, a worker finishes it."""

    help = (
        "Import contacts from a CSV in any common encoding and delimiter. Safe to run again: nobody is added twice. "
        "Exit code: 0 when every row is in, 2 when some rows were rejected, 1 when the import could not be done."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("account", help="Slug or id of the account.")
        parser.add_argument("file", type=Path, help="The CSV.")
        parser.add_argument(
            "--map",
            action="append",
            default=[],
            dest="pairs",
            metavar="COLUMN=FIELD",
            help=f"What a column becomes, where the guess is wrong: {', '.join(mappings.FIELDS)}, attribute:<key>, "
            "leave_out. Repeat for more columns.",
        )
        parser.add_argument(
            "--duplicates",
            choices=ContactImport.Duplicates.values,
            default=ContactImport.Duplicates.MERGE.value,
            help="What becomes of rows whose e-mail, phone or identifier is known (default: merge).",
        )
        parser.add_argument("--region", help="Country of phone numbers without +code (default: the account's own).")
        parser.add_argument("--encoding", help="Encoding, where the guess is wrong.")
        parser.add_argument("--dry-run", action="store_true", help="Check and count everything, write nothing.")
        parser.add_argument("--rejected", type=Path, metavar="OUT.csv", help="Where to write the rejected rows.")

    def handle(self, *args: Any, account: str, file: Path, dry_run: bool, **options: Any) -> None:
        found = account_named(account)
        if found is None:
            raise CommandError(f"No account has the slug or id “{account}”.")
        if options["rejected"] is not None and options["rejected"].exists():
            raise CommandError(f"{options['rejected']} exists already.")
        try:
            done = self._rehearse(found, file, options) if dry_run else self._import(found, file, options)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        except OSError as error:
            raise CommandError(f"{error.filename or file}: {error.strerror}.") from error
        except Sealed as error:
            raise CommandError(str(error)) from error
        self._tell(done, options["rejected"], dry_run)

    # --- for real

    def _import(self, account: Account, file: Path, options: dict[str, Any]) -> ContactImport:
        with tenant(account):
            started = self._start(file, options)
        self._describe(started)
        with Progress(self.stdout, started.rows_total) as progress, running.watched(progress.show):
            try:
                self._work(started, progress)
            except KeyboardInterrupt:
                self._cancel(started)
                raise
        with tenant(account):
            job = Job.objects.get(pk=started.job_id)
            if job.status != Job.Status.DONE:
                raise CommandError(f"The import ended {job.get_status_display().lower()}. {job.error}")
            return self._with_rejections(ContactImport.objects.get(pk=started.pk), options["rejected"])

    def _work(self, started: ContactImport, progress: Progress) -> None:
        """Run the job here; when a worker was quicker, or it has to wait, watch it instead."""
        assert started.account_id is not None
        assert started.job_id is not None
        while True:
            jobs.run(started.account_id, started.job_id)
            with tenant(started.account_id):
                job = Job.objects.get(pk=started.job_id)
            if job.is_finished:
                return
            progress.show(job.done, job.total or 0)
            time.sleep(0.5)

    def _cancel(self, started: ContactImport) -> None:
        assert started.account_id is not None
        with tenant(started.account_id):
            service.cancel_import(started, actor=_operator())
        self.stderr.write("Stopped. The rows shown above are in; run the command again for the others.")

    # --- for show

    def _rehearse(self, account: Account, file: Path, options: dict[str, Any]) -> ContactImport:
        """Everything as for real, in one transaction that is rolled back: keys, duplicates and conflicts are true."""
        with tenant(account):
            opened = service.open_import(
                actor=_operator(), file_name=file.name, content=_blocks(file), **_reading(options)
            )
            try:
                service.settle_import(opened, **_settling(options))
                self._describe(opened)
                with Progress(self.stdout, opened.rows_total) as progress:
                    running.run(opened, scope=lambda: tenant(account), progress=progress.show, trail=False)
                done = self._with_rejections(ContactImport.objects.get(pk=opened.pk), options["rejected"])
            finally:
                assert opened.upload_id is not None
                uploads.destroy(account.id, opened.upload_id)
                transaction.set_rollback(True)
        return done

    # --- both

    def _start(self, file: Path, options: dict[str, Any]) -> ContactImport:
        return service.import_contacts(
            actor=_operator(), file_name=file.name, content=_blocks(file), **_reading(options), **_settling(options)
        )

    def _describe(self, opened: ContactImport) -> None:
        form = Format.from_json(opened.format)
        delimiter = form.delimiter_name
        self.stdout.write(
            f"{opened.file_name}: {opened.rows_total:,} rows, {form.encoding_name}, {delimiter} between cells."
        )
        widest = max(len(column) for column in opened.mapping)
        for column, field in opened.mapping.items():
            self.stdout.write(f"  {column:<{widest}}  →  {mappings.label(field)}")

    def _with_rejections(self, done: ContactImport, output: Path | None) -> ContactImport:
        if output is not None:
            descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
                file.writelines(service.rejected_csv(done))
        elif done.rejected:
            for rejection, _ in zip(service.rejections(done), range(10), strict=False):
                self.stderr.write(f"Row {rejection.row:,}: {rejection.reason}")
        return done

    def _tell(self, done: ContactImport, output: Path | None, dry_run: bool) -> None:
        would = "would be " if dry_run else ""
        self.stdout.write(
            f"{done.rows_done:,} rows: {done.added:,} {would}added, {done.merged:,} {would}merged, "
            f"{done.unchanged:,} unchanged, {done.rejected:,} {would}rejected."
        )
        if done.rejected:
            where = f"They are in {output}." if output else "Name a file with --rejected to get them all."
            raise CommandError(
                f"{done.rejected:,} of {done.rows_done:,} rows were rejected. {where}", returncode=SOME_REJECTED
            )


def _operator() -> Actor:
    return Actor.system(f"import_contacts by {os.environ.get('SUDO_USER') or os.environ.get('USER') or 'the shell'}")


def _blocks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while block := opened.read(_BLOCK):
            yield block


def _reading(options: dict[str, Any]) -> dict[str, Any]:
    return {"encoding": options["encoding"]}


def _settling(options: dict[str, Any]) -> dict[str, Any]:
    pairs = [pair.rpartition("=") for pair in options["pairs"]]
    wrong = next((field for column, _, field in pairs if not column), None)
    if wrong is not None:
        raise CommandError(f"--map {wrong}: write it as COLUMN=FIELD.")
    mapping = {column: field for column, _, field in pairs}
    return {"mapping": mapping, "duplicates": options["duplicates"], "default_region": options["region"]}
