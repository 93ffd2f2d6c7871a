"""``manage.py audit_report``: an account's trail as a file."""

from __future__ import annotations

import os
from argparse import ArgumentTypeError
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.models import Account
from apps.accounts.selectors import account_named
from apps.accounts.tenancy.scope import tenant
from apps.vault.audit.report import FORMATS
from apps.vault.audit.selectors import Criteria
from apps.vault.keys import DecryptionFailed, Sealed
from apps.vault.keys.account_keys import PLATFORM_OWNER


class Command(BaseCommand):
    """Writes to the standard output, or to a file that only its owner can read. The report itself is audited."""

    help = "Write an account's audit trail (or “platform”) as CSV or JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("account", help="Slug or id of an account, or “platform”.")
        parser.add_argument("--format", choices=sorted(FORMATS), default="csv")
        parser.add_argument(
            "--from", dest="since", type=_moment, metavar="TIME", help="First day or moment (ISO 8601)."
        )
        parser.add_argument(
            "--to", dest="until", type=_day_after, metavar="TIME", help="Last day, or moment (ISO 8601)."
        )
        parser.add_argument("--entity", default="", help="A type (contact), an id, or type:id.")
        parser.add_argument("--actor", default="", help="An id, an e-mail or a kind (user, api_key, staff, system).")
        parser.add_argument("--action", default="", help="An action (contact.created) or a resource (contact.*).")
        parser.add_argument("--output", type=Path, help="File to write; must not exist yet.")

    def handle(self, *args: Any, account: str, format: str, output: Path | None, **options: Any) -> None:
        found = None if account == "platform" else account_named(account)
        if found is None and account != "platform":
            raise CommandError(f"No account has the slug or id “{account}”.")
        criteria = Criteria(**{name: options[name] for name in ("entity", "actor", "action", "since", "until")})
        try:
            self._note(found, format, criteria)
            with self._opened(output) as write:
                for piece in FORMATS[format](_trail(found), criteria):
                    write(piece)
        except (Sealed, DecryptionFailed) as error:
            raise CommandError(str(error)) from error
        except FileExistsError as error:
            raise CommandError(f"{output} exists already.") from error
        except OSError as error:
            raise CommandError(f"{output} can't be written: {error.strerror}.") from error
        if output is not None:
            self.stderr.write(f"Wrote {output}.")

    @contextmanager
    def _opened(self, output: Path | None) -> Iterator[Callable[[str], Any]]:
        if output is None:
            yield partial(self.stdout.write, ending="")
            return
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            yield file.write

    def _note(self, account: Account | None, format: str, criteria: Criteria) -> None:
        asked = {name: str(value) for name, value in vars(criteria).items() if value}
        actor = Actor.system(f"audit_report by {os.environ.get('SUDO_USER') or os.environ.get('USER') or 'the shell'}")
        changes = {"format": format, **asked}
        if account is None:
            audit.record("audit.exported", actor=actor, changes=changes)
        else:
            with tenant(account):
                audit.record("audit.exported", actor=actor, changes=changes)


def _trail(account: Account | None) -> UUID:
    return account.id if account is not None else PLATFORM_OWNER


def _moment(text: str) -> datetime:
    """A day's beginning or a moment; times without a zone are in the installation's. Raises ArgumentTypeError."""
    try:
        day = parse_date(text)
        moment = datetime.combine(day, time.min) if day else parse_datetime(text)
    except ValueError:  # well formed, and on no calendar
        moment = None
    if moment is None:
        raise ArgumentTypeError(f"“{text}” is no day or moment; write 2026-11-21 or 2026-11-21T09:30Z")
    return timezone.make_aware(moment) if timezone.is_naive(moment) else moment


def _day_after(text: str) -> datetime:
    """The end of a day (the beginning of the next), or a moment. Raises ArgumentTypeError."""
    moment = _moment(text)
    return moment + timedelta(days=1) if parse_date(text) else moment
