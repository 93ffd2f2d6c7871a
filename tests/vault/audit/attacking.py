"""What the owner of the database can do to two accounts' trails, and how to put them back afterwards."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from apps.accounts.models import Account
from apps.accounts.tenancy.scope import tenant
from apps.vault.audit.anchor import Anchor
from apps.vault.audit.verify import Proof, verify_trail

ENTRIES = 5
CONTENT = "id, at, action, actor_kind, actor_id, entity_type, entity_id, request_id, payload, previous_hash, hash"
# A change of each column that is never the same value again.
EDITS = {
    "id": "gen_random_uuid()",
    "at": "at + interval '1 microsecond'",
    "action": "action || 'x'",
    "actor_kind": "actor_kind || 'x'",
    "actor_id": "gen_random_uuid()",
    "entity_type": "entity_type || 'x'",
    "entity_id": "entity_id || '1'",
    "request_id": "request_id || '2'",
    "payload": "set_byte(payload, length(payload) - 1, get_byte(payload, length(payload) - 1) # 1)",
    "previous_hash": "set_byte(previous_hash, 31, get_byte(previous_hash, 31) # 1)",
    "hash": "set_byte(hash, 0, get_byte(hash, 0) # 128)",
}


@dataclass
class Trails:
    """Two trails, and the hand that may do anything to their tables and files."""

    accounts: list[Account]
    owner: psycopg.Connection[Any]
    anchors: Path

    def keep(self) -> None:
        """Remember everything as it is now."""
        for table in ("auditentry", "audithead"):
            self.owner.execute(f"CREATE TEMP TABLE kept_{table} AS SELECT * FROM vault_{table}")  # type: ignore[arg-type]
        shutil.copytree(self.anchors, self.anchors.with_name("kept"))

    def put_back(self) -> None:
        for table in ("auditentry", "audithead"):
            self.owner.execute(f"DELETE FROM vault_{table}")  # type: ignore[arg-type]
            self.owner.execute(f"INSERT INTO vault_{table} SELECT * FROM kept_{table}")  # type: ignore[arg-type]
        shutil.rmtree(self.anchors)
        shutil.copytree(self.anchors.with_name("kept"), self.anchors)

    def changed(self) -> bool:
        """Whether anything that the tables say of the trails is not as it was kept."""
        for table, what in (("auditentry", f"account_id, seq, {CONTENT}"), ("audithead", "account_id, seq, hash")):
            now, then = f"SELECT {what} FROM vault_{table}", f"SELECT {what} FROM kept_{table}"
            for one, other in ((now, then), (then, now)):
                if self.owner.execute(f"({one}) EXCEPT ALL ({other}) LIMIT 1").fetchone():  # type: ignore[arg-type]
                    return True
        return False

    def prove(self, exported: dict[UUID, Anchor] | None = None) -> list[Proof]:
        proofs = []
        for account in self.accounts:
            with tenant(account):
                proofs.append(verify_trail(account.id, exported=(exported or {}).get(account.id)))
        return proofs

    def anchor_file(self, which: int) -> Path:
        [path] = self.anchors.glob(f"*/{self.accounts[which].id}.head")
        return path

    def run(self, sql: str, which: int, *values: Any) -> None:
        """One statement; ``{mine}`` and ``{other}`` stand for the two accounts. One the table refuses does nothing."""
        names = {"mine": self.accounts[which].id, "other": self.accounts[1 - which].id}
        quoted = {name: f"'{value}'::uuid" for name, value in names.items()}
        with suppress(psycopg.errors.UniqueViolation, psycopg.errors.NotNullViolation):
            self.owner.execute(sql.format(**quoted), values)  # type: ignore[arg-type]


Attack = Callable[[Trails, int, int, int], None]
_HEAD = (
    "UPDATE vault_audithead h SET seq = e.seq, hash = e.hash FROM vault_auditentry e "
    "WHERE h.account_id = {mine} AND e.account_id = {mine} AND e.seq = "
)
_LAST = "(SELECT max(seq) FROM vault_auditentry WHERE account_id = {mine})"


def cut(trails: Trails, which: int, at: int, _: int) -> None:
    """Everything after an entry is removed, and the record of the end set back to it."""
    trails.run("DELETE FROM vault_auditentry WHERE account_id = {mine} AND seq > %s", which, at)
    trails.run(_HEAD + "%s", which, at)


def empty(trails: Trails, which: int, _: int, __: int) -> None:
    """The whole trail is removed, as if the account were new."""
    trails.run("DELETE FROM vault_auditentry WHERE account_id = {mine}", which)
    trails.run(
        "UPDATE vault_audithead SET seq = 0, hash = decode(repeat('00', 32), 'hex') WHERE account_id = {mine}", which
    )


def remove(trails: Trails, which: int, at: int, _: int) -> None:
    trails.run("DELETE FROM vault_auditentry WHERE account_id = {mine} AND seq = %s", which, at)


def close_up(trails: Trails, which: int, at: int, _: int) -> None:
    """An entry is removed, those after it renumbered and linked over the hole."""
    remove(trails, which, at, 0)
    for seq in range(at + 1, ENTRIES + 2):
        trails.run("UPDATE vault_auditentry SET seq = seq - 1 WHERE account_id = {mine} AND seq = %s", which, seq)
    relink(trails, which, 0, 0)
    trails.run(_HEAD + _LAST, which)


def relink(trails: Trails, which: int, _: int, __: int) -> None:
    """Every entry names the one that now stands before it."""
    trails.run(
        "UPDATE vault_auditentry e SET previous_hash = p.hash FROM vault_auditentry p WHERE e.account_id = {mine} "
        "AND p.account_id = {mine} AND p.seq = e.seq - 1",
        which,
    )


def change_places(trails: Trails, which: int, one: int, other: int) -> None:
    for before, after in ((one, 99), (other, one), (99, other)):
        trails.run("UPDATE vault_auditentry SET seq = %s WHERE account_id = {mine} AND seq = %s", which, after, before)


def exchange_accounts(trails: Trails, which: int, at: int, _: int) -> None:
    """The entries at one place of both trails change accounts."""
    for before, after, seq, then in (("mine", "other", at, 98), ("other", "mine", at, at), ("other", "other", 98, at)):
        trails.run(
            f"UPDATE vault_auditentry SET account_id = {{{after}}}, seq = %s "
            f"WHERE account_id = {{{before}}} AND seq = %s",
            which,
            then,
            seq,
        )


def append_copy(trails: Trails, which: int, at: int, _: int) -> None:
    """An entry happens once more, linked to the end."""
    trails.run(
        f"INSERT INTO vault_auditentry (account_id, seq, {CONTENT}) SELECT account_id, {_LAST} + 1, gen_random_uuid(), "
        "at, action, actor_kind, actor_id, entity_type, entity_id, request_id, payload, (SELECT hash FROM "
        "vault_auditentry WHERE account_id = {mine} ORDER BY seq DESC LIMIT 1), hash FROM vault_auditentry "
        "WHERE account_id = {mine} AND seq = %s",
        which,
        at,
    )
    trails.run(_HEAD + _LAST, which)


def take_the_others(trails: Trails, which: int, _: int, __: int) -> None:
    """The whole trail of the other account is put in place of this one."""
    trails.run("DELETE FROM vault_auditentry WHERE account_id = {mine}", which)
    trails.run(
        f"INSERT INTO vault_auditentry (account_id, seq, {CONTENT}) SELECT {{mine}}, seq, {CONTENT} "
        "FROM vault_auditentry WHERE account_id = {other}",
        which,
    )
    trails.run(_HEAD + _LAST, which)


def take_a_payload(trails: Trails, which: int, one: int, other: int) -> None:
    trails.run(
        "UPDATE vault_auditentry e SET payload = p.payload FROM vault_auditentry p "
        "WHERE e.account_id = {mine} AND e.seq = %s AND p.account_id = {mine} AND p.seq = %s",
        which,
        one,
        other,
    )


def set_head(trails: Trails, which: int, at: int, _: int) -> None:
    trails.run(_HEAD + "%s", which, at)


def lose_head(trails: Trails, which: int, _: int, __: int) -> None:
    trails.run("DELETE FROM vault_audithead WHERE account_id = {mine}", which)


def lift_head(trails: Trails, which: int, at: int, _: int) -> None:
    trails.run("UPDATE vault_audithead SET seq = seq + %s WHERE account_id = {mine}", which, at)


def edit(column: str) -> Attack:
    def change(trails: Trails, which: int, at: int, _: int) -> None:
        trails.run(
            f"UPDATE vault_auditentry SET {column} = {EDITS[column]} WHERE account_id = {{mine}} AND seq = %s",
            which,
            at,
        )

    change.__name__ = f"edit_{column}"
    return change


ATTACKS: list[Attack] = [
    cut,
    empty,
    remove,
    close_up,
    relink,
    change_places,
    exchange_accounts,
    append_copy,
    take_the_others,
    take_a_payload,
    set_head,
    lose_head,
    lift_head,
    *(edit(column) for column in EDITS),
]
