"""Snoozed conversations come back: by the clock, or when the customer writes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.models import Account
from apps.accounts.roles import Role
from apps.accounts.tenancy.scope import platform, tenant
from apps.chat.models import Conversation
from apps.chat.services.waking import sweep
from apps.chat.tasks import wake_snoozed
from apps.vault.models import AuditEntry, Contact
from config.celery import app
from tests.api_client import ApiClient, by_key
from tests.factories import Cast, make_contact

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("C-13")]


@pytest.fixture
def api(cast: Cast) -> ApiClient:
    return by_key(cast.account, Role.MEMBER)


@pytest.fixture
def ann(cast: Cast) -> Contact:
    return make_contact(cast.account, name="Ann")


def snoozed(api: ApiClient, ann: Contact, until: datetime | None) -> Any:
    made = api.post("conversations", {"contact": str(ann.id), "message": "I move in May."}).json
    body = {"status": "snoozed", **({"snoozed_until": until.isoformat()} if until else {})}
    changed = api.patch(f"conversations/{made['id']}", body)
    assert changed.status == 200, changed.content
    return changed.json


def let_pass(account: Account, conversation: Any) -> None:
    """As if its time had come a minute ago, and its last activity were older."""
    ago = timezone.now() - timedelta(minutes=1)
    with tenant(account):
        rows = Conversation.objects.filter(pk=conversation["id"])
        rows.update(snoozed_until=ago, last_activity_at=ago - timedelta(days=3))


def lines(api: ApiClient, conversation: Any) -> list[str]:
    said = api.get(f"conversations/{conversation['id']}/messages").json["results"]
    return [message["content"] for message in said if message["message_type"] == "activity"]


def test_one_whose_time_has_come_is_open_again_and_first_in_the_list(api: ApiClient, ann: Contact, cast: Cast) -> None:
    asleep = snoozed(api, ann, timezone.now() + timedelta(days=3))
    other = api.post("conversations", {"contact": str(ann.id)}).json
    let_pass(cast.account, asleep)
    assert sweep() == 1
    listed = api.get("conversations?status=open").json["results"]
    assert [row["id"] for row in listed] == [asleep["id"], other["id"]]
    assert (listed[0]["status"], listed[0]["snoozed_until"]) == ("open", None)
    assert lines(api, asleep)[0] == "The conversation woke up: its time had come."
    with tenant(cast.account):
        entry = AuditEntry.objects.filter(action="conversation.changed").latest("seq")
    assert (entry.actor_kind, str(entry.entity_id)) == ("system", asleep["id"])
    assert sweep() == 0


def test_one_whose_time_is_to_come_sleeps_on(api: ApiClient, ann: Contact) -> None:
    asleep = snoozed(api, ann, timezone.now() + timedelta(minutes=1))
    assert sweep() == 0
    assert api.get(f"conversations/{asleep['id']}").json["status"] == "snoozed"


def test_nothing_wakes_in_a_suspended_account(api: ApiClient, ann: Contact, cast: Cast) -> None:
    asleep = snoozed(api, ann, timezone.now() + timedelta(days=1))
    let_pass(cast.account, asleep)
    with platform("suspend an account"):
        Account.objects.filter(pk=cast.account.pk).update(status=Account.Status.SUSPENDED)
    assert sweep() == 0


def test_without_a_time_it_sleeps_until_the_customer_writes(api: ApiClient, ann: Contact) -> None:
    asleep = snoozed(api, ann, None)
    assert (asleep["status"], asleep["snoozed_until"]) == ("snoozed", None)
    assert sweep() == 0
    api.post(f"conversations/{asleep['id']}/messages", {"content": "Well?", "message_type": "incoming"})
    assert api.get(f"conversations/{asleep['id']}").json["status"] == "open"


def test_the_clock_looks_for_them_by_itself() -> None:
    tasks = {entry["task"]: entry["schedule"] for entry in app.conf.beat_schedule.values()}
    assert tasks[wake_snoozed.name] <= 60


def test_a_key_that_puts_its_maker_in_charge_took_nothing_over(api: ApiClient, ann: Contact, cast: Cast) -> None:
    made = api.post("conversations", {"contact": str(ann.id)}).json
    for member in api.get("members").json["results"]:
        if member["role"] != Role.VIEWER:
            api.patch(f"conversations/{made['id']}", {"assignee": member["id"]})
    said = lines(api, made)
    assert said and all(line.endswith(" in charge.") for line in said)
