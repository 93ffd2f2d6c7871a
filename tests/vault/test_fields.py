"""Encrypted fields: a value opens in its own place only, and no way of writing stores plaintext."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.db.utils import IntegrityError
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.accounts.models import Account
from apps.accounts.tenancy.models import TenantModel
from apps.accounts.tenancy.scope import tenant
from apps.vault.fields import EncryptedJSONField, EncryptedTextField, SealedValue
from apps.vault.keys import DecryptionFailed
from apps.vault.models import Contact
from tests.factories import make_account, make_contact
from tests.vault.table import MARK, SEALED, nothing_readable

pytestmark = [pytest.mark.django_db, pytest.mark.covers("V-01", "V-02")]

text = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), max_size=200)
jsons = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=12,
)


@dataclass(frozen=True)
class Place:
    """One column of one row of one of two accounts."""

    field: Any
    number: int
    theirs: bool

    @property
    def text(self) -> bool:
        return isinstance(self.field, EncryptedTextField)

    def row(self, account: Account) -> Any:
        return self.field.model(pk=UUID(int=self.number), account_id=account.id)


EVERY_FIELD = [
    field
    for model in apps.get_models()
    if issubclass(model, TenantModel)
    for field in model._meta.concrete_fields
    if isinstance(field, EncryptedTextField | EncryptedJSONField)
]
places = st.builds(Place, st.sampled_from(EVERY_FIELD), st.integers(1, 2), st.booleans())
quickly = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def ours(db: None) -> Account:
    return make_account()


@pytest.fixture
def theirs(db: None) -> Account:
    return make_account()


def field(name: str, model: Any = Contact) -> Any:
    return model._meta.get_field(name)


def row(account: Account, key: UUID | None = None) -> Contact:
    return Contact(id=key or uuid4(), account_id=account.id, last_activity_at=timezone.now())


def stored(contact: Contact) -> dict[str, bytes | None]:
    """The columns as they lie in the table, read past the fields."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(SEALED)} FROM vault_contact WHERE id = %s", [contact.pk])
        return {
            name: None if value is None else bytes(value) for name, value in zip(SEALED, cursor.fetchone(), strict=True)
        }


class TestAnyValue:
    @quickly
    @given(value=text)
    def test_text_comes_back_and_is_at_most_40_bytes_longer(self, ours: Account, value: str) -> None:
        place = row(ours)
        with tenant(ours):
            sealed = field("name").seal(place, value)
            assert field("name").open(place, sealed) == value
        assert len(sealed) <= len(value.encode()) + 40

    @quickly
    @given(value=jsons)
    def test_json_comes_back_and_is_at_most_40_bytes_longer(self, ours: Account, value: Any) -> None:
        place = row(ours)
        with tenant(ours):
            sealed = field("custom_attributes").seal(place, value)
            assert field("custom_attributes").open(place, sealed) == value
        assert len(sealed) <= len(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()) + 40

    @quickly
    @given(value=st.none() | text | jsons, here=places, there=places)
    def test_it_opens_where_it_was_sealed_and_nowhere_else(
        self, ours: Account, theirs: Account, value: Any, here: Place, there: Place
    ) -> None:
        """Any value, moved between any two rows, columns, tables or accounts."""
        value = str(value) if here.text else value
        account, other = (theirs if place.theirs else ours for place in (here, there))
        with tenant(account):
            sealed = here.field.seal(here.row(account), value)
        with tenant(other):
            if here == there:
                assert there.field.open(there.row(other), sealed) == value
            else:
                with pytest.raises(DecryptionFailed):
                    there.field.open(there.row(other), sealed)

    @quickly
    @given(value=text, at=st.integers(0, 10_000), flip=st.integers(1, 255))
    def test_a_changed_byte_is_noticed(self, ours: Account, value: str, at: int, flip: int) -> None:
        place = row(ours)
        with tenant(ours):
            sealed = bytearray(field("name").seal(place, value))
            sealed[at % len(sealed)] ^= flip
            with pytest.raises(DecryptionFailed):
                field("name").open(place, SealedValue(bytes(sealed)))

    @quickly
    @given(value=text)
    def test_equal_values_never_look_equal(self, ours: Account, value: str) -> None:
        place = row(ours)
        with tenant(ours):
            assert field("name").seal(place, value) != field("name").seal(place, value)


class TestWaysOfWriting:
    def test_create_save_and_bulk_create_seal(self, ours: Account) -> None:
        now = timezone.now()
        with tenant(ours):
            made = Contact.objects.create(
                name=MARK, email=f"{MARK}@x.example", custom_attributes={MARK: [MARK]}, last_activity_at=now
            )
            made.identifier = MARK
            made.save()
            Contact.objects.bulk_create([Contact(name=f"{MARK} {n}", last_activity_at=now) for n in range(3)])
            assert Contact.objects.get(pk=made.pk).custom_attributes == {MARK: [MARK]}
            assert sorted(contact.name for contact in Contact.objects.all())[-1] == f"{MARK} 2"
            nothing_readable(MARK)

    def test_a_saved_row_that_was_not_read_keeps_its_bytes(self, ours: Account) -> None:
        made = make_contact(ours, name=MARK)
        with tenant(ours):
            before = stored(made)
            loaded = Contact.objects.get(pk=made.pk)
            loaded.contact_type = "customer"
            loaded.save()
            assert stored(made) == before

    def test_a_ciphertext_given_to_another_row_is_refused_at_birth(self, ours: Account) -> None:
        made = make_contact(ours, name=MARK)
        with tenant(ours):
            sealed = Contact.objects.values_list("name", flat=True).get(pk=made.pk)
            with pytest.raises(DecryptionFailed):
                Contact.objects.create(name=sealed, last_activity_at=timezone.now())


class TestWaysOfReading:
    def test_values_and_lists_show_sealed_bytes(self, ours: Account) -> None:
        make_contact(ours, name=MARK)
        with tenant(ours):
            for found in (Contact.objects.values("name")[0]["name"], Contact.objects.values_list("name", flat=True)[0]):
                assert isinstance(found, SealedValue)
                assert repr(found) == str(found) == "<sealed>"
                assert MARK.encode() not in bytes(found)

    def test_defer_and_only_open_when_read(self, ours: Account) -> None:
        made = make_contact(ours, name=MARK)
        with tenant(ours):
            assert Contact.objects.defer("name").get(pk=made.pk).name == MARK
            assert Contact.objects.only("id").get(pk=made.pk).name == MARK

    def test_nothing_opens_before_it_is_read(self, ours: Account) -> None:
        made = make_contact(ours, name=MARK)
        with tenant(ours):
            loaded = Contact.objects.get(pk=made.pk)
            assert isinstance(loaded.__dict__["name"], SealedValue)
            assert MARK not in repr(loaded) + str(loaded) + repr(loaded.__dict__)

    def test_a_moved_ciphertext_raises_and_is_never_a_value(self, ours: Account) -> None:
        one, two = make_contact(ours, name="one"), make_contact(ours, name="two")
        with tenant(ours):
            with connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE vault_contact SET name = (SELECT name FROM vault_contact WHERE id = %s) WHERE id = %s",
                    [one.pk, two.pk],
                )
            with pytest.raises(DecryptionFailed):
                _ = Contact.objects.get(pk=two.pk).name


class TestBlindIndexes:
    def test_a_value_is_there_once_in_an_account_whatever_its_case(self, ours: Account, theirs: Account) -> None:
        make_contact(ours, email="Ann@Mail.example")
        with pytest.raises(IntegrityError), transaction.atomic():
            make_contact(ours, email="ann@mail.EXAMPLE")
        make_contact(theirs, email="ann@mail.example")

    def test_two_accounts_and_two_columns_index_one_value_differently(self, ours: Account, theirs: Account) -> None:
        found = set()
        for account in (ours, theirs):
            with tenant(account):
                found |= {
                    field(name).index(account.id, "+447700900000") for name in ("phone_index", "identifier_index")
                }
        assert len(found) == 4
        assert {len(index) for index in found} == {16}

    def test_it_finds_by_the_index_and_follows_changes(self, ours: Account) -> None:
        made = make_contact(ours, email="old@mail.example")
        with tenant(ours):
            assert Contact.objects.with_email(" OLD@mail.example ").get() == made
            made.email = "new@mail.example"
            made.save()
            assert not Contact.objects.with_email("old@mail.example").exists()
            assert Contact.objects.with_email("new@mail.example").exists()
            made.email = None
            made.save()
            assert not Contact.objects.with_email("new@mail.example").exists()
