"""Conversations through the API."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.models import Membership
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import tenant
from apps.chat.models import Conversation, Message
from apps.vault.messages import load_contents
from apps.vault.models import AuditEntry, Contact
from tests.api_client import ApiClient, by_key
from tests.factories import Cast, make_contact
from tests.threads import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.covers("P-06", "V-03", "C-13")]


@pytest.fixture
def api(cast: Cast) -> ApiClient:
    return by_key(cast.account, Role.ADMIN)


@pytest.fixture
def ann(cast: Cast) -> Contact:
    return make_contact(cast.account, name="Ann")


def begin(api: ApiClient, contact: Contact, **values: Any) -> Any:
    made = api.post("conversations", {"contact": str(contact.id), **values})
    assert made.status == 201, made.content
    return made.json


def test_a_conversation_reads_back_as_it_was_begun(api: ApiClient, ann: Contact) -> None:
    made = begin(api, ann, subject="Lost parcel", custom_attributes={"order": 7}, message="Where is it?")
    assert made["contact"] == {"id": str(ann.id), "name": "Ann"}
    assert (made["subject"], made["status"], made["custom_attributes"]) == ("Lost parcel", "open", {"order": 7})
    assert (made["preview"], made["unread"], made["inbox"]["name"]) == ("Where is it?", True, "Direct")
    assert api.get(f"conversations/{made['id']}").json == made
    assert api.get("conversations").json["results"] == [made]


@pytest.mark.parametrize("status", ["open", "pending", "snoozed", "resolved"])
def test_it_begins_with_the_status_it_was_given(api: ApiClient, ann: Contact, cast: Cast, status: str) -> None:
    made = begin(api, ann, status=status, message="Thanks, all is well.")
    assert (made["status"], made["preview"]) == (status, "Thanks, all is well.")
    with tenant(cast.account):
        assert (Conversation.objects.get().resolved_at is not None) == (status == "resolved")
    api.post(f"conversations/{made['id']}/messages", {"content": "One more thing.", "message_type": "incoming"})
    woken = {"snoozed": "open", "resolved": "open"}.get(status, status)
    assert api.get(f"conversations/{made['id']}").json["status"] == woken


def test_nothing_that_was_said_lies_readable_in_the_tables(api: ApiClient, ann: Contact, cast: Cast) -> None:
    made = begin(api, ann, subject="Lost parcel", message="Where is it?")
    with tenant(cast.account), connection.cursor() as cursor:
        for table in ("chat_conversation", "chat_message"):
            cursor.execute(f"SELECT {table}::text FROM {table}")
            stored = str(cursor.fetchall())
            for part in ("parcel", "Where"):
                assert part not in stored
                assert part.encode().hex() not in stored
        said = Message.objects.get(conversation_id=made["id"])
        assert "Where" not in f"{said!r} {said}"


def test_what_was_said_is_listed_latest_first(api: ApiClient, ann: Contact) -> None:
    made = begin(api, ann, message="Where is it?")
    address = f"conversations/{made['id']}/messages"
    reply = api.post(address, {"content": "On its way."})
    assert (reply.status, reply.json["message_type"], reply.json["sender"]["type"]) == (201, "outgoing", "api_key")
    note = api.post(address, {"content": "Check the depot.", "message_type": "note", "private": True})
    assert note.json["private"]
    listed = api.get(address).json["results"]
    assert [row["content"] for row in listed] == ["Check the depot.", "On its way.", "Where is it?"]
    assert listed[2]["sender"] == {"type": "contact", "id": str(ann.id), "name": None}
    first = api.get(f"{address}?limit=2").json
    assert [row["content"] for row in api.get(f"{address}?cursor={first['next']}").json["results"]] == ["Where is it?"]


def test_a_reply_ends_the_waiting_and_a_new_message_opens_what_was_resolved(api: ApiClient, ann: Contact) -> None:
    made = begin(api, ann, message="Where is it?")
    address = f"conversations/{made['id']}"
    assert made["waiting_since"] is not None
    api.post(f"{address}/messages", {"content": "On its way."})
    assert api.patch(address, {"status": "resolved"}).json["status"] == "resolved"
    answered = api.get(address).json
    assert (answered["waiting_since"], answered["unread"], answered["preview"]) == (None, False, "On its way.")
    api.post(f"{address}/messages", {"content": "Still nothing.", "message_type": "incoming"})
    again = api.get(address).json
    assert (again["status"], again["unread"], again["preview"]) == ("open", True, "Still nothing.")


def test_a_note_is_no_answer(api: ApiClient, ann: Contact) -> None:
    made = begin(api, ann, message="Where is it?")
    api.post(f"conversations/{made['id']}/messages", {"content": "Hm.", "message_type": "note"})
    after = api.get(f"conversations/{made['id']}").json
    assert (after["preview"], after["waiting_since"]) == ("Where is it?", made["waiting_since"])


def test_changes_are_told_in_the_conversation_and_in_the_trail(api: ApiClient, ann: Contact, cast: Cast) -> None:
    made = begin(api, ann)
    with tenant(cast.account):
        bob = Membership.objects.get(user=cast.bob)
    changed = api.patch(f"conversations/{made['id']}", {"assignee": str(bob.id), "status": "pending"}).json
    assert (changed["assignee"]["id"], changed["status"]) == (str(bob.id), "pending")
    told = [row["content"] for row in api.get(f"conversations/{made['id']}/messages").json["results"]]
    assert any("in charge" in line for line in told)
    assert any("pending" in line for line in told)
    with tenant(cast.account):
        entry = AuditEntry.objects.filter(action="conversation.changed").get()
        assert entry.entity_id == made["id"]


def test_labels_are_put_on_and_taken_off_by_name(api: ApiClient, ann: Contact) -> None:
    for name in ("billing", "urgent"):
        assert api.post("labels", {"name": name}).status == 201
    made = begin(api, ann, labels=["Billing"])
    other = begin(api, ann)
    assert made["labels"] == ["billing"]
    assert api.patch(f"conversations/{made['id']}", {"labels": ["urgent"]}).json["labels"] == ["urgent"]
    assert [row["id"] for row in api.get("conversations?label=URGENT").json["results"]] == [made["id"]]
    assert other["labels"] == []
    new = api.patch(f"conversations/{made['id']}", {"labels": ["VIP", "vip ", "urgent"]}).json["labels"]
    assert new == ["VIP", "urgent"]
    assert "VIP" in [label["name"] for label in api.get("labels").json["results"]]
    for wrong, code in (("\u200b", "invalid"), (" ", "blank")):
        refused = api.patch(f"conversations/{made['id']}", {"labels": [wrong]})
        assert code in refused.faults.values() and next(iter(refused.faults)).startswith("labels")


@pytest.mark.django_db(transaction=True)
def test_a_new_label_that_many_put_on_at_once_is_made_once(ann: Contact, cast: Cast) -> None:
    people = [by_key(cast.account, Role.MEMBER) for _ in range(6)]
    talks = [f"conversations/{begin(person, ann)['id']}" for person in people]
    calls = [partial(person.patch, talk, {"labels": ["vip"]}) for person, talk in zip(people, talks, strict=True)]
    assert [answer.status for answer in at_once(*calls)] == [200] * 6
    assert [label["name"] for label in people[0].get("labels").json["results"]] == ["vip"]


def test_a_key_that_may_not_make_labels_puts_on_those_there_are(api: ApiClient, ann: Contact, cast: Cast) -> None:
    api.post("labels", {"name": "billing"})
    narrow = by_key(cast.account, Role.MEMBER, scopes=["conversations.*"])
    talk = f"conversations/{begin(api, ann)['id']}"
    assert narrow.patch(talk, {"labels": ["billing"]}).json["labels"] == ["billing"]
    assert narrow.patch(talk, {"labels": ["vip"]}).faults == {"labels": "not_found"}


def test_lists_are_narrowed(api: ApiClient, ann: Contact, cast: Cast) -> None:
    made = begin(api, ann, message="Where is it?")
    begin(api, make_contact(cast.account), status="resolved")
    with tenant(cast.account):
        bob = Membership.objects.get(user=cast.bob)
    api.patch(f"conversations/{made['id']}", {"assignee": str(bob.id)})
    tomorrow = (timezone.now() + timedelta(days=1)).isoformat().replace("+00:00", "Z")
    for query, count in {
        "status=open": 1,
        "status=open,resolved": 2,
        f"contact={ann.id}": 1,
        f"assignee={bob.id}": 1,
        "assignee=none": 1,
        "unread=true": 1,
        "unread=false": 1,
        f"since={tomorrow}": 0,
        f"until={tomorrow}": 2,
        f"from={tomorrow}": 0,
        f"to={tomorrow}": 2,
        f"inbox={made['inbox']['id']}": 2,
        f"inbox={uuid4()}": 0,
    }.items():
        assert len(api.get(f"conversations?{query}").json["results"]) == count, query


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({}, {"contact": "required"}),
        ({"contact": str(uuid4())}, {"contact": "not_found"}),
        ({"contact": "nobody"}, {"contact": "not_found"}),
        ({"status": "lost"}, {"status": "invalid_choice"}),
        ({"subject": "x" * 201}, {"subject": "max_length"}),
        ({"subjekt": "x"}, {"subjekt": "unknown"}),
    ],
)
def test_what_is_wrong_is_named(api: ApiClient, cast: Cast, body: Any, faults: Any) -> None:
    assert api.post("conversations", body).faults == faults
    with tenant(cast.account):
        assert not Conversation.objects.exists()


def test_what_is_wrong_with_a_change_is_named(api: ApiClient, ann: Contact, cast: Cast) -> None:
    address = f"conversations/{begin(api, ann)['id']}"
    with tenant(cast.account):
        viewer = Membership.objects.get(user=cast.members[Role.VIEWER])
    past, to_come = ((timezone.now() + timedelta(hours=hours)).isoformat() for hours in (-1, 1))
    for body, faults in (
        ({"contact": str(ann.id)}, {"contact": "fixed"}),
        ({"status": "snoozed", "snoozed_until": past}, {"snoozed_until": "past"}),
        ({"snoozed_until": to_come}, {"snoozed_until": "not_snoozed"}),
        ({"assignee": str(viewer.id)}, {"assignee": "viewer"}),
        ({"assignee": str(uuid4())}, {"assignee": "not_found"}),
        ({"custom_attributes": []}, {"custom_attributes": "not_an_object"}),
    ):
        assert api.patch(address, body).faults == faults, body
    for body, faults in (
        ({"content": " "}, {"content": "blank"}),
        ({"content": "\u200b\n\u2060"}, {"content": "required"}),
        ({"content": 5}, {"content": "invalid"}),
        ({"content": "x", "private": True}, {"private": "invalid"}),
        ({"content": "x", "message_type": "activity"}, {"message_type": "invalid_choice"}),
    ):
        assert api.post(f"{address}/messages", body).faults == faults, body


def test_one_that_should_have_woken_already_can_be_changed(api: ApiClient, ann: Contact, cast: Cast) -> None:
    address = f"conversations/{begin(api, ann)['id']}"
    to_come = (timezone.now() + timedelta(hours=1)).isoformat()
    assert api.patch(address, {"status": "snoozed", "snoozed_until": to_come}).status == 200
    with tenant(cast.account):
        Conversation.objects.update(snoozed_until=timezone.now() - timedelta(minutes=1))
    changed = api.patch(address, {"subject": "Lost parcel"})
    assert (changed.status, changed.json["status"], changed.json["subject"]) == (200, "snoozed", "Lost parcel")


def test_viewers_read_and_members_do_not_delete(api: ApiClient, ann: Contact, cast: Cast) -> None:
    made = begin(api, ann, message="Where is it?")
    viewer, member = by_key(cast.account, Role.VIEWER), by_key(cast.account, Role.MEMBER)
    assert viewer.get(f"conversations/{made['id']}/messages").status == 200
    assert viewer.post(f"conversations/{made['id']}/messages", {"content": "x"}).status == 403
    assert member.delete(f"conversations/{made['id']}").status == 403
    assert api.delete(f"conversations/{made['id']}").status == 204
    assert api.get(f"conversations/{made['id']}").status == 404


def test_erasing_a_contact_erases_what_was_said_with_them(api: ApiClient, ann: Contact, cast: Cast) -> None:
    begin(api, ann, message="Where is it?")
    assert api.delete(f"contacts/{ann.id}").status == 204
    with tenant(cast.account):
        assert not Conversation.objects.exists()
        assert not Message.objects.exists()


def test_a_longer_list_takes_no_more_queries(api: ApiClient, ann: Contact, cast: Cast) -> None:
    counts = []
    for _ in range(2):
        for _ in range(3):
            begin(api, ann, message="Where is it?")
        with CaptureQueriesContext(connection) as queries:
            api.get("conversations")
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_page_of_messages_is_opened_in_one_query(api: ApiClient, ann: Contact, cast: Cast) -> None:
    for number in range(5):
        begin(api, ann, message=f"Message {number}")
    with tenant(cast.account):
        ids = list(Message.objects.values_list("id", flat=True))
        with CaptureQueriesContext(connection) as queries:
            texts = load_contents(Message, [*ids, uuid4()])
    assert len(queries) == 1
    assert sorted(texts.values()) == [f"Message {number}" for number in range(5)]


def test_equal_messages_have_one_fingerprint_that_another_account_does_not_share(
    api: ApiClient, ann: Contact, cast: Cast
) -> None:
    for text in ("Where  is it?", "where is IT?", "Here"):
        begin(api, ann, message=text)
    bea = make_contact(cast.stranger_account)
    begin(by_key(cast.stranger_account, Role.OWNER), bea, message="where is it?")
    with tenant(cast.account):
        prints = [bytes(value) for value in Message.objects.order_by("id").values_list("fingerprint", flat=True)]
    with tenant(cast.stranger_account):
        foreign = bytes(Message.objects.get().fingerprint)
    assert prints[0] == prints[1] != prints[2]
    assert foreign not in prints


def test_a_message_sent_as_a_form_brings_its_files(api: ApiClient, ann: Contact) -> None:
    address = f"conversations/{begin(api, ann)['id']}/messages"

    def send(**fields: Any) -> Any:
        return api("POST", address, encode_multipart(BOUNDARY, fields), Content_Type=MULTIPART_CONTENT)

    def file(name: str, content: bytes = b"a,b") -> SimpleUploadedFile:
        return SimpleUploadedFile(name, content)

    both = send(content="See these.", message_type="incoming", attachments=[file("one.csv"), file("two.csv")])
    assert (both.status, both.json["message_type"], both.json["content"]) == (201, "incoming", "See these.")
    assert [one["file_name"] for one in both.json["attachments"]] == ["one.csv", "two.csv"]
    assert send(attachments=file("three.csv")).json["content"] == "three.csv"
    assert send(content="No file").json["attachments"] == []
    assert send(content="Bad", attachments=[file("four.csv"), file("run.exe")]).faults == {"attachments": "type"}
    assert send().faults == {"content": "required"}
    assert send(content="x", file=file("five.csv")).faults == {"file": "unknown"}
    said = api.get(address).json["results"]
    assert [message["content"] for message in said] == ["No file", "three.csv", "See these."]


def test_a_file_that_is_not_taken_in_is_named_by_its_field(api: ApiClient, ann: Contact) -> None:
    address = f"conversations/{begin(api, ann)['id']}/messages"
    message = api.post(address, {"content": "See the file."}).json["id"]
    for name, content, code in (("run.exe", b"MZ", "type"), ("list.csv", b"", "empty")):
        body = encode_multipart(BOUNDARY, {"file": SimpleUploadedFile(name, content)})
        refused = api("POST", f"{address}/{message}/attachments", body, Content_Type=MULTIPART_CONTENT)
        assert (refused.status, refused.faults) == (400, {"file": code})
