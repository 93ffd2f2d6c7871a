"""``manage.py import_env_integrations``."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from psycopg.conninfo import make_conninfo

from apps.accounts.models import Account
from apps.accounts.tenancy.scope import tenant
from apps.integrations.models import Integration
from apps.vault.models import AuditEntry
from tests.database import owner_connection
from tests.factories import make_account

pytestmark = [pytest.mark.django_db, pytest.mark.covers("I-12")]
KEY = "sk_test_4eC39HqLyjWDarjtT1zdp7dc"
NEW_KEY = "sk_test_9999999999999999999999999"


def run(*options: str) -> str:
    out = io.StringIO()
    call_command("import_env_integrations", *options, stdout=out, stderr=out)
    return out.getvalue()


def connections_of(account: Account) -> list[tuple[str, str, str]]:
    with tenant(account):
        rows = Integration.objects.order_by("provider")
        return [(row.category, row.provider, "".join(row.credentials.values())) for row in rows]


@pytest.fixture
def acme(db: Any) -> Account:
    return make_account("Acme")


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STRIPE_SECRET_KEY", "STRIPE_CURRENCY", "ZOHO_CLIENT_ID"):
        monkeypatch.delenv(name, raising=False)


def test_what_the_environment_holds_becomes_a_connection_of_every_account(
    acme: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_account("Other")
    monkeypatch.setenv("STRIPE_SECRET_KEY", KEY)
    monkeypatch.setenv("STRIPE_CURRENCY", "gbp")
    told = run()
    assert connections_of(acme) == connections_of(other) == [("payment", "stripe", KEY)]
    with tenant(acme):
        assert Integration.objects.get().settings["currency"] == "gbp"
        entry = AuditEntry.objects.get(action="integration.connected")
        assert entry.actor_kind == "system"
    assert f"{acme.slug}: Stripe: connected" in told
    assert KEY not in told


def test_a_file_holds_the_secret(acme: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY)
    monkeypatch.setenv("STRIPE_SECRET_KEY_FILE", str(tmp_path / "key"))
    run("--account", acme.slug)
    assert connections_of(acme) == [("payment", "stripe", KEY)]


def test_a_second_run_changes_nothing(acme: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPE_SECRET_KEY", KEY)
    run()
    with tenant(acme):
        before = (Integration.objects.get().updated_at, AuditEntry.objects.count())
    assert "there already" in run()
    with tenant(acme):
        assert (Integration.objects.get().updated_at, AuditEntry.objects.count()) == before


def test_another_credential_is_left_alone_unless_it_is_to_be_replaced(
    acme: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIPE_SECRET_KEY", KEY)
    run()
    monkeypatch.setenv("STRIPE_SECRET_KEY", NEW_KEY)
    assert "left alone" in run()
    assert connections_of(acme) == [("payment", "stripe", KEY)]
    assert "replaced" in run("--replace")
    assert connections_of(acme) == [("payment", "stripe", NEW_KEY)]


def test_a_dry_run_says_it_all_and_writes_nothing(acme: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPE_SECRET_KEY", KEY)
    told = run("--dry-run")
    assert f"{acme.slug}: Stripe: connected" in told
    assert "this was a dry run" in told
    assert connections_of(acme) == []


def test_a_wrong_value_is_named_by_its_variable_and_does_not_stop_the_others(
    acme: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIPE_SECRET_KEY", "nonsense")
    monkeypatch.setenv("GOOGLE_MAPS_API_KEY", "AIzaSyA-0123456789abcdefghijklmnopqrstu")
    out = io.StringIO()
    with pytest.raises(CommandError, match="1 could not be taken over"):
        call_command("import_env_integrations", stdout=out, stderr=out)
    assert "Stripe: STRIPE_SECRET_KEY: A secret key begins with" in out.getvalue()
    assert "nonsense" not in out.getvalue()
    assert [provider for _, provider, _ in connections_of(acme)] == ["google_maps"]


def test_zoho_comes_over_with_its_settings(acme: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (
        ("ZOHO_CLIENT_ID", "1000.ABCDEFGHIJKLMNOPQRSTUVWXYZ0123"),
        ("ZOHO_CLIENT_SECRET", "0123456789abcdef0123456789abcdef0123456789"),
        ("ZOHO_REFRESH_TOKEN", "1000.0123456789abcdef0123456789abcdef.0123456789abcdef0123456789abcdef"),
        ("ZOHO_API_DOMAIN", "https://www.zohoapis.eu"),
    ):
        monkeypatch.setenv(name, value)
    run("--provider", "zoho")
    with tenant(acme):
        row = Integration.objects.get()
    assert (row.category, row.provider, row.settings["api_domain"]) == ("crm", "zoho", "https://www.zohoapis.eu")
    assert row.credential("client_id") == "1000.ABCDEFGHIJKLMNOPQRSTUVWXYZ0123"


def test_the_old_account_column_becomes_google_maps_connections(
    transactional_db: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme, empty = make_account("Acme"), make_account("Empty")
    key = "AIzaSyA-0123456789abcdefghijklmnopqrstu"
    name = connection.settings_dict["NAME"]
    monkeypatch.setenv("OLD_DATABASE_URL", make_conninfo(settings.MIGRATION_DATABASE_URL, dbname=name))
    out = io.StringIO()
    with owner_connection(name) as owner:
        owner.execute("CREATE TABLE pwb_websites (id serial, slug text, maps_api_key text)")
        try:
            for slug, value in ((acme.slug, key), (empty.slug, ""), ("gone-long-ago", "AIzaSyB-old")):
                owner.execute("INSERT INTO pwb_websites (slug, maps_api_key) VALUES (%s, %s)", [slug, value])
            with pytest.raises(CommandError, match="1 could not be taken over"):
                call_command("import_env_integrations", "--old-database", "OLD_DATABASE_URL", stdout=out, stderr=out)
        finally:
            owner.execute("DROP TABLE pwb_websites")
    assert connections_of(acme) == [("maps", "google_maps", key)]
    assert connections_of(empty) == []
    assert "gone-long-ago: has a key there, but is no account here." in out.getvalue()
    assert key not in out.getvalue()


def test_an_old_database_that_is_not_there_says_so_without_its_password(
    acme: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLD_DATABASE_URL", "postgresql://me:swordfish@127.0.0.1:1/old")
    with pytest.raises(CommandError, match="can't be read") as failure:
        run("--old-database", "OLD_DATABASE_URL")
    assert "swordfish" not in str(failure.value)


def test_every_variable_is_listed() -> None:
    told = run("--list")
    assert "  STRIPE_SECRET_KEY\n" in told
    assert "  STRIPE_CURRENCY  (optional)" in told


@pytest.mark.parametrize("option", [("--account", "nobody"), ("--provider", "nobody")])
def test_what_there_is_not_is_refused(acme: Account, option: tuple[str, str]) -> None:
    with pytest.raises(CommandError, match="nobody"):
        run(*option)
