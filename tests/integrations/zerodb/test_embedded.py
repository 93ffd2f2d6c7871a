"""The embedded server as the default: the same client, no port, no settings."""

from __future__ import annotations

import os
import re
from io import StringIO

import httpx2
import pytest
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.db import transaction

from apps.accounts.tenancy.scope import platform
from apps.integrations.models import ZeroCaller, ZeroKey
from apps.integrations.outbound.errors import NoAnswer
from apps.integrations.zerodb.client import AccountClient, KeyRefused, NotConfigured, account_client, project_client
from apps.integrations.zerodb.client.embedded import BASE_URL, EmbeddedTransport
from apps.integrations.zerodb.server.authentication import by_key
from apps.integrations.zerodb.server.platform_caller import PLATFORM_CALLER, platform_key

pytestmark = [pytest.mark.covers("P-11", "P-10"), pytest.mark.django_db(transaction=True)]


@pytest.fixture
def account():
    with account_client() as client:
        yield client


def test_everything_works_without_any_setting(account):
    project = account.create_project(name="Desk", metadata={"mark": "m1"})
    assert [found.name for found in account.projects()] == ["Desk"]
    with project_client(project.id, project.api_key) as store:
        stored = store.embed_and_store([{"id": "m-1", "text": "I want my money back"}], namespace="conversations")
        assert (stored.ids, stored.inserted, stored.dimensions) == (["m-1"], 1, 384)
        assert store.embed_and_store([{"id": "m-1", "text": "Refund!"}], namespace="conversations").updated == 1
        (hit,) = store.search("refund", namespace="conversations", threshold=0.3)
        assert hit.id == "m-1" and hit.document == "Refund!"
        assert store.search("refund", namespace="conversations", conditions={"absent": 1}) == []
        assert store.vector_statistics("conversations").count == 1
        store.delete_vectors(["m-1", "never-there"], namespace="conversations")
        assert store.vector_statistics().count == 0
        fact = store.remember("Prefers e-mail", metadata={"contact_id": "c1"}, tags=["preference"])
        assert [memory.id for memory in store.memories(contact_id="c1")] == [fact.id]
        assert store.recall("How to reach them?", conditions={"contact_id": "c1"})[0].score > 0
        store.forget(fact.id)
        assert store.memories() == []
        assert len(store.generate(["a", "b"]).vectors) == 2
        assert store.change_settings({"features": {"semantic_search": True}}).settings["features"] == {
            "semantic_search": True
        }
        assert store.get().metadata == {"mark": "m1"}
    account.delete_project(project.id)
    assert list(account.projects()) == []


def test_the_products_own_caller_may_make_any_number_of_projects(account):
    for number in range(4):
        account.create_project(name=f"p{number}", tier="free")
    assert len(list(account.projects())) == 4


def test_what_the_server_did_stays_when_the_callers_transaction_is_undone(account):
    with transaction.atomic():
        project = account.create_project(name="made inside of a transaction")
        transaction.set_rollback(True)
    assert [found.id for found in account.projects()] == [project.id]


def test_the_callers_scope_does_not_reach_the_server(account, cast):
    with platform("a scope that the server must not notice"):
        project = account.create_project(name="x")
    with account_client() as other:
        assert other.get_project(project.id).name == "x"


def test_a_wrong_key_is_refused_as_anywhere():
    client = AccountClient(BASE_URL, "zerodb_sk_wrong_key", transport=EmbeddedTransport())
    with client, pytest.raises(KeyRefused):
        list(client.projects())


def test_a_call_that_takes_too_long_is_no_answer():
    timeout = httpx2.Timeout(5.0, read=0.0001)
    client = AccountClient(BASE_URL, platform_key(), transport=EmbeddedTransport(), timeout=timeout)
    with client, pytest.raises(NoAnswer, match="in time"):
        client.create_project(name="x")


def test_a_forked_worker_can_call_it_too(account):
    account.create_project(name="before the fork")
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        from django.db import connections

        connections.close_all()
        with account_client() as client:
            os.write(writing, ",".join(project.name for project in client.projects()).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 100) == b"before the fork"


def test_a_new_secret_key_changes_the_products_key_but_not_its_projects(account, settings):
    account.create_project(name="kept")
    old = platform_key()
    settings.SECRET_KEY = "another-secret-key-for-the-same-installation"
    assert platform_key() != old
    with account_client() as client:
        assert [project.name for project in client.projects()] == ["kept"]
    with AccountClient(BASE_URL, old, transport=EmbeddedTransport()) as client, pytest.raises(KeyRefused):
        list(client.projects())


def test_a_server_elsewhere_needs_a_key(settings):
    settings.ZERODB_API_URL = "https://zerodb.example/v1/public"
    with pytest.raises(NotConfigured, match="ZERODB_MASTER_API_KEY") as refusal:
        account_client()
    assert refusal.value.permanent
    assert [warning.id for warning in run_checks(tags=["integrations"])] == ["integrations.W001"]
    settings.ZERODB_API_URL, settings.ZERODB_MASTER_API_KEY = "", "zerodb_sk_for_nobody"
    assert [error.id for error in run_checks(tags=["integrations"])] == ["integrations.E001"]


class TestZerodbKeyCommand:
    def run(self, *arguments: str) -> tuple[str, str]:
        out, err = StringIO(), StringIO()
        call_command("zerodb_key", *arguments, stdout=out, stderr=err)
        return out.getvalue(), err.getvalue()

    def test_it_prints_a_key_that_works_and_keeps_only_its_hash(self):
        out, err = self.run("integration tests")
        key = out.strip()
        assert re.fullmatch(r"zerodb_sk_[0-9a-f]{8}_[A-Za-z0-9_-]{43}", key) and out == f"{key}\n"
        assert key not in err
        identity = by_key(key)
        assert identity.account_wide
        with platform("look at the stored key"):
            row = ZeroKey.objects.get(pk=identity.key_id)
        assert row.name == "integration tests" and key.encode() not in bytes(row.key_hash)

    def test_every_key_is_a_caller_of_its_own_unless_told_otherwise(self):
        first, second = (by_key(self.run("same name")[0].strip()).caller_id for _ in range(2))
        assert first != second
        third = by_key(self.run("same caller", "--caller", str(first))[0].strip())
        assert third.caller_id == first

    def test_a_dry_run_makes_nothing(self):
        out, err = self.run("ci", "--dry-run")
        assert out == "" and "would be made" in err
        with platform("count the keys"):
            assert not ZeroKey.objects.filter(name="ci").exists()

    @pytest.mark.parametrize("arguments", [[" "], ["n" * 101], ["x", "--caller", str(PLATFORM_CALLER)]])
    def test_what_cannot_be_is_said(self, arguments):
        with pytest.raises(CommandError):
            self.run(*arguments)

    def test_limits_can_be_lifted(self):
        identity = by_key(self.run("big", "--unlimited")[0].strip())
        with platform("look at the caller"):
            assert ZeroCaller.objects.get(pk=identity.caller_id).unlimited_projects
