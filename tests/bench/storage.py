"""A5, A5b: what encryption costs on disk."""

from __future__ import annotations

import json
from collections.abc import Iterator

from django.db import connection

from apps.accounts.tenancy.scope import tenant
from apps.vault.models import Contact
from tests.bench.data import contact_values
from tests.bench.measure import Figure
from tests.bench.world import World


def a5(world: World) -> Iterator[Figure]:
    most = 0
    with tenant(world.account.id), connection.cursor() as cursor:
        for number in range(min(500, world.contacts)):
            values = contact_values(number)
            found = Contact.objects.with_email(values["email"]).values_list("id", flat=True).get()
            cursor.execute(
                "SELECT octet_length(name), octet_length(email), octet_length(phone), octet_length(custom_attributes) "
                "FROM vault_contact WHERE account_id = %s AND id = %s",
                [world.account.id, found],
            )
            attributes = json.dumps(values["custom_attributes"], separators=(",", ":"), ensure_ascii=False)
            plain = [values["name"], values["email"], values["phone"], attributes]
            most = max(most, *(a - len(b.encode()) for a, b in zip(cursor.fetchone(), plain, strict=True)))
    yield Figure("A5", "stored bytes beyond the plaintext, at most, per value", most, most, "≤ 40", most <= 40, "bytes")


def a5b(world: World) -> Iterator[Figure]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_total_relation_size('vault_contact'), pg_total_relation_size('twin_plaincontact')")
        ours, plain = cursor.fetchone()
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE relname = 'twin_plaincontact'")
        count = cursor.fetchone()[0]
    ratio = ours / plain
    what = f"encrypted table and indexes ÷ plaintext twin, {count:,} contacts"
    parts = {"ours_mb": round(ours / 2**20, 1), "plain_mb": round(plain / 2**20, 1)}
    yield Figure("A5b", what, ratio, ratio, "≤ 1.45", ratio <= 1.45, parts=parts)
