"""Who writes messages of an account, and who decides that a generation knows of all of them."""

from __future__ import annotations

from django.db import connection

from apps.accounts.tenancy.scope import current_account_id


def hold(*, alone: bool = False) -> None:
    """Keep the account in scope from being planned until this transaction ends; ``alone``, wait for all who do.

    Messages are not committed in the order of their ids, nor seen before. Whoever adds one holds this shared while it
    asks which generations there are; whoever says that a generation has been told of all messages holds it alone, and
    so sees each of them, or is seen.
    """
    function = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(hashtextextended(%s, 0))", [f"conversations.index {current_account_id()}"])
