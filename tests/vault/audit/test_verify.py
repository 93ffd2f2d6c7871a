"""``verify_audit`` finds whatever an administrator of the database does to a trail."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connections
from django.utils import timezone

from apps.accounts.actors import Actor
from apps.accounts.audit import NotAudited, record
from apps.accounts.models import Account
from apps.accounts.tenancy.scope import platform, tenant
from apps.vault.audit import anchor
from apps.vault.audit.verify import verify_trail
from apps.vault.keys.account_keys import PLATFORM_OWNER
from apps.vault.keys.master import create_local_file, forget_master_key
from apps.vault.models import AuditEntry, Contact
from tests import database
from tests.factories import make_account

pytestmark = [pytest.mark.covers("V-06", "X-02"), pytest.mark.django_db(transaction=True)]


def faults(account: Account) -> list[tuple[str, int]]:
    with tenant(account):
        return [(fault.kind, fault.seq) for fault in verify_trail(account.id).faults]


def verify(*arguments: str) -> str:
    out = io.StringIO()
    call_command("verify_audit", *arguments, stdout=out)
    return out.getvalue()


def broken(*arguments: str) -> str:
    out = io.StringIO()
    with pytest.raises(CommandError) as refusal:
        call_command("verify_audit", *arguments, stdout=out)
    assert refusal.value.returncode == 1
    return out.getvalue()


def test_an_untouched_trail_is_whole(account: Account) -> None:
    assert faults(account) == []
    assert "harbour-pine: 5 entries, whole." in verify("harbour-pine")
    assert "2 trails are whole." in verify("--all")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("action", "'note.praised'"),
        ("at", "at - interval '1 day'"),
        ("actor_kind", "'user'"),
        ("actor_id", "id"),
        ("entity_type", "'secret'"),
        ("entity_id", "'7'"),
        ("request_id", "'another'"),
        ("payload", "set_byte(payload, 40, get_byte(payload, 40) # 1)"),
        ("id", "gen_random_uuid()"),
    ],
)
def test_an_edited_column_is_found(account: Account, as_owner: Any, column: str, value: str) -> None:
    as_owner.execute(f"UPDATE vault_auditentry SET {column} = {value} WHERE seq = 3")
    assert faults(account) == [("edited", 3)]
    assert "Entry 3 is not what was written." in broken("harbour-pine")


def test_an_edited_hash_is_found_in_the_entry_and_the_next(account: Account, as_owner: Any) -> None:
    as_owner.execute("UPDATE vault_auditentry SET hash = decode(repeat('ab', 32), 'hex') WHERE seq = 3")
    assert faults(account) == [("edited", 3), ("moved", 4)]


def test_a_deleted_middle_is_found(account: Account, as_owner: Any) -> None:
    as_owner.execute("DELETE FROM vault_auditentry WHERE seq IN (2, 3)")
    assert faults(account) == [("missing", 2)]
    assert "Entries 2 to 3 are missing." in broken("harbour-pine")


def test_a_deleted_middle_is_found_when_the_rest_is_renumbered(account: Account, as_owner: Any) -> None:
    as_owner.execute("DELETE FROM vault_auditentry WHERE seq = 3")
    as_owner.execute("UPDATE vault_auditentry SET seq = 3 WHERE seq = 4")
    as_owner.execute("UPDATE vault_auditentry SET seq = 4 WHERE seq = 5")
    assert {("moved", 3), ("edited", 3), ("edited", 4)} <= set(faults(account))


def test_a_deleted_end_is_found(account: Account, as_owner: Any) -> None:
    as_owner.execute("DELETE FROM vault_auditentry WHERE seq = 5")
    assert set(faults(account)) == {("truncated", 4)}


def test_a_deleted_end_is_found_when_the_head_is_set_back(account: Account, as_owner: Any) -> None:
    as_owner.execute("DELETE FROM vault_auditentry WHERE seq = 5")
    as_owner.execute("UPDATE vault_audithead SET seq = 4, hash = (SELECT hash FROM vault_auditentry WHERE seq = 4)")
    assert faults(account) == [("truncated", 4)]
    assert "its anchor outside of the database says 5" in broken("harbour-pine")


def test_an_emptied_trail_is_found(account: Account, as_owner: Any) -> None:
    as_owner.execute("DELETE FROM vault_auditentry")
    as_owner.execute("UPDATE vault_audithead SET seq = 0, hash = decode(repeat('00', 32), 'hex')")
    assert faults(account) == [("truncated", 0)]


def test_two_entries_that_changed_places_are_found(account: Account, as_owner: Any) -> None:
    as_owner.execute("UPDATE vault_auditentry SET seq = 99 WHERE seq = 2")
    as_owner.execute("UPDATE vault_auditentry SET seq = 2 WHERE seq = 3")
    as_owner.execute("UPDATE vault_auditentry SET seq = 3 WHERE seq = 99")
    assert {("moved", 2), ("edited", 2), ("moved", 3), ("edited", 3)} <= set(faults(account))


def test_an_entry_of_another_account_is_found(account: Account, as_owner: Any) -> None:
    other = make_account("Kestrel Freight")
    as_owner.execute("DELETE FROM vault_auditentry WHERE account_id = %s", [other.id])
    as_owner.execute("UPDATE vault_auditentry SET account_id = %s WHERE seq = 1", [other.id])
    assert ("edited", 1) in faults(other)
    assert ("missing", 1) in faults(account)


def test_a_head_that_was_set_back_is_found(account: Account, as_owner: Any) -> None:
    as_owner.execute("UPDATE vault_audithead SET seq = 4, hash = (SELECT hash FROM vault_auditentry WHERE seq = 4)")
    assert faults(account) == [("head", 5)]


def test_a_missing_head_is_found(account: Account, as_owner: Any) -> None:
    as_owner.execute("DELETE FROM vault_audithead")
    assert faults(account) == [("head", 0)]


def _anchor_file(account: Account, settings: Any) -> Path:
    [path] = Path(settings.AUDIT_ANCHOR_DIR).glob(f"*/{account.id}.head")
    return path


def test_a_replaced_anchor_is_found(account: Account, settings: Any) -> None:
    path = _anchor_file(account, settings)
    _, digest, mac = path.read_text().split()
    path.write_text(f"4 {digest} {mac}\n")
    assert faults(account) == [("anchor", 0)]
    path.write_text("not an anchor\n")
    assert faults(account) == [("anchor", 0)]


def test_the_anchor_of_another_trail_is_found(account: Account, settings: Any) -> None:
    other = make_account("Kestrel Freight")
    _anchor_file(account, settings).write_text(_anchor_file(other, settings).read_text())
    assert faults(account) == [("anchor", 0)]


def test_a_removed_anchor_is_found(account: Account, settings: Any) -> None:
    _anchor_file(account, settings).unlink()
    assert faults(account) == [("anchor", 5)]


def test_a_trail_made_anew_with_another_master_key_is_found(account: Account, settings: Any, tmp_path: Path) -> None:
    create_local_file(tmp_path / "other.json")
    forget_master_key()
    settings.VAULT_MASTER_KEY_URI = f"local://{tmp_path}/other.json"
    assert {kind for kind, _ in faults(account)} == {"edited", "anchor"}
    forget_master_key()


def test_an_account_that_vanished_is_found(account: Account, as_owner: Any) -> None:
    as_owner.execute("TRUNCATE accounts_account CASCADE")
    assert f"{account.id}: 0 entries, BROKEN" in broken("--all")


def test_the_platforms_trail_is_proven_too(account: Account, as_owner: Any) -> None:
    for number in range(3):
        record("note.written", actor=Actor.system("test"), changes={"number": number})
    assert "platform: 3 entries, whole." in verify("platform")
    as_owner.execute("DELETE FROM vault_platformauditentry WHERE seq = 2")
    assert "missing: Entry 2 is missing." in broken("platform")


def test_a_trail_that_grows_while_it_is_read_is_whole(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    read_anchor = anchor.read

    def read_then_write(trail: Any) -> Any:
        known = read_anchor(trail)
        record("note.written", actor=Actor.system("somebody else"))
        return known

    monkeypatch.setattr(anchor, "read", read_then_write)
    assert faults(account) == []


def test_an_unknown_account_is_no_broken_trail(account: Account) -> None:
    with pytest.raises(CommandError) as refusal:
        call_command("verify_audit", "nobody")
    assert refusal.value.returncode == 2


def test_what_cannot_be_audited_does_not_happen(account: Account, as_owner: Any) -> None:
    as_owner.execute("DELETE FROM vault_audithead")
    with pytest.raises(NotAudited):
        _write_a_contact(account)
    with platform("count in a test"):
        assert not Contact.objects.exists()


def _write_a_contact(account: Account) -> None:
    with tenant(account):
        Contact.objects.create(name="Ann", email="ann@people.example", last_activity_at=timezone.now())
        record("contact.created", actor=Actor.system("test"))


def test_the_serving_role_can_neither_change_nor_remove_entries(account: Account) -> None:
    for spoil in (lambda rows: rows.update(action="x.y"), lambda rows: rows.delete()):
        with pytest.raises(DatabaseError, match="permission denied"), tenant(account):
            spoil(AuditEntry.objects.filter(seq=2))
    assert faults(account) == []


def test_even_the_owner_is_refused_while_the_triggers_stand(account: Account) -> None:
    with database.owner_connection(connections["default"].settings_dict["NAME"]) as owner:
        owner.execute("ALTER TABLE vault_auditentry NO FORCE ROW LEVEL SECURITY")
        for spoil in (
            "UPDATE vault_auditentry SET action = 'x'",
            "DELETE FROM vault_auditentry",
            "TRUNCATE vault_auditentry",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
                owner.execute(spoil)
        owner.execute("ALTER TABLE vault_auditentry FORCE ROW LEVEL SECURITY")


def test_platform_owner_is_no_accounts_id() -> None:
    with platform("look in a test"):
        assert not Account.objects.filter(pk=PLATFORM_OWNER).exists()
