"""A1, A1b, A3, G3: reading contacts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.api.rendering import to_json
from apps.accounts.keyset import newest_first
from apps.accounts.tenancy.scope import tenant
from apps.vault.api.contacts import show
from apps.vault.fields import open_columns
from apps.vault.models import Contact
from apps.vault.selectors import COLUMNS, ContactSearch, contacts_by_recency
from tests.bench.data import contact_values
from tests.bench.measure import Figure, at_most, bounds, compare, seconds
from tests.bench.twin.models import PlainContact
from tests.bench.world import World

_AT = COLUMNS.index("last_activity_at")


def our_list(world: World) -> bytes:
    """A page of 50 as the API reads, decrypts and writes it, in the account's scope."""
    with tenant(world.account.id):
        page = contacts_by_recency(ContactSearch(), None, 50)
        return to_json({"results": [show(row) for row in page.rows]})


def plain_list(world: World) -> bytes:
    """The same page, selector shape and serializer over the twin, without a scope."""
    rows = PlainContact.objects.filter(company_id=world.account.id).values_list(*COLUMNS)
    page = newest_first(rows, ("last_activity_at", "id"), None, 50, lambda row: (row[_AT], row[0]))
    return to_json({"results": [show(list(row)) for row in page.rows]})


def a1(world: World) -> Iterator[Figure]:
    ratio = compare(lambda: our_list(world), lambda: plain_list(world), times=8)
    yield at_most("A1", "list of 50 contacts, encrypted and isolated ÷ plaintext without row security", ratio, 1.20)


def a1b(world: World) -> Iterator[Figure]:
    with tenant(world.account.id):
        rows = list(Contact.objects.order_by("-last_activity_at").values_list("id", "name", "email", "phone")[:50])
    fields = {1: "name", 2: "email", 3: "phone"}
    samples = [
        seconds(lambda: open_columns(Contact, world.account.id, rows, fields), 40) / 40 / (50 * 3) * 1e6
        for _ in range(60)
    ]
    value = sorted(samples)[len(samples) // 2]
    yield Figure("A1b", "added by each decrypted field", value, bounds(samples)[1], "≤ 4", value <= 4, unit="µs")


def a3(world: World) -> Iterator[Figure]:
    emails = [contact_values(number)["email"] for number in range(0, world.contacts, max(1, world.contacts // 500))]
    turn = {"ours": 0, "plain": 0}

    def next_email(side: str) -> str:
        turn[side] += 1
        return emails[turn[side] % len(emails)]

    def ours() -> Any:
        with tenant(world.account.id):
            return list(Contact.objects.with_email(next_email("ours")).values_list("id", "email_index"))

    def plain() -> Any:
        with tenant(world.account.id):  # the same shape of transaction
            rows = PlainContact.objects.filter(company_id=world.account.id, email=next_email("plain"))
            return list(rows.values_list("id", "email"))

    assert len(ours()) == len(plain()) == 1
    ratio = compare(ours, plain, times=20)
    what = f"find by e-mail through the blind index ÷ indexed plaintext, {world.contacts:,} contacts in the account"
    yield at_most("A3", what, ratio, 1.10)


def g3(world: World) -> Iterator[Figure]:
    world.request_list()
    with CaptureQueriesContext(connection) as captured:
        world.request_list()
    count = len(captured.captured_queries)
    note = "; ".join(query["sql"].split("FROM")[0][:60] for query in captured.captured_queries)
    yield Figure("G3", "SQL statements of one list request", count, count, "≤ 6", count <= 6, "statements", note)
