"""The import wizard, through its doors and its job."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Job
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from apps.vault.models import Contact, ContactImport
from apps.vault.pages.imports import time_left
from tests.factories import Cast, make_contact
from tests.vault.contact_import.importing import a_csv, work

pytestmark = [pytest.mark.django_db(transaction=True)]
AsRole = Callable[[Role], Client]
PART = {"HX-Request": "true"}
FILE = a_csv(
    ["Ann", "ann@mail.example", "020 7946 0142", "HP-1", "Leith"],
    ["Ben", "not an address", "", "HP-2", "Cork"],
    ["Cleo", "cleo@mail.example", "", "HP-3", "Bath"],
)


def upload(client: Client, base: str, content: bytes = FILE) -> str:
    answer = client.post(f"{base}contacts/import/", {"file": SimpleUploadedFile("people.csv", content)})
    assert answer.status_code == 302, answer.content.decode()
    return answer.headers["Location"]


def the_import(cast: Cast) -> ContactImport:
    with tenant(cast.account):
        return ContactImport.objects.get()


def columns(page: str) -> dict[str, str]:
    """What each column becomes, by its select."""
    selects = re.findall(r'<select[^>]* aria-label="([^"]+) becomes">(.*?)</select>', page, re.DOTALL)
    return {name: re.findall(r'value="([^"]+)" selected', options)[0] for name, options in selects}


@pytest.mark.covers("V-11")
def test_from_file_to_contacts_with_progress_and_rejected_rows(as_role: AsRole, base: str, cast: Cast) -> None:
    client = as_role(Role.MEMBER)
    where = upload(client, base)
    page = client.get(where).content.decode()
    assert columns(page) == {
        "Name": "name",
        "E-mail": "email",
        "Phone": "phone",
        "Ref": "identifier",
        "City": "attribute:city",
    }
    assert "ann@mail.example" in page and "people.csv, 3 rows, read as UTF-8" in page
    decided = {"column_4": "leave_out", "duplicates": "merge", "default_region": "GB"}
    assert client.post(where, decided).headers["Location"] == where
    running = client.get(where, headers=PART)
    assert running.status_code == 200 and "every 2s" in running.content.decode()
    assert work(the_import(cast)) == Job.Status.DONE
    answer = client.get(where, headers=PART)
    assert answer.status_code == 286, "htmx stops asking"
    assert "3 of 3 rows" in answer.content.decode() and "Every row is accounted for" in answer.content.decode()
    assert "E-mail &quot;not an address&quot;" in answer.content.decode()
    file = client.get(f"{where}rejected/")
    assert 'filename="people-rejected.csv"' in file.headers["Content-Disposition"]
    assert "Ben,not an address,,HP-2,Cork,3," in file.content.decode("utf-8-sig")
    with tenant(cast.account):
        ann = Contact.objects.with_email("ann@mail.example").get()
        assert (ann.phone, ann.custom_attributes or {}, Contact.objects.count()) == ("+442079460142", {}, 2)


@pytest.mark.covers("V-11")
def test_a_contradiction_in_the_mapping_is_told_and_the_choice_kept(as_role: AsRole, base: str, cast: Cast) -> None:
    client = as_role(Role.MEMBER)
    where = upload(client, base)
    answer = client.post(
        where, {"column_3": "email", "duplicates": "report", "default_region": "GB", "column_1": "email"}
    )
    page = answer.content.decode()
    assert answer.status_code == 422 and "both become E-mail" in page
    assert columns(page)["Ref"] == "email" and '<option value="report" selected>' in page
    assert the_import(cast).started_at is None


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "The file is empty."), (b"PK\x03\x04xlsx", "This is an Excel"), (b"Name,E-mail\n", "no rows below it")],
)
def test_a_file_that_is_no_list_is_refused_in_words(
    as_role: AsRole, base: str, cast: Cast, content: bytes, words: str
) -> None:
    answer = as_role(Role.MEMBER).post(f"{base}contacts/import/", {"file": SimpleUploadedFile("x.csv", content)})
    assert answer.status_code == 422 and words in answer.content.decode()
    with tenant(cast.account):
        assert not ContactImport.objects.exists()


def test_no_file_is_no_import(as_role: AsRole, base: str) -> None:
    answer = as_role(Role.MEMBER).post(f"{base}contacts/import/")
    assert answer.status_code == 422 and "Choose a file." in answer.content.decode()


def test_an_import_that_has_not_begun_has_no_rejected_rows_to_give(as_role: AsRole, base: str) -> None:
    client = as_role(Role.MEMBER)
    where = upload(client, base)
    assert client.get(f"{where}rejected/").headers["Location"] == where


def test_an_import_can_be_dropped_before_and_stopped_after_it_began(as_role: AsRole, base: str, cast: Cast) -> None:
    client = as_role(Role.MEMBER)
    where = upload(client, base)
    assert client.post(f"{where}cancel/").headers["Location"] == f"{base}contacts/"
    assert client.get(where).status_code == 404
    where = upload(client, base)
    client.post(where, {"duplicates": "merge", "default_region": "GB"})
    assert client.post(f"{where}cancel/").headers["Location"] == where
    page = client.get(where).content.decode()
    assert "Cancelled" in page and "every 2s" not in page and "Go on" in page
    client.post(where)
    assert work(the_import(cast)) == Job.Status.DONE
    assert "Every row is accounted for" in client.get(where).content.decode()


def test_a_failed_import_says_why_and_goes_on(as_role: AsRole, base: str, cast: Cast) -> None:
    client = as_role(Role.MEMBER)
    where = upload(client, base)
    client.post(where, {"duplicates": "merge", "default_region": "GB"})
    with tenant(cast.account):
        Job.objects.filter(kind="contacts.import").update(status=Job.Status.FAILED, error="The disk was full.")
    assert "The disk was full." in client.get(where).content.decode()
    client.post(where)
    assert work(the_import(cast)) == Job.Status.DONE
    assert "Every row is accounted for" in client.get(where).content.decode()


@pytest.mark.covers("A-05")
def test_viewers_import_nothing_and_see_no_way_to(as_role: AsRole, base: str, cast: Cast) -> None:
    make_contact(cast.account)
    client = as_role(Role.VIEWER)
    assert client.get(f"{base}contacts/import/").status_code == 403
    assert "contacts/import/" not in client.get(f"{base}contacts/").content.decode()


SEMICOLONS = "Adressen 2026;;\nVorname;Ort;Post\nJürgen;Köln;juergen@mail.example\nZoë;Mölndal;zoe@mail.example\n"


def selected(page: str) -> dict[str, str]:
    """How the file is read, as the three selects say."""
    selects = re.findall(r'<select[^>]* id="read_(\w+)"[^>]*>(.*?)</select>', page, re.DOTALL)
    return {name: re.findall(r'value="([^"]*)" selected', options)[0] for name, options in selects}


@pytest.mark.covers("V-11")
def test_how_the_file_is_read_is_shown_and_can_be_changed(as_role: AsRole, base: str, cast: Cast) -> None:
    client = as_role(Role.MEMBER)
    where = upload(client, base, SEMICOLONS.encode("cp1252"))
    page = client.get(where).content.decode()
    assert selected(page) == {"encoding": "cp1252", "delimiter": "semicolon", "header_row": "2"}
    assert "Row 2: Vorname, Ort, Post" in page and "2 rows, read as Windows-1252 (Western)" in page
    asked = {"encoding": "mac_roman", "delimiter": "semicolon", "header_row": "0", "default_region": "DE"}
    answer = client.post(f"{where}reading/", {**asked, "duplicates": "report"}, headers=PART)
    page = answer.content.decode()
    assert answer.status_code == 200 and 'id="mapping"' in page and "<html" not in page
    assert selected(page) == {"encoding": "mac_roman", "delimiter": "semicolon", "header_row": "0"}
    assert set(columns(page)) == {"Column A", "Column B", "Column C"}
    assert "J¸rgen" in page and "4 rows, read as Mac Roman" in page, "the preview follows"
    assert '<option value="DE" selected>' in page and '<option value="report" selected>' in page, "what was decided"
    assert the_import(cast).rows_total == 4


@pytest.mark.covers("V-11")
def test_columns_mapped_by_hand_stay_when_the_file_is_read_anew(as_role: AsRole, base: str) -> None:
    client = as_role(Role.MEMBER)
    where = upload(client, base, SEMICOLONS.encode("cp1252"))
    asked = {"encoding": "iso8859_15", "delimiter": "semicolon", "header_row": "2", "column_1": "leave_out"}
    assert columns(client.post(f"{where}reading/", asked, headers=PART).content.decode())["Ort"] == "leave_out"


@pytest.mark.covers("V-11")
def test_a_reading_that_makes_no_sense_is_refused_and_the_old_one_stays(as_role: AsRole, base: str, cast: Cast) -> None:
    client = as_role(Role.MEMBER)
    where = upload(client, base)
    before = the_import(cast).format
    answer = client.post(
        f"{where}reading/", {"encoding": "utf-8", "delimiter": "comma", "header_row": "4"}, headers=PART
    )
    assert answer.status_code == 422 and "no rows below it" in answer.content.decode()
    assert "It is read as before." in answer.content.decode()
    answer = client.post(f"{where}reading/", {"encoding": "klingon", "delimiter": "comma", "header_row": "1"})
    assert answer.status_code == 422 and "Choose one of what is offered." in answer.content.decode()
    assert the_import(cast).format == before


def test_what_its_first_bytes_say_of_the_encoding_stands(as_role: AsRole, base: str) -> None:
    client = as_role(Role.MEMBER)
    where = upload(client, base, FILE.decode().encode("utf-8-sig"))
    assert re.search(r'<select name="encoding"[^>]* disabled', client.get(where).content.decode())
    asked = {"delimiter": "comma", "header_row": "0"}
    assert "4 rows, read as UTF-8" in client.post(f"{where}reading/", asked, headers=PART).content.decode()


def test_an_import_sent_with_another_reading_shows_it_first(as_role: AsRole, base: str, cast: Cast) -> None:
    client = as_role(Role.MEMBER)
    where = upload(client, base)
    decided = {"duplicates": "merge", "default_region": "GB"}
    asked = {"encoding": "cp1252", "delimiter": "comma", "header_row": "1", **decided}
    assert client.post(where, asked).headers["Location"] == where
    assert the_import(cast).started_at is None and the_import(cast).format["encoding"] == "cp1252"
    client.post(where, asked)
    found = the_import(cast)
    assert found.started_at is not None
    client.post(f"{where}reading/", {**asked, "encoding": "utf-8"})
    assert the_import(cast).format == found.format, "what has begun is read as it was"


@pytest.mark.parametrize(
    ("seconds", "done", "words"),
    [
        (10, 0, ""),
        (10, 500, "about 10 seconds left"),
        (10, 990, "a few seconds left"),
        (60, 500, "about 60 seconds left"),
        (300, 500, "about 5 minutes left"),
    ],
)
def test_a_running_import_says_how_long_it_will_take(seconds: int, done: int, words: str) -> None:
    now = timezone.now()
    begun = ContactImport(started_at=now - timedelta(seconds=seconds), rows_total=1000, rows_done=done)
    assert time_left(begun, now) == words
