"""Whoever owns the database may do anything to the trails: whatever changes what they say is found."""

from __future__ import annotations

import fcntl
import threading
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.accounts.actors import Actor
from apps.accounts.audit import record
from apps.accounts.models import Account
from apps.accounts.tenancy.scope import tenant
from apps.vault.audit import anchor
from apps.vault.audit.anchor import Anchor
from apps.vault.audit.prove import prove
from tests.factories import make_account
from tests.vault.audit.attacking import ATTACKS, ENTRIES, Attack, Trails, cut, empty

pytestmark = [pytest.mark.covers("V-06", "X-02"), pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

Step = tuple[Attack, int, int, int]
steps = st.tuples(st.sampled_from(ATTACKS), st.sampled_from([0, 1]), st.integers(1, ENTRIES), st.integers(1, ENTRIES))


def note(account: Account, count: int = 1) -> None:
    for _ in range(count):
        with tenant(account):
            record("note.written", actor=Actor.system("test"), label="a note", changes={"x": 1})


@pytest.fixture
def trails(transactional_db: None, as_owner: psycopg.Connection[Any], settings: Any) -> Trails:
    """Two accounts with ENTRIES committed entries each."""
    accounts = [make_account("Harbour & Pine"), make_account("Kestrel Freight")]
    for account in accounts:
        note(account, ENTRIES - 1)
    made = Trails(accounts, as_owner, Path(settings.AUDIT_ANCHOR_DIR))
    made.keep()
    return made


def faults(trails: Trails, exported: dict[Any, Anchor] | None = None) -> list[str]:
    return [f"{fault.kind} {fault.seq}" for proof in trails.prove(exported) for fault in proof.faults]


def test_trails_that_nobody_touched_are_whole(trails: Trails) -> None:
    assert [proof.entries for proof in trails.prove()] == [ENTRIES, ENTRIES]
    assert faults(trails) == []


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_each_attack_alone_changes_something_and_is_found(trails: Trails, attack: Attack) -> None:
    attack(trails, 0, 2, 4)
    if attack.__name__ == "relink":
        assert not trails.changed()
        return
    assert trails.changed(), "an attack that does nothing proves nothing"
    assert faults(trails)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(attacks=st.lists(steps, min_size=1, max_size=4))
def test_any_attacks_one_after_the_other_are_found(trails: Trails, attacks: list[Step]) -> None:
    trails.put_back()
    for attack, which, one, other in attacks:
        attack(trails, which, one, other)
    found = faults(trails)
    if trails.changed():
        assert found
    else:
        assert not found


class TestATrailThatGoesOn:
    """What an attack leaves must still be found after the product has written on."""

    @pytest.mark.parametrize("more", [1, 2, 10])
    def test_a_trail_that_was_cut_and_grew_past_its_anchor(self, trails: Trails, more: int) -> None:
        ours = trails.accounts[0]
        cut(trails, 0, 3, 0)
        note(ours, more)
        assert faults(trails)
        known = anchor.read(ours.id)
        assert known is not None
        assert known.seq == ENTRIES, "the anchor stays where the trail had got to"

    def test_a_trail_that_was_emptied_and_grew_again(self, trails: Trails) -> None:
        empty(trails, 0, 0, 0)
        note(trails.accounts[0], ENTRIES + 3)
        assert faults(trails)

    @pytest.mark.parametrize("text", ["", "nonsense\n", "1 00 00\n"], ids=["emptied", "nonsense", "forged"])
    def test_one_whose_anchor_was_spoilt_too(self, trails: Trails, text: str) -> None:
        cut(trails, 0, 3, 0)
        exported = {trails.accounts[0].id: anchor.read(trails.accounts[0].id)}
        trails.anchor_file(0).write_text(text)
        note(trails.accounts[0], 4)
        assert faults(trails, exported)  # type: ignore[arg-type]
        if text:
            assert faults(trails)
            assert trails.anchor_file(0).read_text() == text, "what was tampered with stays as evidence"

    def test_one_that_was_put_back_with_its_anchor_is_found_against_an_exported_end(
        self, trails: Trails, tmp_path: Path
    ) -> None:
        """Database and files set back together: nothing on this machine can tell, so the end is kept elsewhere."""
        ours, old = trails.accounts[0], trails.anchor_file(0).read_text()
        note(ours, 3)
        file = tmp_path / "ends"
        call_command("verify_audit", "--all", "--export", str(file), verbosity=0)
        cut(trails, 0, ENTRIES, 0)
        trails.anchor_file(0).write_text(old)
        assert faults(trails) == []
        with pytest.raises(CommandError) as refusal:
            call_command("verify_audit", "--all", "--against", str(file), verbosity=0)
        assert refusal.value.returncode == 1
        note(ours, 4)
        with pytest.raises(CommandError):
            call_command("verify_audit", ours.slug, "--against", str(file), verbosity=0)

    def test_an_account_that_was_removed_with_its_anchor_is_found_against_an_exported_end(
        self, trails: Trails, tmp_path: Path
    ) -> None:
        file = tmp_path / "ends"
        call_command("verify_audit", "--all", "--export", str(file), verbosity=0)
        trails.anchor_file(0).unlink()
        trails.owner.execute("TRUNCATE accounts_account CASCADE")
        with pytest.raises(CommandError, match="faults in"):
            call_command("verify_audit", "--all", "--against", str(file), verbosity=0)

    def test_exported_ends_that_were_edited_are_refused(self, trails: Trails, tmp_path: Path) -> None:
        file = tmp_path / "ends"
        call_command("verify_audit", "--all", "--export", str(file), verbosity=0)
        assert file.read_text().count("\n") == 2
        file.write_text(file.read_text().replace(f" {ENTRIES} ", " 2 "))
        with pytest.raises(CommandError, match="not written by this product"):
            call_command("verify_audit", "--all", "--against", str(file), verbosity=0)
        with pytest.raises(CommandError) as refusal:
            call_command("verify_audit", "--all", "--against", str(tmp_path / "none"), verbosity=0)
        assert refusal.value.returncode == 2

    def test_a_broken_trail_is_not_exported(self, trails: Trails, tmp_path: Path) -> None:
        cut(trails, 0, 2, 0)
        with pytest.raises(CommandError):
            call_command("verify_audit", "--all", "--export", str(tmp_path / "ends"), verbosity=0)
        assert not (tmp_path / "ends").exists()


class TestAnchors:
    def test_many_writers_at_once_leave_one_whole_trail_and_its_anchor_at_the_end(self, trails: Trails) -> None:
        ours, failed = trails.accounts[0], []

        def write() -> None:
            try:
                note(ours, 10)
            except Exception as error:  # told below: a thread's exception would be lost
                failed.append(error)
            finally:
                connection.close()

        writers = [threading.Thread(target=write) for _ in range(4)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        assert not failed
        assert faults(trails) == []
        known = anchor.read(ours.id)
        assert known is not None
        assert known.seq == ENTRIES + 40

    def test_what_was_rolled_back_is_not_anchored(self, trails: Trails) -> None:
        ours = trails.accounts[0]
        with tenant(ours):
            record("note.written", actor=Actor.system("test"))
            transaction.set_rollback(True)
        assert faults(trails) == []
        known = anchor.read(ours.id)
        assert known is not None
        assert known.seq == ENTRIES

    def test_commits_that_are_anchored_out_of_order_end_at_the_last(
        self, trails: Trails, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ours, late, advance = trails.accounts[0], [], anchor.advance
        monkeypatch.setattr(anchor, "advance", lambda *args: late.append(args))
        note(ours, 3)
        for arguments in (late[1], late[0], late[2]):
            advance(*arguments)
        known = anchor.read(ours.id)
        assert known is not None
        assert known.seq == ENTRIES + 3
        assert faults(trails) == []

    def test_one_that_could_not_be_written_catches_up_with_the_next_entry(self, trails: Trails) -> None:
        ours, file = trails.accounts[0], trails.anchor_file(0)
        text = file.read_text()
        file.unlink()
        file.mkdir()  # root may write to a file whatever its mode, but not to a folder
        note(ours, 3)
        file.rmdir()
        file.write_text(text)
        assert faults(trails) == [], "behind, and no fault"
        note(ours)
        known = anchor.read(ours.id)
        assert known is not None
        assert known.seq == ENTRIES + 4

    def test_one_that_is_behind_catches_up_when_the_trail_is_proven(self, trails: Trails) -> None:
        ours, old = trails.accounts[0], trails.anchor_file(0).read_text()
        note(ours, 3)
        trails.anchor_file(0).write_text(old)
        assert prove(ours, lambda *_: None).whole
        known = anchor.read(ours.id)
        assert known is not None
        assert known.seq == ENTRIES + 3

    def test_reading_waits_for_who_is_writing(self, trails: Trails) -> None:
        """Half a line is no forgery."""
        ours, file = trails.accounts[0], trails.anchor_file(0)
        text, found = file.read_text(), []
        with file.open("r+") as half:
            fcntl.flock(half, fcntl.LOCK_EX)
            half.write(text[:20])
            half.truncate()
            half.flush()
            reader = threading.Thread(target=lambda: found.append(anchor.read(ours.id)))
            reader.start()
            time.sleep(0.2)
            assert not found
            half.seek(0)
            half.write(text)
            half.flush()
        reader.join(60)
        assert [end.seq for end in found if end] == [ENTRIES]
