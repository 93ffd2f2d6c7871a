"""A list becomes contacts: nobody twice, nothing lost, whatever is in it and whoever is there already."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from apps.accounts.actors import Actor
from apps.accounts.models import Account, Job, Membership
from apps.accounts.roles import Role
from apps.accounts.services.jobs import lock_job, retry_job
from apps.accounts.tenancy.scope import tenant
from apps.vault import selectors
from apps.vault.audit.verify import verify_trail
from apps.vault.contact_import import chunks
from apps.vault.models import AuditEntry, Contact, ContactImport, RejectedRows
from apps.vault.services import contact_imports as service
from tests.factories import Cast, make_account, make_contact
from tests.vault.contact_import.importing import (
    a_csv,
    contacts,
    figures,
    imported,
    owner_of,
    queue,
    rejections,
    work,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("V-11")]

ZOE = ["Zoë Fairweather", "zoe@mail.example", "07700 900142", "HP-1", "Hull"]
BEN = ["Ben Okafor", "ben@mail.example", "07700 900143", "HP-2", "York"]


@pytest.fixture
def account() -> Account:
    return make_account("Harbour & Pine")


def test_every_value_arrives_encrypted_and_can_be_found(account: Account) -> None:
    header = ["Full name", "E-Mail-Adresse", "Mobile", "Ref", "Segment", "Last seen", "Move-in"]
    row = ["Zoë Fairweather", "Zoe.F@mail.example", "07700 900142", "HP-1", "Customer", "2025-12-01", "2026-12-01"]
    done = imported(account, a_csv(row, header=header))
    assert figures(done) == (1, 0, 0, 0)
    with tenant(account):
        (contact,) = Contact.objects.with_email("zoe.f@mail.example")
        assert Contact.objects.with_phone("+447700900142").get() == contact
        assert Contact.objects.with_identifier("HP-1").get() == contact
        assert contact.name == "Zoë Fairweather"
        assert contact.email == "Zoe.F@mail.example"
        assert contact.contact_type == "customer"
        assert contact.last_activity_at == datetime(2025, 12, 1, tzinfo=UTC)
        assert contact.custom_attributes == {"move_in": "2026-12-01"}
        stored = Contact.objects.values_list(
            "name", "email", "phone", "identifier", "custom_attributes", "email_index"
        ).get()
    for value in stored:
        assert b"zoe" not in bytes(value).lower()


def test_a_contact_by_import_and_one_by_hand_are_made_alike(account: Account) -> None:
    made = make_contact(
        account, name="Ben", email="Ben@mail.example", phone="+447700900143", identifier="HP-2",
        custom_attributes={"city": "York"},
    )  # fmt: skip
    done = imported(account, a_csv(["Ben", "ben@MAIL.example", "07700 900143", "HP-2", "York"]))
    assert figures(done) == (0, 0, 1, 0)
    with tenant(account):
        assert Contact.objects.get().pk == made.pk


def test_a_second_run_changes_nothing(account: Account) -> None:
    content = a_csv(ZOE, BEN, ["Bad", "bad", "", "", ""])
    assert figures(imported(account, content)) == (2, 0, 0, 1)
    before = contacts(account)
    again = imported(account, content)
    assert figures(again) == (0, 0, 2, 1)
    assert figures(imported(account, content, duplicates="report")) == (0, 0, 2, 1)
    assert contacts(account) == before
    with tenant(account):
        assert Contact.objects.count() == 2


def test_rejected_rows_come_back_with_every_reason(account: Account) -> None:
    done = imported(
        account,
        a_csv(ZOE, ["Call", "zoe", "call office", "HP-9", "Hull"], ["Nobody", "", "", "", ""])
        + b'"Open,a,b,c,d\nshort\n',
    )
    assert figures(done) == (1, 0, 0, 4)
    found = rejections(done)
    assert [(row.row, row.cells[0]) for row in found] == [(3, "Call"), (4, "Nobody"), (5, '"Open'), (6, "short")]
    assert found[0].reason == (
        'E-mail "zoe" has no @. Write it as zoe@mail.example. '
        'Phone "call office" is not a number. Write it as +44 20 7946 0142.'
    )
    assert found[1].reason.startswith("The row has no e-mail, phone or identifier.")
    assert found[3].reason.startswith("The row has 1 cell, 5 expected.")


# --- duplicates ------------------------------------------------------------------------------------------

MERGES = [
    pytest.param(["Zoë F", "zoe@mail.example", "", "", ""], {"name": "Zoë F"}, id="a name is replaced"),
    pytest.param(
        ["", "ZOE@mail.example", "", "", "Leeds"],
        {"custom_attributes": {"city": "Leeds", "plan": "gold"}},
        id="an attribute is replaced, others stay",
    ),
    pytest.param(
        ["", "zoe@mail.example", "07700 900999", "", ""], {"phone": "+447700900999"}, id="a phone is replaced"
    ),
    pytest.param(
        ["", "new@mail.example", "07700 900142", "", ""], {"email": "new@mail.example"}, id="an e-mail is replaced"
    ),
    pytest.param(["", "", "", "HP-1", ""], {}, id="empty cells erase nothing"),
]


@pytest.mark.parametrize(("row", "change"), MERGES)
def test_a_known_person_is_merged(account: Account, row: list[str], change: dict[str, Any]) -> None:
    known = make_contact(
        account, name="Zoë Fairweather", email="zoe@mail.example", phone="+447700900142", identifier="HP-1",
        custom_attributes={"city": "Hull", "plan": "gold"},
    )  # fmt: skip
    done = imported(account, a_csv(row))
    assert figures(done) == ((0, 1, 0, 0) if change else (0, 0, 1, 0))
    with tenant(account):
        now = Contact.objects.get()
        for name in ("name", "email", "phone", "identifier", "custom_attributes"):
            assert getattr(now, name) == change.get(name, getattr(known, name))
        for name in ("email", "phone", "identifier"):
            assert getattr(Contact.objects, f"with_{name}")(getattr(now, name)).get() == now


def test_an_identifier_is_filled_but_never_replaced(account: Account) -> None:
    make_contact(account, name="Zoë", email="zoe@mail.example")
    assert figures(imported(account, a_csv(["", "zoe@mail.example", "", "HP-1", ""]))) == (0, 1, 0, 0)
    done = imported(account, a_csv(["", "zoe@mail.example", "", "HP-2", ""]))
    assert figures(done) == (0, 0, 0, 1)
    (rejected,) = rejections(done)
    assert rejected.reason.startswith('Identifier "HP-2" differs from "HP-1" of the contact with this e-mail.')


def test_the_later_activity_stays(account: Account) -> None:
    seen = datetime(2026, 6, 1, tzinfo=UTC)
    make_contact(account, email="a@mail.example", last_activity_at=seen)
    header = ["Mail", "Last seen"]
    assert figures(imported(account, a_csv(["a@mail.example", "2026-05-01"], header=header))) == (0, 0, 1, 0)
    assert figures(imported(account, a_csv(["a@mail.example", "2026-07-01"], header=header))) == (0, 1, 0, 0)
    with tenant(account):
        assert Contact.objects.get().last_activity_at == datetime(2026, 7, 1, tzinfo=UTC)


def test_a_row_that_points_at_two_people_is_rejected_and_names_both(account: Account) -> None:
    make_contact(account, name="Zoë", email="zoe@mail.example", identifier="HP-1")
    make_contact(account, name="Ben", email="ben@mail.example", phone="+447700900143")
    done = imported(account, a_csv(["?", "zoe@mail.example", "07700 900143", "", ""]))
    assert figures(done) == (0, 0, 0, 1)
    (rejected,) = rejections(done)
    assert rejected.reason == ("The row has the e-mail of HP-1 and the phone of Ben. Keep what belongs to one contact.")


def test_repeated_rows_of_the_file_are_merged_in_order(account: Account) -> None:
    done = imported(
        account,
        a_csv(ZOE, ZOE, ["Zoë F", "zoe@mail.example", "", "", ""], ["", "zoe@mail.example", "07700 900150", "", ""],
              ["Other", "", "07700 900142", "", ""]),
    )  # fmt: skip
    assert figures(done) == (2, 2, 1, 0)
    people = contacts(account)
    assert people["Zoë F"]["phone"] == "+447700900150"
    assert people["Other"]["phone"] == "+447700900142"


def test_duplicates_are_reported_when_asked(account: Account) -> None:
    make_contact(account, name="Ben", email="ben@mail.example", identifier="HP-11902")
    done = imported(
        account,
        a_csv(ZOE, ["Benjamin", "ben@mail.example", "", "", ""], ZOE, ["Z", "", "07700 900142", "", ""]),
        duplicates="report",
    )
    assert figures(done) == (1, 0, 0, 3)
    assert [(row.row, row.reason) for row in rejections(done)] == [
        (3, "E-mail is already used by HP-11902."),
        (4, "E-mail is already used by row 2 of this file."),
        (5, "Phone is already used by row 2 of this file."),
    ]
    assert contacts(account)["Ben"]["email"] == "ben@mail.example"


def test_a_repetition_in_a_later_chunk_is_reported_too(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 2)
    done = imported(account, a_csv(ZOE, BEN, ZOE), duplicates="report")
    assert figures(done) == (2, 0, 0, 1)
    assert rejections(done)[0].reason == "E-mail is already used by HP-1."


def test_two_contacts_may_exchange_their_numbers(account: Account) -> None:
    make_contact(account, name="Zoë", phone="+447700900142", identifier="HP-1")
    make_contact(account, name="Ben", phone="+447700900143", identifier="HP-2")
    # Each row gives a number away before the next takes it.
    done = imported(
        account,
        a_csv(
            ["", "", "07700 900150", "HP-1", ""],
            ["", "", "07700 900142", "HP-2", ""],
            ["", "", "07700 900143", "HP-1", ""],
        ),
    )
    assert figures(done) == (0, 3, 0, 0)
    people = contacts(account)
    assert (people["Zoë"]["phone"], people["Ben"]["phone"]) == ("+447700900143", "+447700900142")


def test_another_account_is_neither_seen_nor_touched(account: Account) -> None:
    other = make_account("Other")
    make_contact(other, name="Theirs", email="zoe@mail.example", phone="+447700900142", identifier="HP-1")
    assert figures(imported(account, a_csv(ZOE))) == (1, 0, 0, 0)
    assert list(contacts(other)) == ["Theirs"]


def test_a_merged_contact_leaves_the_cache(account: Account) -> None:
    known = make_contact(account, name="Zoë", email="zoe@mail.example")
    with tenant(account):
        assert selectors.contact(known.pk)[1] == "Zoë"
    imported(account, a_csv(["Zoë F", "zoe@mail.example", "", "", ""]))
    with tenant(account):
        assert selectors.contact(known.pk)[1] == "Zoë F"


# --- the trail, the file ---------------------------------------------------------------------------------


@pytest.mark.covers("V-06")
def test_each_chunk_is_in_the_trail_with_what_it_changed(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 2)
    known = make_contact(account, name="Zoë", email="zoe@mail.example")
    done = imported(account, a_csv(["Zoë F", "zoe@mail.example", "", "", ""], BEN, ["Bad", "bad", "", "", ""]))
    with tenant(account):
        entries = list(AuditEntry.objects.filter(entity_id=str(done.pk)).order_by("seq"))
        ben = Contact.objects.with_identifier("HP-2").get()
        assert verify_trail(account.id).whole
    assert [entry.action for entry in entries] == [
        "contact_import.started",
        "contact.imported",
        "contact.imported",
        "contact_import.finished",
    ]
    first, second = entries[1].payload["changes"], entries[2].payload["changes"]
    assert first["rows"] == "2–3"
    assert first["contacts_added"] == [str(ben.pk)]
    assert first["contacts_changed"] == {str(known.pk): {"name": ["Zoë", "Zoë F"]}}
    assert (second["rows"], second["rejected"]) == ("4–4", 1)
    assert entries[1].payload["actor"] == owner_of(account).label


def test_the_stored_file_is_encrypted_and_gone_afterwards(account: Account, tmp_path: Path) -> None:
    waiting = queue(account, a_csv(ZOE, BEN))
    (stored,) = tmp_path.glob("uploads/*/*")
    assert b"zoe" not in stored.read_bytes().lower()
    assert stored.stat().st_mode & 0o077 == 0
    work(waiting)
    assert not list(tmp_path.glob("uploads/*/*"))
    with tenant(account):
        assert ContactImport.objects.get(pk=waiting.pk).upload_id is None


def test_the_job_tells_the_figures(account: Account) -> None:
    done = imported(account, a_csv(ZOE, ["Bad", "bad", "", "", ""]))
    with tenant(account):
        job = Job.objects.get(pk=done.job_id)
    assert (job.kind, job.done, job.total) == ("contacts.import", 2, 2)
    assert job.result == {
        "contact_import": str(done.pk), "rows": 2, "added": 1, "merged": 0, "unchanged": 0, "rejected": 1
    }  # fmt: skip


# --- what is refused -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "options", "field", "words"),
    [
        (b"", {}, "file", "The file is empty."),
        (b"PK\x03\x04 rest", {}, "file", "Excel"),
        (a_csv(ZOE), {"mapping": {"Nope": "name"}}, "mapping", "no column “Nope”"),
        (a_csv(["Hull"], header=["City"]), {}, "mapping", "Choose at least one"),
        (a_csv(ZOE), {"duplicates": "drop"}, "duplicates", "“drop” is no way"),
        (a_csv(ZOE), {"default_region": "UK"}, "region", "“UK” is no country"),
        (a_csv(ZOE), {"encoding": "Klingon"}, "encoding", "Klingon"),
        (b"Name,Mail\n" + b"Zoe,zoe@mail.example\n" * 100, {}, "file", "larger than"),
    ],
)
def test_what_cannot_be_imported_is_refused_by_field(
    account: Account, settings: Any, tmp_path: Path, content: bytes, options: dict[str, Any], field: str, words: str
) -> None:
    settings.UPLOAD_MAX_BYTES = 1500
    with pytest.raises(ValidationError) as refused:
        queue(account, content, **options)
    assert words in " ".join(refused.value.message_dict[field])
    assert not list(tmp_path.glob("uploads/*/*")), "a refused file must not stay"
    with tenant(account):
        assert not ContactImport.objects.exists()


def test_a_viewer_may_not_import(cast: Cast) -> None:
    with tenant(cast.account):
        viewer = Actor.member(Membership.objects.select_related("user").get(role=Role.VIEWER))
    with pytest.raises(PermissionDenied):
        queue(cast.account, a_csv(ZOE), actor=viewer)


def test_starting_twice_makes_one_job(account: Account) -> None:
    waiting = queue(account, a_csv(ZOE))
    with tenant(account):
        again = service.start_import(waiting, actor=owner_of(account), mapping={})
        assert again.job_id == waiting.job_id
        assert Job.objects.filter(kind="contacts.import").count() == 1


def test_a_cancelled_import_stops_and_its_file_is_gone_a_day_later(
    account: Account, tmp_path: Path, time_machine: Any
) -> None:
    waiting = queue(account, a_csv(ZOE))
    with tenant(account):
        service.cancel_import(waiting, actor=owner_of(account))
    assert work(waiting) == "not due"
    assert contacts(account) == {}
    time_machine.move_to(timezone.now() + timedelta(hours=23))
    service.clear_old_imports()
    assert len(list(tmp_path.glob("uploads/*/*"))) == 1
    time_machine.shift(timedelta(hours=2))
    service.clear_old_imports()
    assert not list(tmp_path.glob("uploads/*/*"))
    with tenant(account), pytest.raises(ValidationError, match="file is gone"):
        service.start_import(waiting, actor=owner_of(account), mapping={})
    with tenant(account):
        retry_job(lock_job(waiting.job_id), actor=Actor.system("test"))
    assert work(waiting) == Job.Status.FAILED
    with tenant(account):
        assert "Upload it again" in Job.objects.get(pk=waiting.job_id).error
        Job.objects.update(status=Job.Status.CANCELLED)
    with tenant(account):
        assert Job.objects.get(pk=waiting.job_id).status == Job.Status.CANCELLED


def test_cancelling_what_has_ended_changes_nothing(account: Account) -> None:
    done = imported(account, a_csv(ZOE))
    with tenant(account):
        service.cancel_import(done, actor=owner_of(account))
        assert Job.objects.get(pk=done.job_id).status == Job.Status.DONE
        assert ContactImport.objects.get(pk=done.pk).finished_at == done.finished_at


def test_a_lost_file_fails_for_good_and_says_so(account: Account, tmp_path: Path) -> None:
    waiting = queue(account, a_csv(ZOE))
    (stored,) = tmp_path.glob("uploads/*/*")
    stored.unlink()
    assert work(waiting) == Job.Status.FAILED
    with tenant(account):
        assert "Upload it again" in Job.objects.get(pk=waiting.job_id).error


def test_old_imports_are_cleared_with_their_rows_and_files(account: Account, tmp_path: Path) -> None:
    import os

    with tenant(account):
        draft = service.open_import(actor=owner_of(account), file_name="x.csv", content=[a_csv(ZOE)])
    finished = imported(account, a_csv(["Bad", "bad", "", "", ""]))
    fresh = imported(account, a_csv(["Bad", "bad", "", "", ""]))
    assert service.clear_old_imports() == 0
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    with tenant(account):
        ContactImport.objects.filter(pk__in=[draft.pk, finished.pk]).update(created_at=long_ago)
    for stored in tmp_path.glob("uploads/*/*"):
        os.utime(stored, (0, 0))
    assert service.clear_old_imports() == 2
    with tenant(account):
        assert ContactImport.objects.get().pk == fresh.pk
        assert RejectedRows.objects.count() == 1
    assert not list(tmp_path.glob("uploads/*/*"))
