"""``manage.py verify_audit``: is every audit trail whole?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.accounts.selectors import account_named
from apps.vault.audit import exported
from apps.vault.audit.anchor import AnchorForged
from apps.vault.audit.prove import Ends, prove, prove_all, prove_platform
from apps.vault.audit.verify import Proof
from apps.vault.keys import Sealed


class Command(BaseCommand):
    """Checks every entry's MAC and link, the recorded end and the anchor outside of the database.

    Exit code 1 when a trail is broken, 2 when nothing could be checked.
    """

    help = "Prove audit trails whole, and name each entry that was edited, removed, moved or cut off."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("account", nargs="?", help="Slug or id of an account, or “platform”.")
        parser.add_argument("--all", action="store_true", help="Every account's trail and the platform's.")
        parser.add_argument(
            "--export", type=Path, metavar="FILE", help="Write the proven ends there, to be kept elsewhere."
        )
        parser.add_argument(
            "--against", type=Path, metavar="FILE", help="Compare with the ends that were exported there."
        )

    def handle(
        self, *args: Any, account: str | None, all: bool, export: Path | None, against: Path | None, **options: Any
    ) -> None:
        if bool(account) == all:
            raise CommandError("Name one account (slug, id or “platform”), or say --all.", returncode=2)
        proofs = []
        try:
            for name, proof in self._proofs(account, self._exported(against)):
                proofs.append(proof)
                self._tell(name, proof)
        except Sealed as error:
            raise CommandError(f"The vault is sealed, nothing can be proven: {error}", returncode=2) from error
        faults, trails = sum(len(proof.faults) for proof in proofs), len(proofs)
        if faults:
            found = "1 fault" if faults == 1 else f"{faults} faults"
            raise CommandError(f"{found} in {trails} {'trail' if trails == 1 else 'trails'}.", returncode=1)
        if export is not None:
            self._write(export, proofs)
        self.stdout.write(f"{trails} trails are whole." if trails != 1 else "The trail is whole.")

    def _exported(self, path: Path | None) -> Ends:
        if path is None:
            return {}
        try:
            return exported.read(path)
        except OSError as error:
            raise CommandError(f"{path} can't be read: {error.strerror}.", returncode=2) from error
        except AnchorForged as error:
            raise CommandError(str(error), returncode=1) from error

    def _write(self, path: Path, proofs: list[Proof]) -> None:
        try:
            count = exported.write(path, proofs)
        except OSError as error:
            raise CommandError(f"{path} can't be written: {error.strerror}.", returncode=2) from error
        self.stdout.write(f"Wrote {count} ends to {path}. Keep it away from this machine.")

    def _proofs(self, account: str | None, ends: Ends) -> Iterator[tuple[str, Proof]]:
        if account is None:
            return prove_all(self._progress, ends)
        if account == "platform":
            return iter([("platform", prove_platform(self._progress, ends))])
        found = account_named(account)
        if found is None:
            raise CommandError(f"No account has the slug or id “{account}”.", returncode=2)
        return iter([(found.slug, prove(found, self._progress, ends))])

    def _progress(self, name: str, read: int) -> None:
        if self.stderr.isatty():
            self.stderr.write(f"\r{name}: {read:,} entries read", ending="")

    def _tell(self, name: str, proof: Proof) -> None:
        if self.stderr.isatty():
            self.stderr.write("\r\x1b[K", ending="")
        if proof.whole:
            self.stdout.write(f"{name}: {proof.entries:,} entries, whole. Head {proof.head.hex()}")
            return
        self.stdout.write(f"{name}: {proof.entries:,} entries, BROKEN")
        for fault in proof.faults:
            self.stdout.write(f"  {fault.kind}: {fault.words}")
