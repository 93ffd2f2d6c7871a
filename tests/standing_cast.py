"""A cast that stands between tests: made once, in a transaction around theirs.

Making it takes a hundred statements, longer than most tests that need it. Each test works in a savepoint inside, so
what it does to the cast is undone, and the next one finds it as it was made. It is sent away before a test that
commits, and before one that does not ask for it and may count what is there.
"""

from __future__ import annotations

import copy
import time

import pytest
from django.db import connection, transaction

from apps.integrations.outbound.breaker import close_all
from apps.vault.keys import forget_keys
from tests.factories import Cast, make_cast

# The database's clock stands still in a transaction, and what has just been made must not grow old.
LIFETIME = 20.0


class StandingCast:
    """At most one in a process. Database access must be allowed wherever this is called."""

    def __init__(self) -> None:
        self._around: transaction.Atomic | None = None
        self._cast: Cast | None = None
        self._made_at = 0.0

    def call(self) -> None:
        """Make it, unless it stands; to be called outside of the test's own transaction."""
        if self._stands() and time.monotonic() - self._made_at < LIFETIME:
            return
        self.send_away()
        self._around = transaction.atomic()
        self._around._from_testcase = True  # type: ignore[attr-defined]  # as those that Django's TestCase opens
        self._around.__enter__()
        self._cast, self._made_at = make_cast(), time.monotonic()

    def send_away(self) -> None:
        """As if it had never been there."""
        around, self._around, self._cast = self._around, None, None
        if around is not None and around in connection.atomic_blocks:
            transaction.set_rollback(True)
            around.__exit__(None, None, None)

    def people(self) -> Cast:
        """The cast, for one test to change as it likes; a fresh one where none stands.

        What this process keeps of the accounts is of the test before, which may have turned their keys.
        """
        if self._cast is None or not self._stands():
            return make_cast()
        close_all()
        for account in (self._cast.account, self._cast.stranger_account):
            forget_keys(account.id)
        return copy.deepcopy(self._cast)

    def _stands(self) -> bool:
        """Also that no test has closed the connection, which ends the transaction."""
        return self._around in connection.atomic_blocks and not connection.closed_in_transaction


standing = StandingCast()


def is_wanted_by(item: pytest.Item) -> bool:
    """Whether the test asks for a cast, and leaves its own transaction to be rolled back."""
    names = getattr(item, "fixturenames", ())
    marker = item.get_closest_marker("django_db")
    commits = marker is not None and marker.kwargs.get("transaction", False)
    return "cast" in names and not commits and not {"transactional_db", "live_server"} & set(names)
