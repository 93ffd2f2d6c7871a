"""The AI project's page: every state in words, who may do what, and the key on none of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Job
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from apps.integrations.models import AINativeProject
from tests.factories import Cast

pytestmark = [pytest.mark.django_db]
AsRole = Callable[[Role], Client]
PART = {"HX-Request": "true"}
Status = AINativeProject.Status


def put(cast: Cast, status: str, **fields: Any) -> None:
    with tenant(cast.account):
        project = AINativeProject.objects.get()
        project.status = status
        for name, value in fields.items():
            setattr(project, name, value)
        project.save()


def make_ready(cast: Cast) -> None:
    put(cast, Status.READY, project_id="prj-1", api_key="a-secret-key-12345678", key_ending="12345678")


@pytest.mark.covers("P-02")
def test_a_new_account_sees_its_project_being_set_up_and_the_page_follows(
    as_role: AsRole, base: str, cast: Cast
) -> None:
    client = as_role(Role.VIEWER)
    page = client.get(f"{base}ai/").content.decode()
    assert "Your AI project is being set up" in page and "every 2s" in page
    assert client.get(f"{base}ai/", headers=PART).status_code == 200
    make_ready(cast)
    assert client.get(f"{base}ai/", headers=PART).headers["HX-Refresh"] == "true"


@pytest.mark.covers("P-02")
def test_a_failure_is_told_in_the_services_own_words_and_tried_again_by_admins(
    as_role: AsRole, base: str, cast: Cast
) -> None:
    put(cast, Status.FAILED, error="402 from AINative: quota reached. The operator raises the plan.")
    with tenant(cast.account):
        Job.objects.update(status=Job.Status.FAILED)
    page = as_role(Role.MEMBER).get(f"{base}ai/").content.decode()
    assert "402 from AINative: quota reached." in page and "Try now" not in page
    assert as_role(Role.MEMBER).post(f"{base}ai/provision/").status_code == 403
    admin = as_role(Role.ADMIN)
    assert "Try now" in admin.get(f"{base}ai/").content.decode()
    assert admin.get(f"{base}ai/", headers=PART).status_code == 286, "nothing moves: htmx stops asking"
    assert admin.post(f"{base}ai/provision/").status_code == 302
    with tenant(cast.account):
        assert AINativeProject.objects.get().status == Status.PENDING
        assert Job.objects.filter(kind="project.provision", status=Job.Status.QUEUED).count() == 1


def test_the_next_automatic_try_is_named_and_try_now_brings_it_forward(as_role: AsRole, base: str, cast: Cast) -> None:
    put(cast, Status.PENDING, error="The AI service does not answer.")
    with tenant(cast.account):
        Job.objects.update(attempts=3, next_attempt_at=timezone.now() + timedelta(days=3))
    admin = as_role(Role.ADMIN)
    page = admin.get(f"{base}ai/").content.decode()
    assert "The AI service does not answer." in page and "The next try comes by itself, " in page
    admin.post(f"{base}ai/provision/")
    with tenant(cast.account):
        assert Job.objects.get(kind="project.provision").next_attempt_at <= timezone.now()


@pytest.mark.covers("P-02")
def test_a_ready_project_shows_settings_and_never_its_key(as_role: AsRole, base: str, cast: Cast) -> None:
    make_ready(cast)
    for role in Role:
        for path in ("", "ai/"):
            page = as_role(role).get(base + path).content.decode()
            assert "12345678" not in page, "not even its end"
        assert "prj-1" in page
        assert ('<form class="card"' in page) == (role in {Role.OWNER, Role.ADMIN})


def test_admins_change_settings_and_others_may_not(as_role: AsRole, base: str, cast: Cast) -> None:
    make_ready(cast)
    body = {"embeddings_model": "sentence-transformers/all-MiniLM-L6-v2"}
    assert as_role(Role.MEMBER).post(f"{base}ai/", body).status_code == 403
    assert as_role(Role.VIEWER).post(f"{base}ai/", {}).status_code == 403
    assert as_role(Role.ADMIN).post(f"{base}ai/", body).status_code == 302
    with tenant(cast.account):
        settings = AINativeProject.objects.get().settings
    assert settings["embeddings_model"] == body["embeddings_model"] and settings["auto_indexing"] is False
    refused = as_role(Role.ADMIN).post(f"{base}ai/", {"embeddings_model": "gpt-99"})
    assert refused.status_code == 422
