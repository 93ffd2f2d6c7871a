"""Encrypted columns in queries: each way of the ORM has one outcome, and none of them stores or shows plaintext."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import FieldError
from django.db import connection, models, transaction
from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    OuterRef,
    Q,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce
from django.db.utils import DatabaseError, NotSupportedError
from django.test.utils import isolate_apps
from django.utils import timezone

from apps.accounts.models import Account
from apps.accounts.tenancy.models import TenantModel
from apps.accounts.tenancy.scope import tenant
from apps.vault.fields import EncryptedTextField, SealedValue
from apps.vault.models import Contact
from tests.accounts.tenancy.conftest import connected_to
from tests.accounts.tenancy.conftest import scratch as scratch
from tests.factories import make_account, make_contact
from tests.vault.table import MARK, nothing_readable

pytestmark = [pytest.mark.django_db, pytest.mark.covers("V-01", "V-02")]

Use = Callable[[Contact], Any]


@pytest.fixture
def ours(db: None) -> Account:
    return make_account()


def conflicting() -> list[Contact]:
    return [Contact(name=MARK, email="before@mail.example", last_activity_at=timezone.now())]


# What would write or compare plaintext, or compute with what can't be read: (how, error, words of it).
REFUSED: dict[str, tuple[Use, type[Exception], str]] = {
    "update": (lambda contact: Contact.objects.update(name=MARK), FieldError, "updated in SQL"),
    "update to nothing, which would leave the index": (
        lambda contact: Contact.objects.update(email=None),
        FieldError,
        "updated in SQL",
    ),
    "update with a value": (lambda contact: Contact.objects.update(name=Value(MARK)), FieldError, "updated in SQL"),
    "update with another column": (
        lambda contact: Contact.objects.update(identifier=F("name")),
        FieldError,
        "Contact.identifier is encrypted",
    ),
    "update of another column from it": (
        lambda contact: Contact.objects.update(contact_type=F("name")),
        FieldError,
        "Contact.name is encrypted",
    ),
    "bulk_update": (lambda contact: Contact.objects.bulk_update([contact], ["name"]), FieldError, "updated in SQL"),
    "save with an expression": (lambda contact: saved(contact, Value(MARK)), TypeError, "expression"),
    "save with another column": (lambda contact: saved(contact, F("identifier")), TypeError, "expression"),
    "save with a case": (
        lambda contact: saved(contact, Case(When(contact_type="lead", then=Value(MARK)))),
        TypeError,
        "expression",
    ),
    "save with bytes": (lambda contact: saved(contact, MARK.encode()), TypeError, "bytes can't be stored"),
    "bulk_create over the row that stands": (
        lambda contact: Contact.objects.bulk_create(
            conflicting(), update_conflicts=True, unique_fields=["account", "email_index"], update_fields=["name"]
        ),
        FieldError,
        "written into another row",
    ),
    "get_or_create by it": (
        lambda contact: Contact.objects.get_or_create(name=MARK, defaults={"last_activity_at": timezone.now()}),
        FieldError,
        "blind index",
    ),
    "update_or_create by it": (
        lambda contact: Contact.objects.update_or_create(name=MARK, defaults={"contact_type": "lead"}),
        FieldError,
        "blind index",
    ),
    "filter": (lambda contact: list(Contact.objects.filter(name=MARK)), FieldError, "Contact.name is encrypted"),
    "filter by nothing": (lambda contact: list(Contact.objects.filter(name=None)), FieldError, "encrypted"),
    "exclude": (lambda contact: list(Contact.objects.exclude(name=MARK)), FieldError, "encrypted"),
    "get": (lambda contact: Contact.objects.get(email=MARK), FieldError, "Contact.email is encrypted"),
    "in": (lambda contact: list(Contact.objects.filter(name__in=[MARK])), FieldError, "encrypted"),
    "contains": (lambda contact: list(Contact.objects.filter(name__icontains=MARK)), FieldError, "encrypted"),
    "greater": (lambda contact: list(Contact.objects.filter(name__gt=MARK)), FieldError, "encrypted"),
    "a key inside": (
        lambda contact: list(Contact.objects.filter(custom_attributes__plan=MARK)),
        FieldError,
        "Contact.custom_attributes is encrypted",
    ),
    "equal to another column": (lambda contact: list(Contact.objects.filter(name=F("email"))), FieldError, "encrypted"),
    "a condition of two": (
        lambda contact: list(Contact.objects.filter(Q(contact_type="lead") | Q(name=MARK))),
        FieldError,
        "encrypted",
    ),
    "in bulk by it": (lambda contact: Contact.objects.in_bulk([MARK], field_name="name"), ValueError, "unique"),
    "filter an annotation": (
        lambda contact: list(Contact.objects.annotate(n=F("name")).filter(n=MARK)),
        FieldError,
        "encrypted",
    ),
    "when": (
        lambda contact: list(Contact.objects.annotate(n=Case(When(name=MARK, then=Value(1))))),
        FieldError,
        "encrypted",
    ),
    "in a subquery": (
        lambda contact: list(Contact.objects.filter(Exists(Contact.objects.filter(name=OuterRef("name"))))),
        FieldError,
        "encrypted",
    ),
    "order_by": (lambda contact: list(Contact.objects.order_by("name")), FieldError, "ordered by in SQL"),
    "order_by downwards": (lambda contact: list(Contact.objects.order_by("-email")), FieldError, "ordered by"),
    "order_by an expression": (
        lambda contact: list(Contact.objects.order_by(F("name").desc(nulls_last=True))),
        FieldError,
        "ordered by",
    ),
    "order_by an annotation": (
        lambda contact: list(Contact.objects.annotate(n=F("name")).order_by("n")),
        FieldError,
        "ordered by",
    ),
    "latest": (lambda contact: Contact.objects.latest("name"), FieldError, "ordered by"),
    "distinct on": (lambda contact: list(Contact.objects.distinct("name")), FieldError, "compared in SQL"),
    "coalesce with a text": (
        lambda contact: list(Contact.objects.annotate(n=Coalesce("name", Value("nobody")))),
        FieldError,
        "mixed types",
    ),
    "a function of text": (
        lambda contact: list(Contact.objects.annotate(n=models.Func("name", function="lower"))),
        DatabaseError,
        "lower",
    ),
}


def saved(contact: Contact, value: Any) -> None:
    contact.name = value
    contact.save()


@pytest.mark.parametrize("way", REFUSED)
def test_it_is_refused_in_words(ours: Account, way: str) -> None:
    contact = make_contact(ours, name="before", email="before@mail.example")
    contact.name = MARK
    use, error, words = REFUSED[way]
    with tenant(ours):
        with pytest.raises(error, match=words), transaction.atomic():
            use(contact)
        nothing_readable(MARK)
        assert Contact.objects.get().name == "before"


# What gives sealed bytes: as good as nothing to who holds no key.
SEALED_READS: dict[str, Use] = {
    "values": lambda contact: Contact.objects.values("name").get()["name"],
    "values_list": lambda contact: Contact.objects.values_list("name", flat=True).get(),
    "an annotation": lambda contact: Contact.objects.annotate(n=F("name")).values_list("n", flat=True).get(),
    "a subquery": lambda contact: (
        Contact.objects.annotate(n=Subquery(Contact.objects.filter(pk=OuterRef("pk")).values("name")))
        .values_list("n", flat=True)
        .get()
    ),
    "coalesce of two": lambda contact: (
        Contact.objects.annotate(n=Coalesce("identifier", "name")).values_list("n", flat=True).get()
    ),
    "a case": lambda contact: (
        Contact.objects.annotate(n=Case(When(contact_type="lead", then=F("name")))).values_list("n", flat=True).get()
    ),
    "max": lambda contact: Contact.objects.aggregate(n=models.Max("name"))["n"],
    "grouped": lambda contact: Contact.objects.values("name").annotate(n=Count("id")).get()["name"],
    "distinct": lambda contact: Contact.objects.values_list("name", flat=True).distinct().get(),
    "union": lambda contact: Contact.objects.values_list("name", flat=True).union(
        Contact.objects.values_list("name", flat=True)
    )[0],
}


@pytest.mark.parametrize("way", SEALED_READS)
def test_it_reads_sealed_bytes(ours: Account, way: str) -> None:
    contact = make_contact(ours, name=MARK)
    with tenant(ours):
        found = SEALED_READS[way](contact)
        assert isinstance(found, SealedValue)
        assert repr(found) == str(found) == f"{found}" == "<sealed>"
        assert MARK.encode() not in bytes(found)


def test_cast_to_text_shows_ciphertext(ours: Account) -> None:
    make_contact(ours, name=MARK)
    with tenant(ours):
        found = Contact.objects.annotate(n=Cast("name", models.TextField())).values_list("n", flat=True).get()
    assert found.startswith("\\x01")
    assert MARK.encode().hex() not in found


# What gives rows, whose attribute opens.
OPENING: dict[str, Use] = {
    "get": lambda contact: Contact.objects.get(pk=contact.pk),
    "in_bulk": lambda contact: Contact.objects.in_bulk([contact.pk])[contact.pk],
    "iterator": lambda contact: next(Contact.objects.iterator(chunk_size=1)),
    "only": lambda contact: Contact.objects.only("name").get(),
    "only another": lambda contact: Contact.objects.only("id").get(),
    "defer": lambda contact: Contact.objects.defer("name").get(),
    "raw": lambda contact: Contact.objects.raw("SELECT * FROM vault_contact")[0],
    "isnull": lambda contact: Contact.objects.get(name__isnull=False),
    "get_or_create": lambda contact: Contact.objects.get_or_create(pk=contact.pk)[0],
    "update_or_create": lambda contact: Contact.objects.update_or_create(
        pk=contact.pk, defaults={"identifier": "x", "contact_type": "partner"}
    )[0],
    "refresh_from_db": lambda contact: contact.refresh_from_db() or contact,
    "select_for_update": lambda contact: Contact.objects.select_for_update().get(),
    "grouped": lambda contact: Contact.objects.annotate(n=Count("id")).get(),
    "latest": lambda contact: Contact.objects.latest("created_at"),
    "blind index": lambda contact: Contact.objects.with_email("ANN@mail.example").get(),
}


@pytest.mark.parametrize("way", OPENING)
def test_its_row_opens(ours: Account, way: str) -> None:
    contact = make_contact(ours, name=MARK, email="ann@mail.example")
    with tenant(ours):
        assert OPENING[way](contact).name == MARK
        nothing_readable(MARK)


@pytest.mark.parametrize("way", ["get_or_create", "update_or_create", "bulk_create", "abulk_create"])
def test_it_is_sealed_when_made(ours: Account, way: str) -> None:
    from tests.event_loops import synchronously

    values = {"name": MARK, "last_activity_at": timezone.now()}
    with tenant(ours):
        match way:
            case "get_or_create" | "update_or_create":
                getattr(Contact.objects, way)(contact_type="made", defaults=values)
            case "bulk_create":
                Contact.objects.bulk_create([Contact(**values), Contact(**values)])
            case "abulk_create":
                synchronously(Contact.objects.all().abulk_create)([Contact(**values)])
        assert {contact.name for contact in Contact.objects.all()} == {MARK}
        nothing_readable(MARK)


def test_changing_it_through_update_or_create_moves_the_index(ours: Account) -> None:
    contact = make_contact(ours, email="old@mail.example")
    with tenant(ours):
        Contact.objects.update_or_create(pk=contact.pk, defaults={"email": "new@mail.example"})
        assert Contact.objects.with_email("new@mail.example").get() == contact
        assert not Contact.objects.with_email("old@mail.example").exists()


def test_no_statement_carries_it_in_clear(ours: Account, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(50) as captured, tenant(ours):
        made = Contact.objects.create(name=MARK, email=f"{MARK}@mail.example", last_activity_at=timezone.now())
        made.name = f"{MARK} again"
        made.save()
        assert Contact.objects.with_email(f"{MARK}@mail.example").get() == made
    sent = "".join(query["sql"] for query in captured.captured_queries)
    assert "vault_contact" in sent
    assert MARK not in sent
    assert MARK.lower() not in sent
    assert MARK.encode().hex() not in sent


@isolate_apps("apps.vault")
def test_one_that_is_unique_indexed_or_filled_by_postgresql_is_a_fault() -> None:
    class Bad(TenantModel):
        once = EncryptedTextField(unique=True)
        found = EncryptedTextField(db_index=True)
        filled = EncryptedTextField(db_default="plaintext")
        fine = EncryptedTextField(default="sealed when it is saved")

        class Meta(TenantModel.Meta):
            app_label = "vault"

    faults = {field.name: [fault.id for fault in field.check()] for field in Bad._meta.local_fields[-4:]}
    assert faults == {"once": ["vault.E001"], "found": ["vault.E001"], "filled": ["vault.E002"], "fine": []}


@pytest.mark.parametrize("back", [False, True], ids=["into an encrypted one", "into a plain one"])
def test_no_migration_turns_a_column_in_place(scratch: str, back: bool) -> None:
    """ALTER TABLE would keep the plaintext, as bytes."""
    with connected_to(scratch, settings.MIGRATION_DATABASE_URL):
        names = ("name", "contact_type") if back else ("contact_type", "name")
        old, model = Contact._meta.get_field(names[0]), Contact._meta.get_field(names[1])
        new = model.clone()  # type: ignore[union-attr]
        new.set_attributes_from_name(old.name)
        new.model = Contact
        refused = pytest.raises(NotSupportedError, match="can neither seal values nor open them")
        with refused, connection.schema_editor() as editor:
            editor.alter_field(Contact, old, new)


def test_a_column_with_a_default_is_not_added_in_clear(scratch: str) -> None:
    with connected_to(scratch, settings.MIGRATION_DATABASE_URL):
        field = EncryptedTextField(default=MARK)
        field.set_attributes_from_name("nickname")
        field.model = Contact
        with pytest.raises(TypeError, match=r"Contact\.nickname is encrypted"), connection.schema_editor() as editor:
            editor.add_field(Contact, field)


def test_the_way_it_is_declared_is_what_a_migration_writes() -> None:
    name, path, _, options = Contact._meta.get_field("email").deconstruct()  # type: ignore[union-attr]
    assert (name, path) == ("email", "apps.vault.fields.EncryptedTextField")
    assert Contact._meta.get_field("email").clone().deconstruct()[3] == options  # type: ignore[union-attr]
    assert connection.data_types["BinaryField"] == Contact._meta.get_field("email").db_type(connection)  # type: ignore[union-attr]
