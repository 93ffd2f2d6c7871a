"""The table of contacts as it lies in PostgreSQL, read past the fields."""

from __future__ import annotations

from django.db import connection

MARK = "Zebulon-Plaintext-Marker"
SEALED = ("name", "email", "phone", "identifier", "custom_attributes")


def nothing_readable(*words: str) -> None:
    """There are contacts, and no column holds one of the words in any encoding a careless write would use."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), string_agg(encode(to_jsonb(t)::text::bytea, 'hex'), '') FROM vault_contact t")
        count, everything = cursor.fetchone()
        assert count, "no row, so nothing is proved"
        content = bytes.fromhex(everything)
        for name in SEALED:
            cursor.execute(f"SELECT string_agg({name}, '\\000'::bytea) FROM vault_contact")
            content += bytes(cursor.fetchone()[0] or b"")
    for word in words:
        assert word.encode() not in content
        assert word.encode().hex().encode() not in content
