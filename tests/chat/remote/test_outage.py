"""Ten minutes without the service: what is said meanwhile waits, nobody hammers, and nothing is lost or doubled."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.jobs.running import run
from apps.accounts.jobs.sweep import sweep as sweep_jobs
from apps.accounts.models import Account, Job, Reservation, UsageEvent
from apps.accounts.tenancy.scope import tenant
from apps.chat.indexing.sweeping import sweep as sweep_index
from apps.chat.models import IndexedMessage
from apps.chat.services.conversations import delete_conversation, lock_conversation
from tests.api_client import ApiClient
from tests.chat.conftest import SYSTEM, Say
from tests.chat.remote.conftest import INDEX, Clock, index, messages_here, person, vectors_there
from tests.second_installation import SecondInstallation
from tests.stand_ins.faulty_proxy import Fault, FaultyProxy

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.xdist_group("elsewhere"),
    pytest.mark.timeout(240),
    pytest.mark.covers("P-10", "P-12"),
]
STEP = 5


def tick(account: Account, clock: Clock) -> None:
    """What beat and workers do in five seconds."""
    clock.forward(STEP)
    sweep_index()
    sweep_jobs()
    with tenant(account):
        due = Job.objects.filter(status=Job.Status.QUEUED, next_attempt_at__lte=timezone.now())
        waiting = list(due.values_list("id", flat=True))
    for job_id in waiting:
        run(account.id, job_id)


def pending(account: Account) -> int:
    with tenant(account):
        return IndexedMessage.objects.exclude(state=IndexedMessage.State.INDEXED).count()


def embeddings(account: Account) -> int:
    """How many texts the ledger counts as embedded."""
    with tenant(account):
        events = UsageEvent.objects.filter(source="zerodb", unit="embeddings", ok=True)
        return int(sum(event.quantity for event in events))


def test_ten_minutes_are_waited_for_and_made_up_for(
    account: Account, api: ApiClient, say: Say, second: SecondInstallation, proxy: FaultyProxy, clock: Clock
) -> None:
    say(account, "The boiler in flat four makes a knocking noise.")
    gone = say(account, "I forgot my password and cannot sign in.")
    index(account)
    reader, before = person(account), len(proxy.carried)
    phases = {
        0: proxy.down,
        200: lambda: (proxy.up(), setattr(proxy, "outage", Fault("status", 503))),
        400: lambda: setattr(proxy, "outage", Fault("lost_after")),
        500: lambda: setattr(proxy, "outage", Fault("status", 429, headers={"Retry-After": "45"})),
    }
    for second_of_outage in range(0, 600, STEP):
        if second_of_outage in phases:
            phases[second_of_outage]()
        if second_of_outage % 60 == 0:
            say(account, f"My parcel number {second_of_outage} has not arrived yet.")
            asked_while_away(api, reader, account)
        if second_of_outage == 100:
            with tenant(account):
                delete_conversation(lock_conversation(gone.pk), actor=SYSTEM)
        tick(account, clock)
    assert pending(account) == 11  # ten new messages, and one that has to go
    assert len(proxy.carried) - before < 80
    proxy.outage = None
    while pending(account):
        tick(account, clock)
        assert clock.seconds < 600 + 330
    assert vectors_there(second, account) == messages_here(account)
    assert embeddings(account) == 12
    with tenant(account):
        assert not Reservation.objects.filter(state=Reservation.State.OPEN).exists()
        assert not Job.objects.filter(kind=INDEX, status=Job.Status.FAILED).exists()
        assert Job.objects.filter(kind=INDEX).count() < 5


def asked_while_away(api: ApiClient, reader: Client, account: Account) -> None:
    """Words are found and told of, meaning alone says when to ask again, and no page breaks."""
    by_both = api.post("conversations/search", {"query": "boiler"})
    assert by_both.status == 200, by_both.content
    assert len(by_both.json["results"]) == 1
    assert "Only words were searched" in by_both.json["notices"][0]
    by_meaning = api.post("conversations/search", {"query": "boiler", "mode": "meaning"})
    assert (by_meaning.status, by_meaning.code) == (503, "service_unavailable")
    assert 1 <= int(by_meaning.headers["Retry-After"]) <= 60
    for mode in ("both", "meaning"):
        page = reader.get(f"/app/{account.slug}/inbox/search/?q=boiler&mode={mode}")
        assert page.status_code == 200
        assert "ords works meanwhile" in page.content.decode() or "Only words were searched" in page.content.decode()
