"""Single contacts from the cache: sealed, of one account, never older than the last change."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.tenancy.scope import tenant
from apps.vault import contact_cache, selectors
from apps.vault.models import Contact
from tests.api_client import by_key
from tests.factories import Cast, make_contact

pytestmark = [pytest.mark.django_db, pytest.mark.covers("V-02")]


def test_the_second_read_does_not_ask_the_table(cast: Cast) -> None:
    api, contact = by_key(cast.account), make_contact(cast.account)
    first = api.get(f"contacts/{contact.id}")
    with CaptureQueriesContext(connection) as queries:
        assert api.get(f"contacts/{contact.id}").json == first.json
    assert not any("vault_contact" in query["sql"] for query in queries)


def test_the_cache_holds_ciphertext_for_five_to_thirty_minutes(cast: Cast) -> None:
    contact = make_contact(cast.account, name="Zoë Ørsted", email="zoe@mail.example")
    by_key(cast.account).get(f"contacts/{contact.id}")
    name = cache.make_key(f"contact:{cast.account.id}:{contact.id}")
    server = cache._cache.get_client()  # type: ignore[attr-defined]
    stored = server.get(name)
    assert "Ørsted".encode() not in stored
    assert b"mail.example" not in stored
    assert 300 <= server.ttl(name) <= 1800


def test_a_change_and_a_deletion_show_at_once(cast: Cast) -> None:
    api, contact = by_key(cast.account), make_contact(cast.account)
    path = f"contacts/{contact.id}"
    api.get(path)
    api.patch(path, {"name": "Changed"})
    assert [api.get(path).json["name"] for _ in range(2)] == ["Changed", "Changed"]
    api.delete(path)
    assert api.get(path).status == 404


def test_a_reader_who_was_overtaken_by_a_change_does_not_put_the_old_row_back(cast: Cast) -> None:
    contact = make_contact(cast.account, name="Before")
    with tenant(cast.account):
        old = Contact.objects.values_list(*selectors.COLUMNS).get(pk=contact.pk)
    api = by_key(cast.account)
    api.patch(f"contacts/{contact.id}", {"name": "After"})
    contact_cache.add(cast.account.id, contact.id, old)
    assert api.get(f"contacts/{contact.id}").json["name"] == "After"


def test_another_account_does_not_see_what_lies_there(cast: Cast) -> None:
    contact = make_contact(cast.account)
    by_key(cast.account).get(f"contacts/{contact.id}")
    assert by_key(cast.stranger_account).get(f"contacts/{contact.id}").code == "not_found"
