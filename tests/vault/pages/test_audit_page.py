"""The audit trail's page, through its door: sentences, filters, paging, files, proof."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from apps.accounts import audit as trail
from apps.accounts.actors import Actor
from apps.accounts.jobs.running import run
from apps.accounts.models import Account, APIKey, Job, Membership
from apps.accounts.roles import Role
from apps.accounts.services.memberships import change_role
from apps.accounts.tenancy.scope import tenant
from apps.vault.audit.phrases import phrase_of, plain_phrase
from apps.vault.pages import audit
from apps.vault.services.contacts import create_contact, delete_contact, update_contact
from tests.factories import Cast, make_api_key
from tests.isolation.objects import owner

pytestmark = [pytest.mark.django_db]
AsRole = Callable[[Role], Client]
PART = {"HX-Request": "true"}


def sentences(page: str) -> list[str]:
    """Every entry's sentence, newest first."""
    found = re.findall(r'<div class="grow"><div>(.*?)</div>\s*<details', page, re.DOTALL)
    return [html.unescape(re.sub(r"<[^>]+>", "", sentence)) for sentence in found]


def note(account: Account, number: int, actor: Actor | None = None) -> None:
    with tenant(account):
        trail.record("note.written", actor=actor or Actor.system("test"), label=f"{number}")


@pytest.mark.covers("V-06")
def test_entries_read_as_sentences_with_the_names_of_people(as_role: AsRole, base: str, cast: Cast) -> None:
    cast.bob.name = "Bob Marsh"
    cast.bob.save()
    with tenant(cast.account):
        alice = owner(cast.account)
        change_role(Membership.objects.get(user=cast.bob), role=Role.ADMIN, actor=alice)
        ann = create_contact(actor=alice, name="Ann <Archer>", phone="+442079460142")
        update_contact(ann, actor=alice, phone="+442079460143")
        delete_contact(ann, actor=alice)
        trail.record("gadget.enabled", actor=alice, label="Twilio")
        facts = {"added": 2410, "merged": 0, "rejected": 14}
        trail.record("contact_import.finished", actor=Actor.system("demo"), label="people.csv", changes=facts)
        trail.record("user.sign_in_failed", actor=alice, entity=cast.bob, label=cast.bob.email, changes={"reason": "x"})
    page = as_role(Role.ADMIN).get(f"{base}audit/").content.decode()
    assert [sentence for sentence in sentences(page) if not sentence.endswith("signed in")][:7] == [
        "Sign-in as Bob Marsh failed: x",
        "Strongroom (demo) imported people.csv: 2,410 added, 0 merged, 14 rejected",
        "Alice enabled the gadget Twilio",
        "Alice deleted the contact Ann <Archer>",
        "Alice changed the phone of Ann <Archer>",
        "Alice added the contact Ann <Archer>",
        "Alice changed the role of Bob Marsh from member to admin",
    ]
    assert "<Archer>" not in page


@pytest.mark.covers("V-06")
def test_before_and_after_stand_in_the_details_and_living_contacts_are_links(
    as_role: AsRole, base: str, cast: Cast
) -> None:
    with tenant(cast.account):
        alice = owner(cast.account)
        ann = create_contact(actor=alice, name="Ann", email="old@people.example")
        update_contact(ann, actor=alice, email="new@people.example")
        gone = create_contact(actor=alice, name="Gone")
        delete_contact(gone, actor=alice)
    page = as_role(Role.OWNER).get(f"{base}audit/").content.decode()
    row = page[page.index("changed the e-mail of") :]
    row = row[: row.index("</table>")]
    assert re.findall(r'sr-lines">([^<]*)<', row) == ["old@people.example", "new@people.example"]
    assert f'href="{base}contacts/{ann.pk}/">Ann<' in page
    assert f'href="{base}contacts/{gone.pk}/"' not in page


@pytest.mark.covers("V-06")
def test_older_entries_follow_without_gap_or_repetition(
    as_role: AsRole, base: str, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "LIMIT", 4)
    for number in range(9):
        note(cast.account, number)
    client = as_role(Role.ADMIN)
    page, seen = client.get(f"{base}audit/").content.decode(), []
    for _ in range(3):
        seen += sentences(page)
        older = re.search(r'rel="next" href="([^"]+)"', page)
        if older is None:
            break
        page = client.get(html.unescape(older[1]), headers=PART).content.decode()
        assert "<html" not in page and "Today" not in page, "the day's heading stands above already"
    numbers = [sentence.rpartition(" ")[2] for sentence in seen if "note" in sentence]
    assert numbers == [str(number) for number in range(8, -1, -1)]
    assert "That is the beginning." in page


@pytest.mark.covers("V-06")
def test_filters_narrow_by_who_what_object_and_day(as_role: AsRole, base: str, cast: Cast) -> None:
    with tenant(cast.account):
        alice = owner(cast.account)
        ann = create_contact(actor=alice, name="Ann", email="ann@people.example")
        create_contact(actor=alice, name="Ben", email="ben@people.example")
        update_contact(ann, actor=alice, name="Anna")
    note(cast.account, 1)
    client = as_role(Role.ADMIN)

    def found(**wanted: str) -> list[str]:
        return sentences(client.get(f"{base}audit/", wanted).content.decode())

    assert found(action="contact.*") == ["Alice changed the name of Anna", *found(action="contact.created")]
    assert found(action="contact.created") == ["Alice added the contact Ben", "Alice added the contact Ann"]
    assert found(actor="system") == ["Strongroom (test) written the note 1"]
    assert len(found(actor=str(cast.alice.pk), action="contact.*")) == 3
    for entity in ("ann@people.example", str(ann.pk), f"contact:{ann.pk}"):
        assert found(entity=entity) == ["Alice changed the name of Anna", "Alice added the contact Ann"]
    assert found(entity="nobody@people.example") == []
    today = timezone.localdate().isoformat()
    assert len(found(**{"action": "contact.*", "from": today, "to": today})) == 3
    assert found(**{"from": "2999-01-01"}) == [] == found(to="1999-01-01")
    assert len(found(**{"action": "contact.*", "from": "rubbish", "to": "9999-12-31"})) == 3


@pytest.mark.covers("V-06")
def test_days_and_times_are_the_readers(
    as_role: AsRole, base: str, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = datetime(2026, 11, 20, 23, 30, 5, tzinfo=ZoneInfo("UTC"))
    monkeypatch.setattr("apps.vault.audit.chain.timezone.now", lambda: late)
    note(cast.account, 1)
    monkeypatch.undo()
    client = as_role(Role.ADMIN)
    client.cookies["tz"] = "Asia/Tokyo"
    page = client.get(f"{base}audit/", {"actor": "system"}).content.decode()
    assert ">08:30:05<" in page and "Times are yours (Asia/Tokyo)" in page
    for day, count in (("2026-11-21", 1), ("2026-11-20", 0)):
        page = client.get(f"{base}audit/", {"actor": "system", "from": day, "to": day}).content.decode()
        assert len(sentences(page)) == count


def test_choices_name_people_keys_and_only_actions_that_happened(as_role: AsRole, base: str, cast: Cast) -> None:
    page = as_role(Role.ADMIN).get(f"{base}audit/").content.decode()
    assert f'<option value="{cast.alice.pk}">Alice</option>' in page
    assert '<option value="account.*">Account: everything</option>' in page
    assert '<option value="account.created">Created</option>' in page
    assert "api_key.created" not in page


@pytest.mark.covers("V-06")
@pytest.mark.parametrize("kind", ["csv", "json"])
def test_the_filtered_trail_comes_as_a_file_and_that_is_recorded(
    as_role: AsRole, base: str, cast: Cast, kind: str
) -> None:
    with tenant(cast.account):
        create_contact(actor=owner(cast.account), name="Ann")
    client = as_role(Role.ADMIN)
    answer = client.get(f"{base}audit/report/", {"format": kind, "action": "contact.*"})
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    rows = list(csv.DictReader(io.StringIO(text))) if kind == "csv" else json.loads(text)
    assert [row["action"] for row in rows] == ["contact.created"]
    assert re.fullmatch(
        rf'attachment; filename="audit-{cast.account.slug}-[\d-]+\.{kind}"', answer.headers["Content-Disposition"]
    )
    page = client.get(f"{base}audit/").content.decode()
    assert f"exported the audit trail as {kind.upper()}" in sentences(page)[0]
    assert client.get(f"{base}audit/report/", {"format": "xml"}).status_code == 404


def run_checks(account: Account) -> None:
    with tenant(account):
        waiting = list(Job.objects.filter(status=Job.Status.QUEUED).values_list("id", flat=True))
    for job_id in waiting:
        assert run(account.id, job_id) == "done"


@pytest.mark.covers("V-06")
@pytest.mark.django_db(transaction=True)
def test_check_now_proves_the_chain_and_says_so(as_role: AsRole, base: str, cast: Cast) -> None:
    client = as_role(Role.ADMIN)
    assert "Not checked yet" in client.get(f"{base}audit/").content.decode()
    started = client.post(f"{base}audit/proof/", headers=PART)
    assert started.status_code == 200 and "Checking" in started.content.decode()
    assert 'hx-trigger="every 2s"' in started.content.decode()
    client.post(f"{base}audit/proof/", headers=PART)  # impatience makes no second job
    run_checks(cast.account)
    with tenant(cast.account):
        assert Job.objects.filter(kind="audit.verify").count() == 1
    answer = client.get(f"{base}audit/proof/", headers=PART)
    assert answer.status_code == 286, "htmx stops asking"
    assert "Chain whole" in answer.content.decode() and "every 2s" not in answer.content.decode()
    assert "Chain whole" in client.get(f"{base}audit/").content.decode()


@pytest.fixture
def edited(cast: Cast) -> Iterator[Any]:
    """An entry that somebody with the database's password has edited."""
    from tests.vault.audit.conftest import _tampering

    note(cast.account, 1)
    with _tampering() as connection:
        connection.execute("UPDATE vault_auditentry SET action = 'note.read' WHERE action = 'note.written'")
        connection.commit()
        yield connection


@pytest.mark.covers("V-06")
@pytest.mark.django_db(transaction=True)
def test_a_broken_chain_is_told_with_its_faults(as_role: AsRole, base: str, cast: Cast, edited: Any) -> None:
    client = as_role(Role.ADMIN)
    client.post(f"{base}audit/proof/")
    run_checks(cast.account)
    page = client.get(f"{base}audit/").content.decode()
    assert "Chain broken" in page and "is not what was written" in page
    assert 'role="alert"' in page


def test_a_check_that_failed_says_nothing_about_the_trail(as_role: AsRole, base: str, cast: Cast) -> None:
    with tenant(cast.account):
        Job.objects.create(kind="audit.verify", status=Job.Status.FAILED, error="The key was away.")
    page = as_role(Role.ADMIN).get(f"{base}audit/").content.decode()
    assert "Check failed" in page and "The key was away." in page
    assert "Chain whole" not in page and "Chain broken" not in page


def test_what_support_staff_looked_at_is_told_in_words(as_role: AsRole, base: str, cast: Cast) -> None:
    staff = Actor.staff(cast.charlie)
    with tenant(cast.account):
        ann = create_contact(actor=owner(cast.account), name="Ann Archer")
        make_api_key(cast.account, name="Phone system")
        key = APIKey.objects.get()
        trail.record("staff.listed", actor=staff, entity=cast.account, label="x", changes={"list": "contacts"})
        trail.record("staff.viewed", actor=staff, entity=ann, label=str(ann))
        trail.record("staff.viewed", actor=staff, entity=key, label=key.name)
    told = sentences(as_role(Role.ADMIN).get(f"{base}audit/").content.decode())
    who = f"{cast.charlie.display_name} (support staff)"
    assert [sentence for sentence in told if sentence.startswith(who)] == [
        f"{who} looked at the API key Phone system",
        f"{who} looked at a contact",
        f"{who} looked through the contacts",
    ]


def test_every_action_that_is_recorded_has_a_sentence_of_its_own() -> None:
    written = "".join(path.read_text() for path in (settings.BASE_DIR / "apps").rglob("*.py"))
    calls = r'\brecord(?:_for|_refusal|_unknown)?\([^"()]*"([a-z_]+\.[a-z_]+)"'
    recorded = set(re.findall(calls, written))
    assert len(recorded) > 30
    assert {action for action in recorded if phrase_of(action) == plain_phrase(action)} == set()


def test_the_dashboard_tells_of_an_import_once(as_role: AsRole, base: str, cast: Cast) -> None:
    with tenant(cast.account):
        facts = {"added": 9000, "merged": 0, "rejected": 0}
        for first in range(2, 9000, 1000):
            changes = {"rows": f"{first:,}–{first + 999:,}"}
            trail.record("contact.imported", actor=owner(cast.account), label="people.csv", changes=changes)
        trail.record("contact_import.finished", actor=owner(cast.account), label="people.csv", changes=facts)
    page = as_role(Role.ADMIN).get(base).content.decode()
    assert page.count("people.csv") == 1
    assert "imported rows 2–1,001 of" in as_role(Role.ADMIN).get(f"{base}audit/").content.decode()


@pytest.mark.covers("A-05")
@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
def test_the_trail_is_for_admins(as_role: AsRole, base: str, role: Role) -> None:
    client = as_role(role)
    for path in ("audit/", "audit/report/", "audit/proof/"):
        assert client.get(base + path).status_code == 403
    assert f"{base}audit/" not in client.get(base).content.decode()


def test_the_dashboard_tells_each_role_what_it_may_know(as_role: AsRole, base: str, cast: Cast) -> None:
    with tenant(cast.account):
        create_contact(actor=owner(cast.account), name="Ann Archer")
    page = as_role(Role.ADMIN).get(base).content.decode()
    assert "Recent activity" in page and "added the contact" in page
    page = as_role(Role.VIEWER).get(base).content.decode()
    assert "Recent activity" not in page
    assert "Contacts with the latest activity" in page and "Ann Archer" in page


@pytest.mark.parametrize("query", ["actor=%00", "entity=%00", "entity=contact:%00", "action=%00"])
def test_null_characters_in_a_filter_match_nothing_special(as_role: AsRole, base: str, query: str) -> None:
    assert as_role(Role.ADMIN).get(f"{base}audit/?{query}").status_code == 200
