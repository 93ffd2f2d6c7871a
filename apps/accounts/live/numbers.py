"""The number of an account's latest announcement: by it a page that was away knows whether it missed any.

Counted up in a short transaction after the commit of what is announced: nothing waits for the row while work is under
way, and whoever reads a number sees everything that was announced up to it.
"""

from __future__ import annotations

from django.db import connection

from apps.accounts.identifiers import uuid7
from apps.accounts.models.live_number import LiveNumber
from apps.accounts.tenancy.scope import current_account_id

# The account is named although row security would suffice: raw SQL passes by the managers.
_NEXT = """
INSERT INTO accounts_livenumber AS kept (id, account_id, number, created_at, updated_at)
VALUES (%s, %s, 1, now(), now())
ON CONFLICT (account_id) DO UPDATE SET number = kept.number + 1, updated_at = now()
RETURNING number
"""


def current() -> int:
    """The number of the latest announcement in the account in scope; 0 before the first."""
    return LiveNumber.objects.values_list("number", flat=True).first() or 0


def following() -> int:
    """Count one more announcement in the account in scope, and return its number."""
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, [uuid7(), current_account_id()])
        number: int = cursor.fetchone()[0]
    return number
