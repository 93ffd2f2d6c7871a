"""The bench's own database and what is in it."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.db import connection
from django.test import Client

from apps.accounts.models import Account, User
from apps.accounts.roles import Role
from config.database import from_url
from tests import database
from tests.bench.bulk import NAME
from tests.bench.data import fill
from tests.bench.twin.models import PlainContact, PlainToken
from tests.factories import make_account, make_api_key, make_user

FULL = os.environ.get("SCALE") == "full"


class World:
    """An account with many contacts among others, in a database of its own."""

    account: Account
    contacts = 100_000
    """How many the account has."""
    others, each = (999, 901) if FULL else (19, 1000)
    """How many accounts stand beside it, and what each has."""

    def __init__(self) -> None:
        database.create(NAME)
        self._as(settings.MIGRATION_DATABASE_URL)
        with connection.schema_editor() as editor:
            editor.create_model(PlainContact)
            editor.create_model(PlainToken)
        self._as(settings.DATABASE_URL)
        self.owner: User = make_user()
        self.account = make_account("Bench", self.owner)
        self.key = make_api_key(self.account, Role.OWNER)
        fill(self.account, range(self.contacts))
        for number in range(self.others):
            start = (number + 1) * 1_000_000
            fill(make_account(f"Other {number}", self.owner), range(start, start + self.each))
        self.owner_sql("VACUUM ANALYZE vault_contact", "VACUUM ANALYZE twin_plaincontact")
        self._client = Client(headers={"Authorization": f"Bearer {self.key}"})

    def _as(self, url: str) -> None:
        connection.close()
        connection.settings_dict.update({key: from_url(url)[key] for key in ("USER", "PASSWORD")}, NAME=NAME)

    @property
    def database_url(self) -> str:
        """The bench's database for the role that serves."""
        return urlunsplit(urlsplit(settings.DATABASE_URL)._replace(path=f"/{NAME}"))

    def owner_sql(self, *statements: str, parameters: tuple[object, ...] | None = None) -> None:
        """Run statements as the owner of the tables, each by itself."""
        with database.owner_connection(NAME) as owner:
            for statement in statements:
                owner.execute(statement, parameters)  # type: ignore[arg-type]

    def plain_token(self) -> str:
        """A token for the twin's API."""
        return PlainToken.objects.create(key="0" * 40, user=self.owner, company_id=self.account.id).key

    def request_list(self) -> Any:
        """One list request through the whole handler, with an API key."""
        answer = self._client.get("/api/v1/contacts?limit=50")
        assert answer.status_code == 200, answer.content
        return answer

    def close(self) -> None:
        """Drop the database."""
        connection.close()
        database.drop(NAME)
