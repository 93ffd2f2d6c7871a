"""Jobs through the API."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from apps.accounts.models import Account, Job, User
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from apps.vault.models import AuditEntry
from tests.api_client import ApiClient
from tests.factories import Cast

pytestmark = [pytest.mark.django_db, pytest.mark.covers("A-05", "A-10")]


def make_job(account: Account, maker: User | None = None, **fields: Any) -> Job:
    with tenant(account):
        return Job.objects.create(kind=fields.pop("kind", "contacts.import"), created_by=maker, **fields)


def test_a_job_shows_how_far_it_is(cast: Cast) -> None:
    job = make_job(cast.account, cast.bob, status="running", done=3, total=10, payload={"internal": "setting"})
    shown = ApiClient(user=cast.members[Role.VIEWER]).get(f"jobs/{job.id}").json
    wanted = {"id": str(job.id), "kind": "contacts.import", "status": "running", "done": 3, "total": 10, "error": ""}
    assert shown | wanted | {"result": None} == shown
    assert "payload" not in shown


def test_jobs_are_listed_by_kind_and_status(cast: Cast) -> None:
    imported = make_job(cast.account, status="done", result={"created": 2})
    other = make_job(cast.account, kind="audit.verify")
    make_job(cast.stranger_account)
    api = ApiClient(user=cast.bob)
    # The third is the one that every account is born with: its project being made.
    assert [job["id"] for job in api.get("jobs").json["results"]][:2] == [str(other.id), str(imported.id)]
    assert [job["result"] for job in api.get("jobs?status=done").json["results"]] == [{"created": 2}]
    assert [job["kind"] for job in api.get("jobs?kind=project.provision").json["results"]] == ["project.provision"]
    assert api.get("jobs?status=sleeping").faults == {"status": "invalid_choice"}


def test_members_cancel_what_they_began_and_admins_anything(cast: Cast) -> None:
    bobs, others = make_job(cast.account, cast.bob, status="running", lease=uuid4()), make_job(cast.account)
    member, admin = ApiClient(user=cast.bob), ApiClient(user=cast.members[Role.ADMIN])
    assert member.post(f"jobs/{bobs.id}/cancel").json["status"] == "cancelled"
    assert member.post(f"jobs/{others.id}/cancel").code == "permission_denied"
    assert admin.post(f"jobs/{others.id}/cancel").json["status"] == "cancelled"
    assert ApiClient(user=cast.members[Role.VIEWER]).post(f"jobs/{bobs.id}/cancel").code == "permission_denied"
    with tenant(cast.account):
        assert Job.objects.get(pk=bobs.pk).lease is None
        assert AuditEntry.objects.filter(action="job.cancelled").count() == 2


def test_what_has_ended_is_not_cancelled(cast: Cast) -> None:
    job = make_job(cast.account, cast.bob, status="done")
    refused = ApiClient(user=cast.bob).post(f"jobs/{job.id}/cancel")
    assert (refused.status, refused.code) == (409, "job_finished")
    assert refused.json["detail"] == "This job is done already."


def test_somebody_elses_job_is_not_there(cast: Cast) -> None:
    foreign, api = make_job(cast.stranger_account), ApiClient(user=cast.alice)
    assert api.get(f"jobs/{foreign.id}").indistinct == api.get(f"jobs/{uuid4()}").indistinct
    assert api.post(f"jobs/{foreign.id}/cancel").code == "not_found"
