"""Lists of contacts through the API."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from apps.accounts.actors import Actor
from apps.accounts.jobs import running
from apps.accounts.models import Job
from apps.accounts.roles import Role
from apps.accounts.services.jobs import lock_job, retry_job
from apps.accounts.tenancy.scope import tenant
from apps.vault.models import Contact, ContactImport
from apps.vault.services import contact_imports as service
from tests.api_client import Answer, ApiClient, by_key
from tests.factories import Cast, make_contact
from tests.working import work_off

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("V-11", "A-10")]

CSV = (
    "Full name;E-Mail-Adresse;Mobile;Ref\n"
    "Zoë Fairweather;zoe@mail.example;07700 900142;HP-1\n"
    "Call;zoe2@mail.example;call office;HP-2\n"
).encode("cp1252")


@pytest.fixture
def api(cast: Cast) -> ApiClient:
    return by_key(cast.account, Role.MEMBER)


def send(api: ApiClient, content: bytes | None = CSV, headers: dict[str, str] | None = None, **fields: Any) -> Answer:
    data = dict(fields)
    if content is not None:
        data["file"] = SimpleUploadedFile("renters.csv", content)
    body = encode_multipart(BOUNDARY, data)
    return api.post("contacts/import", body, Content_Type=MULTIPART_CONTENT, **(headers or {}))


def finish(cast: Cast, answer: Answer) -> Any:
    """Let a worker do it; the job as the API shows it."""
    job_id = answer.json["id"]
    with tenant(cast.account):
        job = Job.objects.get(pk=job_id)
    assert running.run(cast.account.id, job.id) == Job.Status.DONE
    return by_key(cast.account).get(f"jobs/{job_id}").json


def test_it_answers_the_job_and_the_job_leads_to_everything_else(api: ApiClient, cast: Cast) -> None:
    answer = send(api)
    assert answer.status == 202
    assert answer.headers["Location"] == f"/api/v1/jobs/{answer.json['id']}"
    assert (answer.json["kind"], answer.json["status"], answer.json["done"], answer.json["total"]) == (
        "contacts.import", "queued", 0, 2,
    )  # fmt: skip
    job = finish(cast, answer)
    figures = {"rows": 2, "added": 1, "merged": 0, "unchanged": 0, "rejected": 1}
    assert job["result"] == {"contact_import": job["result"]["contact_import"], **figures}
    assert api.get("contacts?email=zoe@mail.example").json["results"][0]["phone"] == "+447700900142"

    found = api.get(f"contacts/import/{job['result']['contact_import']}").json
    assert found.items() >= {
        "file_name": "renters.csv", "encoding": "Windows-1252 (Western)", "delimiter": ";", "duplicates": "merge",
        "region": "GB", "rows_done": 2, "job": job["id"], **figures,
    }.items()  # fmt: skip
    assert found["mapping"] == {
        "Full name": "name", "E-Mail-Adresse": "email", "Mobile": "phone", "Ref": "identifier"
    }  # fmt: skip

    rejected = api.get(f"contacts/import/{job['result']['contact_import']}/rejected")
    assert rejected.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert rejected.headers["Content-Disposition"] == 'attachment; filename="renters-rejected.csv"'
    assert rejected.content.decode("utf-8-sig").splitlines() == [
        "Full name;E-Mail-Adresse;Mobile;Ref;row;reason",
        'Call;zoe2@mail.example;call office;HP-2;3;"Phone ""call office"" is not a number. '
        'Write it as +44 20 7946 0142."',
    ]


def test_mapping_duplicates_region_and_encoding_are_obeyed(api: ApiClient, cast: Cast) -> None:
    make_contact(cast.account, name="Known", email="anna@mail.example")
    content = "A,B,C\nŁucja,anna@mail.example,501 234 567\nŻak,zak@mail.example,501 234 568\n".encode("iso8859_2")
    answer = send(
        api, content, mapping=json.dumps({"A": "name", "C": "phone"}), duplicates="report", region="PL",
        encoding="ISO-8859-2",
    )  # fmt: skip
    assert finish(cast, answer)["result"].items() >= {"added": 1, "rejected": 1}.items()
    with tenant(cast.account):
        added = Contact.objects.with_email("zak@mail.example").get()
    assert (added.name, added.phone) == ("Żak", "+48501234568")


def test_a_corrected_file_of_rejected_rows_can_be_sent_again(api: ApiClient, cast: Cast) -> None:
    job = finish(cast, send(api))
    rejected = api.get(f"contacts/import/{job['result']['contact_import']}/rejected").content
    corrected = rejected.replace(b"call office;HP-2", b"07700 900143;HP-2")
    job = finish(cast, send(api, corrected))
    assert job["result"].items() >= {"rows": 1, "added": 1, "rejected": 0}.items()
    with tenant(cast.account):
        assert Contact.objects.with_identifier("HP-2").get().custom_attributes is None


@pytest.mark.parametrize(
    ("content", "fields", "faults"),
    [
        (None, {}, {"file": "required"}),
        (b"", {}, {"file": "empty"}),
        (b"PK\x03\x04", {}, {"file": "not_text"}),
        (b"Name,E-mail\n", {}, {"file": "no_rows"}),
        (CSV, {"mapping": "{"}, {"mapping": "malformed_json"}),
        (CSV, {"mapping": "[]"}, {"mapping": "not_an_object"}),
        (CSV, {"mapping": '{"Nope": "name"}'}, {"mapping": "unknown_column"}),
        (CSV, {"mapping": '{"Ref": "email", "Mobile": "email"}'}, {"mapping": "mapped_twice"}),
        (CSV, {"duplicates": "drop"}, {"duplicates": "invalid_choice"}),
        (CSV, {"region": "UK"}, {"region": "unknown_region"}),
        (CSV, {"encoding": "Klingon"}, {"encoding": "unknown_encoding"}),
        (CSV, {"delimeter": ","}, {"delimeter": "unknown"}),
    ],
)
def test_a_fault_names_its_field_and_nothing_is_kept(
    api: ApiClient, cast: Cast, content: bytes | None, fields: dict[str, str], faults: dict[str, str]
) -> None:
    answer = send(api, content, **fields)
    assert answer.status == 400
    assert answer.faults == faults
    assert not list(django_settings.UPLOAD_DIR.glob("*/*"))
    with tenant(cast.account):
        assert not Job.objects.filter(kind="contacts.import").exists()
        assert not ContactImport.objects.exists()


def test_a_file_over_the_limit_is_refused_with_the_limit(api: ApiClient, settings: Any) -> None:
    settings.UPLOAD_MAX_BYTES = 3_000_000
    answer = send(api, b"Name,E-mail\n" + b"Zoe,zoe@mail.example\n" * 200_000)
    assert answer.faults == {"file": "too_large"}
    assert "3 MB" in answer.json["errors"][0]["detail"]


def test_the_same_request_sent_twice_is_one_import(api: ApiClient, cast: Cast) -> None:
    headers = {"Idempotency_Key": "import-7"}
    large = CSV + b"Zed;zed@mail.example;;Z-1\n" * 100_000
    first, second = send(api, large, headers), send(api, large, headers)
    assert first.json == second.json
    assert second.headers["Idempotency-Replayed"] == "true"
    with tenant(cast.account):
        assert Job.objects.filter(kind="contacts.import").count() == 1


def test_json_is_not_taken_for_a_file(api: ApiClient) -> None:
    answer = api.post("contacts/import", {"file": "x"})
    assert (answer.status, answer.code) == (415, "unsupported_media_type")


def test_a_viewer_may_neither_send_nor_read_lists(cast: Cast, api: ApiClient) -> None:
    viewer = by_key(cast.account, Role.VIEWER)
    assert send(viewer).status == 403
    job = finish(cast, send(api))
    for path in ("", "/rejected"):
        assert viewer.get(f"contacts/import/{job['result']['contact_import']}{path}").status == 403


def test_an_import_whose_job_was_cancelled_stops_and_goes_on_when_it_is_started_again(
    api: ApiClient, cast: Cast
) -> None:
    job_id = send(api).json["id"]
    assert by_key(cast.account).post(f"jobs/{job_id}/cancel").json["status"] == "cancelled"
    with tenant(cast.account):
        stopped = ContactImport.objects.get()
        assert not Contact.objects.exists()
        actor = Actor.system("test")
        again = service.start_import(stopped, actor=actor, mapping={})
        assert str(again.job_id) != job_id
        assert service.start_import(again, actor=actor, mapping={}).job_id == again.job_id
    assert work_off(cast.account, "contacts.import") == ["done"]
    with tenant(cast.account):
        assert Contact.objects.exists()
        ended = ContactImport.objects.get()
        assert ended.finished_at is not None and ended.rows_done == ended.rows_total


def test_the_operator_may_try_a_cancelled_import_again_too(api: ApiClient, cast: Cast) -> None:
    job_id = UUID(send(api).json["id"])
    by_key(cast.account).post(f"jobs/{job_id}/cancel")
    with tenant(cast.account):
        retry_job(lock_job(job_id), actor=Actor.system("test"))
    assert work_off(cast.account, "contacts.import") == ["done"]
    with tenant(cast.account):
        assert Contact.objects.exists()
