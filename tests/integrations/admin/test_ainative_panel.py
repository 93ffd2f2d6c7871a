"""The AINative panel of an account's page: status, key, reveal, settings, provisioning, entering by hand."""

from __future__ import annotations

import contextlib
import re
from functools import partial
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse

from apps.accounts.actors import Actor
from apps.accounts.models import Account, Job, User
from apps.accounts.tenancy.scope import tenant
from apps.integrations.models import AINativeProject
from apps.integrations.zerodb.client import account_client
from apps.integrations.zerodb.provisioning import RevealRefused, reveal_key
from tests import database
from tests.accounts.signin.people import enrol, sign_in_with_code, super_admin, trail
from tests.factories import PASSWORD, make_account, make_user
from tests.threads import at_once

pytestmark = [pytest.mark.covers("P-04"), pytest.mark.django_db(transaction=True)]

KEY = "zdb_0123456789abcdef7Qd2m9Xk"


@pytest.fixture
def rita(transactional_db: None) -> User:
    user = super_admin()
    enrol(user)
    return user


@pytest.fixture
def admin(rita: User) -> Client:
    client = Client()
    assert sign_in_with_code(client, rita).status_code == 302
    return client


@pytest.fixture
def account(transactional_db: None) -> Account:
    return make_account("Harbour & Pine")


def configured(account: Account) -> AINativeProject:
    with tenant(account):
        project = AINativeProject.objects.get()
        project.take_credentials("prj_8f31c0d2", KEY)
        project.status = AINativeProject.Status.READY
        project.save()
    return project


def project_of(account: Account) -> AINativeProject:
    with tenant(account):
        return AINativeProject.objects.get()


def text(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def page(name: str, *arguments: Any) -> str:
    return reverse(f"admin:{name}", args=arguments)


def panel(admin: Client, account: Account) -> str:
    return text(admin.get(page("accounts_account_change", account.pk))).partition("AINative integration")[2]


def test_it_shows_state_id_and_the_last_eight_characters_of_the_key(admin: Client, account: Account) -> None:
    configured(account)
    shown = panel(admin, account)
    for words in ("Ready", "prj_8f31c0d2", "••••••••7Qd2m9Xk", "Reveal…", "embeddings_model", "Edit settings"):
        assert words in shown, words
    assert "0123456789" not in shown
    assert "Auto-provision" not in shown


def test_without_a_project_it_offers_to_make_one_and_says_what_failed(admin: Client, account: Account) -> None:
    with tenant(account):
        AINativeProject.objects.update(status="failed", error="AINative answered: limit reached.")
    shown = panel(admin, account)
    for words in ("Failed", "AINative answered: limit reached.", "Auto-provision project…", "Check and save"):
        assert words in shown, words
    assert "Harbour &amp; Pine has no AI project" in text(admin.get("/admin/"))


def test_provisioning_asks_first_and_safe_to_press_twice(admin: Client, account: Account, rita: User) -> None:
    project = project_of(account)
    with tenant(account):
        AINativeProject.objects.update(status="failed", error="limit reached")
        Job.objects.update(status="failed")
    address = page("integrations_ainativeproject_do", project.pk, "provision")
    assert "never gets a second one" in text(admin.get(address))
    for _ in range(2):
        assert "provisioning is in line" in text(admin.post(address, follow=True))
    with tenant(account):
        assert Job.objects.filter(kind="project.provision", status="queued").count() == 1
        assert AINativeProject.objects.get().status == "pending"
    assert trail(account)[-1].action == "account.created"
    assert {line.actor for line in trail(account) if line.action == "project.provisioning_requested"} == {rita.email}


def test_revealing_asks_for_the_password_and_is_recorded(admin: Client, account: Account, rita: User) -> None:
    project = configured(account)
    address = page("integrations_ainativeproject_reveal", project.pk)
    assert KEY not in text(admin.get(address))
    answer = admin.post(address, {"password": PASSWORD})
    assert KEY in text(answer)
    assert 'data-empty-after="30"' in answer.content.decode()
    assert "no-store" in answer.headers["Cache-Control"]
    line = trail(account)[0]
    assert (line.action, line.actor, line.actor_kind) == ("project.key_revealed", rita.email, "staff")
    assert KEY not in str(trail(account))
    assert KEY not in text(admin.get(address))


def test_a_wrong_password_reveals_nothing_and_is_recorded(admin: Client, account: Account) -> None:
    project = configured(account)
    answer = admin.post(page("integrations_ainativeproject_reveal", project.pk), {"password": "wrong-wrong"})
    assert answer.status_code == 422
    assert KEY not in answer.content.decode()
    assert "not yours" in text(answer)
    assert trail(account)[0].action == "project.key_reveal_refused"


def test_guessing_the_password_is_limited_and_recorded(admin: Client, account: Account) -> None:
    project = configured(account)
    address = page("integrations_ainativeproject_reveal", project.pk)
    for _ in range(10):
        admin.post(address, {"password": "wrong-wrong"})
    answer = admin.post(address, {"password": PASSWORD})
    assert KEY not in answer.content.decode()
    assert "Too many wrong passwords" in text(answer)
    actions = [line.action for line in trail(account)]
    assert actions.count("project.key_reveal_refused") == 5
    assert actions.count("project.key_reveal_paused") == 1


def test_the_service_itself_limits_guesses_made_at_once_and_for_several_projects(account: Account, rita: User) -> None:
    configured(account)
    other = make_account()
    staff = Actor("staff", rita.id, rita.email, None, rita.id)

    def guess(owner: Account = account) -> str:
        with tenant(owner):
            project = AINativeProject.objects.get()
            try:
                return reveal_key(project, user=rita, password="wrong-wrong", actor=staff)
            except RevealRefused as refused:
                return type(refused).__name__

    outcomes = at_once(*[guess] * 4, *[partial(guess, other)] * 4)
    assert sorted(outcomes) == ["TooManyTries"] * 3 + ["WrongPassword"] * 5


def test_somebody_elses_guesses_do_not_lock_one_out(admin: Client, account: Account, rita: User) -> None:
    project = configured(account)
    guesser = make_user()
    with tenant(account):
        for _ in range(9):
            with contextlib.suppress(RevealRefused):
                staff = Actor("staff", guesser.id, guesser.email, None, guesser.id)
                reveal_key(AINativeProject.objects.get(), user=guesser, password="wrong", actor=staff)
    answer = admin.post(page("integrations_ainativeproject_reveal", project.pk), {"password": PASSWORD})
    assert KEY in text(answer)


def test_a_key_that_cannot_be_audited_is_not_shown(admin: Client, account: Account) -> None:
    project = configured(account)
    with database.owner_connection(connections["default"].settings_dict["NAME"]) as owner:
        owner.execute("ALTER TABLE vault_audithead NO FORCE ROW LEVEL SECURITY")
        owner.execute("DELETE FROM vault_audithead")
        owner.execute("ALTER TABLE vault_audithead FORCE ROW LEVEL SECURITY")
    admin.raise_request_exception = False
    answer = admin.post(page("integrations_ainativeproject_reveal", project.pk), {"password": PASSWORD})
    assert answer.status_code == 500
    assert KEY not in answer.content.decode()


def test_settings_are_changed_by_the_service(admin: Client, account: Account, rita: User) -> None:
    project = configured(account)
    address = page("integrations_ainativeproject_change", project.pk)
    form = {"embeddings_model": "BAAI/bge-small-en-v1.5", "auto_indexing": "", "semantic_search": "on"}
    assert admin.post(address, form).status_code == 302
    changed = project_of(account).settings
    assert changed["auto_indexing"] is False
    assert changed["features"] == {"semantic_search": True, "smart_suggestions": False, "agent_memory": False}
    line = next(line for line in trail(account) if line.action == "project.settings_changed")
    assert line.actor == rita.email
    refused = admin.post(address, {**form, "embeddings_model": "no-such-model"}, follow=True)
    assert "no-such-model" in text(refused)
    assert project_of(account).settings == changed


def test_a_project_entered_by_hand_is_tried_before_it_is_saved(admin: Client, account: Account) -> None:
    project = project_of(account)
    address = page("integrations_ainativeproject_enter", project.pk)
    answer = admin.post(address, {"project_id": "0190a5a5-0000-7000-8000-000000000000", "api_key": "zdb_wrong"})
    assert answer.status_code == 422
    assert "Nothing was saved" in text(answer)
    assert not project_of(account).is_configured
    assert admin.post(address, {"project_id": "", "api_key": ""}).status_code == 422


def test_a_project_of_the_embedded_server_can_be_entered_by_hand(admin: Client, account: Account) -> None:
    with account_client() as client:
        made = client.create_project(name="By hand", description="", tier="free", settings={}, metadata={})
        key = made.api_key or client.new_project_key(made.id)
    project = project_of(account)
    address = page("integrations_ainativeproject_enter", project.pk)
    answer = admin.post(address, {"project_id": made.id, "api_key": key}, follow=True)
    assert "checked and saved" in text(answer)
    stored = project_of(account)
    assert (stored.project_id, stored.status, stored.entered_by_hand) == (made.id, "ready", True)
    assert key not in str(trail(account))
    with tenant(account):
        assert AINativeProject.objects.get().api_key == key


def test_the_list_filters_by_state(admin: Client, account: Account) -> None:
    configured(account)
    waiting = make_account("Kestrel Freight")
    shown = text(admin.get(page("integrations_ainativeproject_changelist"), {"status__exact": "ready"}))
    assert "Harbour &amp; Pine" in shown
    assert waiting.name not in shown
    assert "0123456789" not in shown


def test_members_get_nowhere_near_it(account: Account) -> None:
    project = configured(account)
    for name in ("reveal", "enter", "change"):
        answer = Client().get(page(f"integrations_ainativeproject_{name}", project.pk))
        assert answer.status_code == 302
