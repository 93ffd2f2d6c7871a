"""The bench's own database and what is in it."""

from __future__ import annotations

import os
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection
from django.test import Client

from apps.accounts.models import Account
from apps.accounts.roles import Role
from config.database import from_url
from tests import database
from tests.bench.data import fill
from tests.bench.twin.models import PlainContact
from tests.factories import make_account, make_api_key

NAME = "bench"
FULL = os.environ.get("SCALE") == "full"


class World:
    """An account with many contacts among others, in a database of its own."""

    account: Account
    contacts = 100_000

    def __init__(self) -> None:
        database.create(NAME)
        self._as(settings.MIGRATION_DATABASE_URL)
        with connection.schema_editor() as editor:
            editor.create_model(PlainContact)
        self._as(settings.DATABASE_URL)
        self.account = make_account("Bench")
        self.key = make_api_key(self.account, Role.OWNER)
        fill(self.account, range(self.contacts))
        others = 90 if FULL else 4
        for number in range(others):
            start = (number + 1) * 1_000_000
            fill(make_account(f"Other {number}"), range(start, start + (10_000 if FULL else 5_000)))
        self._owner_sql("VACUUM ANALYZE vault_contact", "VACUUM ANALYZE twin_plaincontact")
        self._client = Client(headers={"Authorization": f"Bearer {self.key}"})

    def _as(self, url: str) -> None:
        connection.close()
        connection.settings_dict.update({key: from_url(url)[key] for key in ("USER", "PASSWORD")}, NAME=NAME)

    def _owner_sql(self, *statements: str) -> None:
        with database.owner_connection(NAME) as owner:
            for statement in statements:
                owner.execute(statement)  # type: ignore[arg-type]

    def request_list(self) -> Any:
        """One list request through the whole handler, with an API key."""
        answer = self._client.get("/api/v1/contacts?limit=50")
        assert answer.status_code == 200, answer.content
        return answer

    def walled_twins(self) -> tuple[list[UUID], int]:
        """Two copies of one table of many accounts' rows, one of them behind the policy."""
        accounts, each = [uuid4() for _ in range(1000)], 1000 if FULL else 200
        policy = "company_id = (SELECT NULLIF(current_setting('app.account_id', true), '')::uuid)"
        self._owner_sql(
            "CREATE TABLE twin_open (LIKE twin_plaincontact INCLUDING DEFAULTS, PRIMARY KEY (company_id, id))",
            "CREATE TABLE ids (company_id uuid)",
        )
        with database.owner_connection(NAME) as owner:
            owner.cursor().executemany("INSERT INTO ids VALUES (%s)", [(account,) for account in accounts])
            owner.execute(
                "INSERT INTO twin_open (id, company_id, created_at, updated_at, name, email, phone, contact_type, "
                "last_activity_at) SELECT gen_random_uuid(), company_id, now(), now(), 'Ann ' || n, "
                "'ann' || n || '@mail.example', '+4477' || n, 'lead', now() - n * interval '1 min' "
                "FROM generate_series(1, %s) n, ids",
                [each],
            )
        self._owner_sql(
            "CREATE INDEX twin_open_recent ON twin_open (company_id, last_activity_at DESC, id DESC)",
            "CREATE TABLE twin_walled (LIKE twin_open INCLUDING ALL)",
            "INSERT INTO twin_walled SELECT * FROM twin_open",
            "ALTER TABLE twin_walled ENABLE ROW LEVEL SECURITY",
            "ALTER TABLE twin_walled FORCE ROW LEVEL SECURITY",
            f"CREATE POLICY owner_only ON twin_walled USING ({policy}) WITH CHECK ({policy})",
            "VACUUM ANALYZE twin_open",
            "VACUUM ANALYZE twin_walled",
        )
        return accounts, each * len(accounts)

    def close(self) -> None:
        """Drop the database."""
        connection.close()
        database.drop(NAME)
