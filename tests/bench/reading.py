"""A1, A1b, A3, G3: reading contacts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from apps.accounts.actors import Actor
from apps.accounts.keyset import Page, Position, beginning_at, cut, newest_first
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from apps.vault.api.contacts import ContactsView
from apps.vault.fields import open_columns
from apps.vault.models import Contact
from apps.vault.recent_contacts import ORDER
from apps.vault.selectors import COLUMNS, ContactSearch
from tests.bench.data import contact_values
from tests.bench.measure import Figure, at_most, bounds, compare, seconds
from tests.bench.twin.models import PlainContact
from tests.bench.world import World

_AT = COLUMNS.index("last_activity_at")
_ATTRIBUTES = COLUMNS.index("custom_attributes")


class TwinView(ContactsView):
    """The product's view and serializer over the twin, read by the ORM: ``values_list``, as other lists are."""

    def by_recency(self, search: ContactSearch, position: Position | None, limit: int) -> Page[Any]:
        rows = PlainContact.objects.filter(company_id=self.account.id).values_list(*COLUMNS)
        return newest_first(rows, ORDER, position, limit, lambda row: (row[_AT], row[0]))


class ShortTwinView(ContactsView):
    """The same, by the shortest way to read it: the statement kept, rows in binary, JSON passed on as text."""

    statement = ""

    def by_recency(self, search: ContactSearch, position: Position | None, limit: int) -> Page[Any]:
        if not self.statement:
            rows = PlainContact.objects.filter(company_id=self.account.id).values_list(*COLUMNS)
            sql = beginning_at(rows, ORDER, position, limit).query.sql_with_params()[0]
            column = '"twin_plaincontact"."custom_attributes"'
            type(self).statement = sql.replace(column, f"{column}::text", 1)
        with psycopg.Cursor(connection.connection) as cursor:
            cursor.execute(self.statement, (self.account.id,), binary=True)  # type: ignore[call-overload]
            found = [list(row) for row in cursor.fetchall()]
        for row in found:
            row[_ATTRIBUTES] = row[_ATTRIBUTES].encode()
        return cut(found, position, limit, lambda row: (row[_AT], row[0]))


def asking(world: World, view: type[ContactsView]) -> Callable[[], bytes]:
    """A call of a view as the door makes it for an API key, without the door."""
    request: Any = RequestFactory().get("/api/v1/contacts")
    request.actor = Actor("api_key", world.account.id, "bench", Role.OWNER)
    request.account, request.membership = world.account, None
    request.calls_per_hour, request.cost_is_limited = None, False
    request.user = AnonymousUser()
    handler: Any = view.as_view()

    def ask() -> bytes:
        answer = handler(request)
        assert answer.status_code == 200, answer.content
        content: bytes = answer.content
        return content

    return ask


def our_list(world: World) -> Callable[[], bytes]:
    """The list of 50 with both walls up: the scope is opened, rows are read and decrypted, JSON is written."""
    ask = asking(world, ContactsView)

    def ours() -> bytes:
        with tenant(world.account.id):
            return ask()

    return ours


def a1(world: World) -> Iterator[Figure]:
    """Against the same view and serializer over the twin, without a scope."""
    ours, plain, short = our_list(world), asking(world, TwinView), asking(world, ShortTwinView)
    first, *others = (json.loads(answer())["results"] for answer in (ours, plain, short))
    assert all(other == first for other in others), "The sides must answer the same people."
    ratio = compare(ours, plain, times=8)
    shortest = compare(ours, short, times=8)
    what = "list of 50 contacts, encrypted and isolated ÷ plaintext without row security, same view and serializer"
    figure = at_most("A1", what, ratio, 1.20)
    figure.parts["if_the_twin_is_read_the_short_way_too"] = round(shortest.value, 3)
    figure.parts["other_ms_the_short_way"] = round(shortest.other * 1000, 4)
    yield figure


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
