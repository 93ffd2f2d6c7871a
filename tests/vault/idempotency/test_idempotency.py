"""A POST that is sent again is not done again."""

from __future__ import annotations

from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from apps.accounts.models import APIKey, Invitation
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import platform, tenant
from apps.vault.idempotency import memory
from apps.vault.models import AuditEntry, Contact, RememberedRequest
from apps.vault.tasks import purge_remembered_requests
from tests.api_client import Answer, ApiClient, by_key
from tests.factories import Cast
from tests.threads import at_once
from tests.working import work_off

pytestmark = [pytest.mark.django_db, pytest.mark.covers("A-10")]

ZOE = {"name": "Zoë Ørsted", "email": "zoe@mail.example"}


@pytest.fixture
def api(cast: Cast) -> ApiClient:
    return by_key(cast.account)


def contacts(cast: Cast) -> int:
    with tenant(cast.account):
        return int(Contact.objects.count())


def test_the_second_time_answers_like_the_first_and_does_nothing(api: ApiClient, cast: Cast) -> None:
    first = api.post("contacts", ZOE, Idempotency_Key="k-1")
    second = api.post("contacts", ZOE, Idempotency_Key="k-1")
    assert first.status == second.status == 201
    assert first.content == second.content
    for name in ("ETag", "Location", "Content-Type"):
        assert first.headers[name] == second.headers[name]
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert contacts(cast) == 1
    with tenant(cast.account):
        assert AuditEntry.objects.filter(action="contact.created").count() == 1


def test_another_key_is_another_request(api: ApiClient, cast: Cast) -> None:
    body = {"name": "Same"}
    ids = {api.post("contacts", body, Idempotency_Key=key).json["id"] for key in ("k-1", "k-2")}
    assert len(ids) == contacts(cast) == 2


@pytest.mark.parametrize(
    ("path", "body"),
    [("contacts", {"name": "Other"}), ("contacts?x=1", ZOE), ("invitations", ZOE)],
    ids=["another body", "another query", "another address"],
)
def test_a_used_key_does_not_fit_another_request(api: ApiClient, cast: Cast, path: str, body: Any) -> None:
    api.post("contacts", ZOE, Idempotency_Key="k-1")
    refused = api.post(path, body, Idempotency_Key="k-1")
    assert (refused.status, refused.code) == (422, "idempotency_key_reused")
    assert contacts(cast) == 1


def test_a_colleague_does_not_get_the_answer(api: ApiClient, cast: Cast) -> None:
    api.post("contacts", ZOE, Idempotency_Key="k-1")
    viewer = by_key(cast.account, Role.VIEWER)
    assert viewer.post("contacts", ZOE, Idempotency_Key="k-1").code == "idempotency_key_reused"


def test_two_accounts_may_use_the_same_key(api: ApiClient, cast: Cast) -> None:
    api.post("contacts", ZOE, Idempotency_Key="k-1")
    elsewhere = by_key(cast.stranger_account).post("contacts", ZOE, Idempotency_Key="k-1")
    assert elsewhere.status == 201
    assert "Idempotency-Replayed" not in elsewhere.headers


def test_a_refused_request_is_not_remembered(api: ApiClient, cast: Cast) -> None:
    assert api.post("contacts", {"email": "zoe"}, Idempotency_Key="k-1").faults == {"email": "email"}
    assert by_key(cast.account, Role.VIEWER).post("contacts", ZOE, Idempotency_Key="k-1").code == "permission_denied"
    with tenant(cast.account):
        assert not RememberedRequest.objects.exists()
    assert api.post("contacts", ZOE, Idempotency_Key="k-1").status == 201


def test_the_remembered_answer_lies_encrypted(api: ApiClient, cast: Cast) -> None:
    api.post("contacts", ZOE, Idempotency_Key="k-1")
    with tenant(cast.account), connection.cursor() as cursor:
        cursor.execute("SELECT vault_rememberedrequest::text FROM vault_rememberedrequest")
        (stored,) = cursor.fetchone()
    assert "k-1" in stored
    for part in ("mail.example", "fingerprint"):
        assert part not in stored
        assert part.encode().hex() not in stored


def test_an_answer_that_shows_a_secret_is_not_kept_and_the_repetition_says_so(api: ApiClient, cast: Cast) -> None:
    first = api.post("api-keys", {"name": "x"}, Idempotency_Key="k-1")
    second = api.post("api-keys", {"name": "x"}, Idempotency_Key="k-1")
    assert first.status == 201
    assert (second.status, second.code) == (409, "answer_shown_once")
    assert second.headers["Location"] == f"/api/v1/api-keys/{first.json['id']}"
    with tenant(cast.account):
        assert APIKey.objects.filter(name="x").count() == 1
        assert first.json["key"].rpartition("_")[2] not in str(RememberedRequest.objects.get().answer)


def test_an_invitation_is_mailed_once(api: ApiClient, cast: Cast, mailoutbox: list[Any]) -> None:
    for _ in range(2):
        assert api.post("invitations", {"email": "d@new.example"}, Idempotency_Key="k-1").status == 201
    work_off(cast.account)
    assert len(mailoutbox) == 1
    with tenant(cast.account):
        assert Invitation.objects.count() == 1


def _age(cast: Cast, hours: float) -> None:
    with tenant(cast.account):
        RememberedRequest.objects.update(created_at=timezone.now() - timedelta(hours=hours))


def test_a_key_is_free_again_after_a_day(api: ApiClient, cast: Cast) -> None:
    body = {"name": "Same"}
    first = api.post("contacts", body, Idempotency_Key="k-1").json["id"]
    _age(cast, 23.9)
    assert api.post("contacts", body, Idempotency_Key="k-1").json["id"] == first
    _age(cast, 24.1)
    assert api.post("contacts", body, Idempotency_Key="k-1").json["id"] != first


def test_what_is_older_than_a_day_is_purged_for_all_accounts(api: ApiClient, cast: Cast) -> None:
    api.post("contacts", ZOE, Idempotency_Key="k-1")
    _age(cast, 25)
    by_key(cast.stranger_account).post("contacts", ZOE, Idempotency_Key="k-1")
    assert purge_remembered_requests() == 1
    with platform("count in a test"):
        assert RememberedRequest.objects.get().account_id == cast.stranger_account.id


@pytest.mark.parametrize("key", ["", "a b", "ü", "x" * 256, "tab\tbed"])
def test_a_key_that_is_none_is_refused(api: ApiClient, cast: Cast, key: str) -> None:
    refused = api.post("contacts", ZOE, Idempotency_Key=key)
    assert (refused.status, refused.code) == (400, "invalid_idempotency_key")
    assert contacts(cast) == 0


def test_nobody_is_still_nobody_with_a_key(cast: Cast) -> None:
    assert ApiClient().post("contacts", ZOE, Idempotency_Key="k-1").code == "not_authenticated"


def test_a_body_that_is_too_large_is_refused_with_a_key_too(api: ApiClient, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    refused = api.post("contacts", {"name": "x" * 100}, Idempotency_Key="k-1")
    assert (refused.status, refused.code) == (413, "too_large")


def test_a_get_with_a_key_is_an_ordinary_get(api: ApiClient, cast: Cast) -> None:
    assert api.get("contacts", Idempotency_Key="k-1").status == 200
    with tenant(cast.account):
        assert not RememberedRequest.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_twins_at_the_same_moment_are_done_once_and_answered_alike(cast: Cast) -> None:
    api = by_key(cast.account)
    answers = at_once(*[lambda: api.post("contacts", ZOE, Idempotency_Key="k-1")] * 6)
    assert {answer.status for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sorted(answer.headers.get("Idempotency-Replayed", "") for answer in answers) == ["", *["true"] * 5]
    assert contacts(cast) == 1


@pytest.mark.django_db(transaction=True)
def test_the_same_address_at_the_same_moment_is_taken_once_and_refused_in_words(cast: Cast) -> None:
    api = by_key(cast.account)
    answers = at_once(*[lambda: api.post("contacts", ZOE)] * 6)
    assert sorted(answer.status for answer in answers) == [201, *[400] * 5]
    assert all(answer.faults == {"email": "unique"} for answer in answers if answer.status == 400)
    assert contacts(cast) == 1


@pytest.mark.django_db(transaction=True)
def test_a_twin_does_not_wait_for_ever(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "WAIT_SECONDS", 1)
    api = by_key(cast.account)
    claimed, answered = Event(), Event()

    def first() -> None:
        with tenant(cast.account):
            memory.claim("k-1")
            claimed.set()
            answered.wait(timeout=60)

    def twin() -> Answer:
        claimed.wait(timeout=60)
        answer = api.post("contacts", ZOE, Idempotency_Key="k-1")
        answered.set()
        return answer

    _, refused = at_once(first, twin)
    assert (refused.status, refused.code) == (409, "idempotency_in_progress")
    assert refused.headers["Retry-After"]
    assert contacts(cast) == 0
