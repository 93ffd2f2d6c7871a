"""Rows outside of their table: fixtures, pickles and caches hold ciphertext, which opens in its own place only."""

from __future__ import annotations

import copy
import json
import pickle
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core import serializers
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.utils import DatabaseError
from django.utils import timezone

from apps.accounts.models import Account
from apps.accounts.tenancy.models import WrongScope
from apps.accounts.tenancy.scope import tenant
from apps.vault.fields import SealedValue
from apps.vault.keys import DecryptionFailed
from apps.vault.models import AuditEntry, Contact
from tests.factories import make_account, make_contact
from tests.vault.table import MARK, nothing_readable

pytestmark = [pytest.mark.django_db, pytest.mark.covers("V-01", "V-02")]

FORMATS = ["json", "jsonl", "xml", "python"]


@pytest.fixture
def ours(db: None) -> Account:
    return make_account()


@pytest.fixture
def theirs(db: None) -> Account:
    return make_account()


@pytest.fixture
def contact(ours: Account) -> Contact:
    attributes = {MARK: [MARK, 7]}
    return make_contact(ours, name=MARK, email=f"{MARK}@mail.example", custom_attributes=attributes)


def dumped(rows: Any, form: str = "json") -> Any:
    return serializers.serialize(form, rows)


def restore(text: Any, form: str = "json") -> None:
    for row in serializers.deserialize(form, text):
        row.save()


class TestFixtures:
    @pytest.mark.parametrize("form", FORMATS)
    def test_they_hold_ciphertext_and_load_where_they_came_from(
        self, ours: Account, contact: Contact, form: str
    ) -> None:
        with tenant(ours):
            text = dumped(Contact.objects.all(), form)
            assert MARK not in str(text)
            Contact.objects.all().delete()
            restore(text, form)
            nothing_readable(MARK)
            back = Contact.objects.with_email(f"{MARK}@mail.example").get()
            assert (back.pk, back.name, back.custom_attributes) == (contact.pk, MARK, {MARK: [MARK, 7]})

    def test_they_load_over_the_row_that_stands(self, ours: Account, contact: Contact) -> None:
        with tenant(ours):
            text = dumped(Contact.objects.all())
            contact.name, contact.email = "changed", "changed@mail.example"
            contact.save()
            restore(text)
            assert Contact.objects.get().name == MARK
            assert not Contact.objects.with_email("changed@mail.example").exists()

    @pytest.mark.parametrize("value", [42, 3.5, True, "text", ["sealed", "x"], {"a": None}])
    @pytest.mark.parametrize("form", ["json", "xml"])
    def test_no_kind_of_json_slips_through_in_clear(self, ours: Account, value: Any, form: str) -> None:
        """Django's serializers write bare numbers as they are, without asking the field."""
        made = make_contact(ours, custom_attributes=value)
        with tenant(ours):
            text = dumped(Contact.objects.all(), form)
            if form == "json":
                assert json.loads(text)[0]["fields"]["custom_attributes"].startswith("sealed:")
            Contact.objects.all().delete()
            restore(text, form)
            assert Contact.objects.get(pk=made.pk).custom_attributes == value

    def test_dumpdata_and_loaddata_work_inside_a_scope(self, ours: Account, contact: Contact, tmp_path: Path) -> None:
        file = tmp_path / "contacts.json"
        with tenant(ours):
            call_command("dumpdata", "vault.contact", output=str(file), verbosity=0)
            Contact.objects.all().delete()
            call_command("loaddata", str(file), verbosity=0)
            assert Contact.objects.get().name == MARK
        assert MARK not in file.read_text()

    def test_dumpdata_outside_of_any_scope_says_what_is_missing(self, contact: Contact) -> None:
        with pytest.raises(CommandError, match=r"No scope .* tenant\(account\)"):
            call_command("dumpdata", "vault.contact", stdout=StringIO())

    def test_plaintext_in_a_fixture_written_by_hand_is_sealed(self, ours: Account) -> None:
        row = {
            "model": "vault.contact",
            "pk": str(uuid4()),
            "fields": {
                "account": str(ours.id),
                "name": MARK,
                "email": "Ann@mail.example",
                "custom_attributes": {"k": MARK},
                "created_at": "2026-01-01T10:00:00Z",
                "updated_at": "2026-01-01T10:00:00Z",
                "last_activity_at": "2026-01-01T10:00:00Z",
            },
        }
        with tenant(ours):
            restore(json.dumps([row]))
            nothing_readable(MARK)
            assert Contact.objects.with_email("ann@mail.example").get().custom_attributes == {"k": MARK}

    def test_a_ciphertext_in_another_row_does_not_load(self, ours: Account, contact: Contact) -> None:
        with tenant(ours):
            rows = json.loads(dumped(Contact.objects.all()))
            rows[0]["pk"] = str(uuid4())
            with pytest.raises(DecryptionFailed), transaction.atomic():
                restore(json.dumps(rows))
            assert Contact.objects.count() == 1

    def test_a_ciphertext_in_another_column_does_not_load(self, ours: Account, contact: Contact) -> None:
        with tenant(ours):
            rows = json.loads(dumped(Contact.objects.all()))
            rows[0]["fields"]["phone"] = rows[0]["fields"]["name"]
            with pytest.raises(DecryptionFailed), transaction.atomic():
                restore(json.dumps(rows))
            assert Contact.objects.get().phone is None

    @pytest.mark.parametrize("renamed", [True, False])
    def test_a_row_does_not_load_into_another_account(
        self, ours: Account, theirs: Account, contact: Contact, renamed: bool
    ) -> None:
        with tenant(ours):
            rows = json.loads(dumped(Contact.objects.all()))
        if renamed:
            rows[0]["fields"]["account"] = str(theirs.id)
        with tenant(theirs):
            with pytest.raises((DecryptionFailed, WrongScope)), transaction.atomic():
                restore(json.dumps(rows))
            assert not Contact.objects.exists()

    def test_a_forged_index_is_made_anew(self, ours: Account, contact: Contact) -> None:
        with tenant(ours):
            rows = json.loads(dumped(Contact.objects.all()))
            rows[0]["fields"]["email_index"] = "AAAAAAAAAAAAAAAAAAAAAA=="
            restore(json.dumps(rows))
            assert Contact.objects.with_email(f"{MARK}@mail.example").exists()

    def test_what_is_no_ciphertext_says_so(self, ours: Account, contact: Contact) -> None:
        with tenant(ours):
            rows = json.loads(dumped(Contact.objects.all()))
            rows[0]["fields"]["name"] = "sealed:not Base64!"
            with pytest.raises(serializers.base.DeserializationError, match="not Base64"):
                restore(json.dumps(rows))

    def test_entries_of_the_trail_do_not_load(self, ours: Account) -> None:
        with tenant(ours):
            text = dumped(AuditEntry.objects.all())
            assert AuditEntry.objects.count() == 1
            with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
                restore(text)


class TestPickles:
    def test_a_row_that_was_read_is_sealed_again(self, ours: Account, contact: Contact) -> None:
        with tenant(ours):
            loaded = Contact.objects.get()
            assert (loaded.name, loaded.custom_attributes) == (MARK, {MARK: [MARK, 7]})
            packed = pickle.dumps(loaded)
            assert MARK.encode() not in packed
            assert loaded.name == MARK, "the instance itself stays as it was"
            back = pickle.loads(packed)
            assert isinstance(back.__dict__["name"], SealedValue)
            assert (back.name, back.custom_attributes) == (MARK, {MARK: [MARK, 7]})

    def test_a_row_that_was_never_saved_is_sealed_too(self, ours: Account) -> None:
        with tenant(ours):
            packed = pickle.dumps(Contact(name=MARK, last_activity_at=timezone.now()))
            assert MARK.encode() not in packed
            assert pickle.loads(packed).name == MARK
        with pytest.raises(ValueError, match="needs its row's account"):
            pickle.dumps(Contact(name=MARK))

    def test_querysets_and_lists_in_the_cache_are_sealed(self, ours: Account, contact: Contact) -> None:
        with tenant(ours):
            rows = Contact.objects.all()
            assert [row.name for row in rows] == [MARK]
            cache.set("rows", rows)
            assert MARK.encode() not in pickle.dumps(rows)
            assert [row.name for row in cache.get("rows")] == [MARK]

    def test_a_copy_reads_the_same(self, ours: Account, contact: Contact) -> None:
        with tenant(ours):
            assert copy.copy(contact).name == copy.deepcopy(contact).name == contact.name == MARK

    def test_in_another_account_it_does_not_open(self, ours: Account, theirs: Account, contact: Contact) -> None:
        with tenant(ours):
            back = pickle.loads(pickle.dumps(contact))
        with tenant(theirs):
            back.account_id = theirs.id
            with pytest.raises(DecryptionFailed):
                _ = back.name


@pytest.mark.django_db(transaction=True)
def test_the_cache_server_holds_no_plaintext_of_what_pages_and_programs_read(
    settings: Any, client: Any, ours: Account
) -> None:
    """After a list, a detail, a search, a page and a change: everything that lies in Valkey, read byte by byte."""
    import redis

    from apps.accounts.models import Membership
    from tests.api_client import BASE
    from tests.factories import make_api_key

    contact = make_contact(ours, name=MARK, email=f"{MARK}@mail.example", phone="+447700900123")
    bearer = {"Authorization": f"Bearer {make_api_key(ours)}", "Idempotency-Key": "once"}
    for address in (f"{BASE}contacts", f"{BASE}contacts/{contact.id}", f"{BASE}contacts?email={MARK}@mail.example"):
        assert MARK in client.get(address, headers=bearer).content.decode()
    change = client.patch(
        f"{BASE}contacts/{contact.id}", {"identifier": MARK}, content_type="application/json", headers=bearer
    )
    assert change.status_code == 200, change.content
    with tenant(ours):
        person = Membership.objects.select_related("user").get().user
    client.force_login(person)
    assert MARK in client.get(f"/app/{ours.slug}/contacts/{contact.id}/").content.decode()
    server = redis.Redis.from_url(settings.REDIS_URL)
    kept = [server.dump(key) or b"" for key in server.scan_iter("*")]
    assert len(kept) >= 2, "nothing is kept, so nothing is proved"
    content = b"".join(kept)
    for word in (MARK, MARK.lower(), "+447700900123"):
        assert word.encode() not in content
    connection.close()
