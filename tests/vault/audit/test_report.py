"""Reading a trail: pages, filters, and reports as files."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps.accounts.actors import Actor, RequestContext, in_request
from apps.accounts.audit import record
from apps.accounts.models import Account, Membership
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from apps.vault.audit import report, selectors
from apps.vault.audit.selectors import Criteria, Line
from apps.vault.keys import DecryptionFailed
from tests.factories import add_member, make_account

pytestmark = [pytest.mark.covers("V-06"), pytest.mark.django_db(transaction=True)]


def read(account: Account, **criteria: Any) -> list[Line]:
    with tenant(account):
        return selectors.entries(account.id, Criteria(**criteria))


def numbers(account: Account, **criteria: Any) -> list[int]:
    return [line.seq for line in read(account, **criteria)]


def test_it_lists_newest_first_a_page_at_a_time(account: Account) -> None:
    with tenant(account):
        page = selectors.entries(account.id, limit=2)
        rest = selectors.entries(account.id, before=page[-1].seq, limit=10)
    assert [line.seq for line in page] == [5, 4]
    assert [line.seq for line in rest] == [3, 2, 1]
    assert page[0].changes == {"number": 4}


def test_an_entry_says_who_did_what_to_what_from_where(account: Account) -> None:
    bob = add_member(account, Role.MEMBER)
    context = RequestContext("request-7", "192.0.2.7", "Firefox")
    with in_request(context), tenant(account):
        record(
            "member.role_changed",
            actor=Actor.member(bob),
            entity=bob,
            label=bob.user.email,
            changes={"role": ["member", "admin"]},
        )
    line = read(account)[0]
    assert (line.actor, line.actor_kind, line.actor_id) == (bob.user.email, "user", bob.user_id)
    assert (line.entity_type, line.entity_id, line.entity) == ("membership", str(bob.id), bob.user.email)
    assert line.changes == {"role": ["member", "admin"]}
    assert (line.ip, line.user_agent, line.request_id) == ("192.0.2.7", "Firefox", "request-7")
    assert len(line.hash) == 64


def test_what_it_says_lies_encrypted(account: Account, as_owner: Any) -> None:
    rows = as_owner.execute("SELECT t::text, encode(payload, 'escape') FROM vault_auditentry t").fetchall()
    assert len(rows) == 5
    for words in ("note 1", "Harbour", "people.example"):
        assert not any(words in row or words in payload for row, payload in rows)


def test_it_filters_by_action_and_by_resource(account: Account) -> None:
    assert numbers(account, action="account.created") == [1]
    assert numbers(account, action="note.*") == [5, 4, 3, 2]
    assert numbers(account, action="not.*") == []


def test_it_filters_by_actor(account: Account) -> None:
    with tenant(account):
        owner = Membership.objects.select_related("user").get().user
    assert numbers(account, actor=str(owner.id)) == [1]
    assert numbers(account, actor=owner.email.upper()) == [1]
    assert numbers(account, actor="system") == [5, 4, 3, 2]
    assert numbers(account, actor="nobody@people.example") == []


def test_it_filters_by_entity(account: Account) -> None:
    assert numbers(account, entity="account") == [1]
    assert numbers(account, entity=str(account.id)) == [1]
    assert numbers(account, entity=f"account:{account.id}") == [1]
    assert numbers(account, entity=f"contact:{account.id}") == []


def test_it_filters_by_time(account: Account) -> None:
    now = timezone.now()
    with time_machine.travel(now + timedelta(days=3)), tenant(account):
        record("note.written", actor=Actor.system("test"))
    assert numbers(account, since=now + timedelta(days=1)) == [6]
    assert numbers(account, until=now + timedelta(days=1)) == [5, 4, 3, 2, 1]


def test_it_never_shows_the_trail_of_another_account(account: Account) -> None:
    other = make_account("Kestrel Freight")
    with tenant(other):
        assert selectors.entries(account.id) == []
        assert selectors.last_seq(account.id) == 0


def test_an_entry_that_does_not_decrypt_is_never_shown_as_something_else(account: Account, as_owner: Any) -> None:
    as_owner.execute(
        "UPDATE vault_auditentry SET payload = (SELECT payload FROM vault_auditentry WHERE seq = 2) WHERE seq = 3"
    )
    with pytest.raises(DecryptionFailed):
        read(account)


def test_a_csv_report_has_every_entry_in_order(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "PIECE", 2)
    text = "".join(report.as_csv(account.id))
    assert text.startswith("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert [row["seq"] for row in rows] == ["1", "2", "3", "4", "5"]
    assert json.loads(rows[2]["changes"]) == {"number": 2}
    assert datetime.fromisoformat(rows[0]["at"]).tzinfo is not None


def test_a_csv_report_runs_no_formulas(account: Account) -> None:
    with tenant(account):
        record("note.written", actor=Actor.anonymous("@SUM(1)"), label='=HYPERLINK("http://evil.example")')
    [row] = csv.DictReader(io.StringIO("".join(report.as_csv(account.id, Criteria(actor="anonymous")))[1:]))
    assert row["entity"].startswith("'=")
    assert row["actor"].startswith("'@")


def test_a_json_report_has_every_entry_in_order(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "PIECE", 2)
    rows = json.loads("".join(report.as_json(account.id)))
    assert [row["seq"] for row in rows] == [1, 2, 3, 4, 5]
    assert rows[1]["changes"] == {"number": 1}
    assert json.loads("".join(report.as_json(account.id, Criteria(action="nothing.*")))) == []


def test_a_report_is_a_snapshot(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "PIECE", 2)
    pieces = report.pieces(account.id, Criteria())
    first = next(pieces)
    with tenant(account):
        record("note.written", actor=Actor.system("test"))
    assert [line.seq for piece in [first, *pieces] for line in piece] == [1, 2, 3, 4, 5]


def test_the_command_writes_a_report_and_records_that_it_did(account: Account, tmp_path: Path) -> None:
    file = tmp_path / "trail.json"
    call_command(
        "audit_report", "harbour-pine", "--format=json", f"--output={file}", "--action=note.*", stderr=io.StringIO()
    )
    assert [row["seq"] for row in json.loads(file.read_text())] == [2, 3, 4, 5]
    assert file.stat().st_mode & 0o777 == 0o600
    newest = read(account)[0]
    assert newest.action == "audit.exported"
    assert newest.changes == {"format": "json", "action": "note.*"}


def test_the_command_takes_whole_days(account: Account) -> None:
    today, out = account.created_at.date(), io.StringIO()  # which midnight may have made yesterday by now
    call_command("audit_report", str(account.id), f"--from={today}", f"--to={today}", "--entity=account", stdout=out)
    assert len(out.getvalue().splitlines()) == 2
    out = io.StringIO()
    call_command("audit_report", str(account.id), f"--to={today - timedelta(days=1)}", stdout=out)
    assert len(out.getvalue().splitlines()) == 1


def test_the_command_refuses_unknown_accounts_and_files_that_exist(account: Account, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="nobody"):
        call_command("audit_report", "nobody")
    (tmp_path / "there").touch()
    with pytest.raises(CommandError, match="exists already"):
        call_command("audit_report", "harbour-pine", f"--output={tmp_path / 'there'}")
    with pytest.raises(CommandError, match="can't be written: No such file or directory"):
        call_command("audit_report", "harbour-pine", f"--output={tmp_path / 'nowhere' / 'trail.csv'}")


@pytest.mark.parametrize("time", ["yesterday", "2026-13-01", "2026-02-30T10:00"])
def test_the_command_says_how_a_time_is_written(account: Account, time: str) -> None:
    with pytest.raises(CommandError, match="write 2026-11-21 or"):
        call_command("audit_report", "harbour-pine", f"--from={time}")
