"""An import may die anywhere: what is committed stays, the rest is done once, and nothing is counted twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.utils import timezone

from apps.accounts.jobs import running as jobs
from apps.accounts.models import Account, Job
from apps.accounts.tenancy.scope import tenant
from apps.vault.audit.verify import verify_trail
from apps.vault.contact_import import chunks, running, writing
from apps.vault.models import AuditEntry, Contact, ContactImport
from apps.vault.services import contact_imports as service
from tests.factories import make_account, make_contact
from tests.vault.contact_import.importing import a_csv, contacts, figures, owner_of, queue, rejections, work

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("V-11", "X-06")]

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def account() -> Account:
    return make_account()


def people(count: int) -> bytes:
    """A list in which every fifth row is broken and every seventh repeats the one before."""
    rows = []
    for number in range(count):
        person = number - 1 if number % 7 == 6 else number
        phone = "call office" if number % 5 == 4 else f"07700 {900000 + person}"
        rows.append([f"Person {person}", f"p{person}@mail.example", phone, f"ID-{person}", "Hull"])
    return a_csv(*rows)


class Killed(BaseException):
    """Stands for the death of the process: no handler in the product may catch it."""


# At which calls of a function the process dies: early, and again when a few chunks further.
_DEADLY_CALLS = (1, 3, 6, 10)

POINTS = [
    pytest.param(chunks, "prepare", id="while preparing"),
    pytest.param(writing, "only_import_of_account", id="at the start of a chunk"),
    pytest.param(writing, "insert", id="before writing contacts"),
    pytest.param(running, "_note", id="before the chunk's counts"),
    pytest.param(running.audit, "record", id="before the chunk's audit entry"),
    pytest.param(running, "_finish", id="before the end"),
]


@pytest.mark.parametrize("after_it", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("module", "name"), POINTS)
def test_a_death_anywhere_loses_and_repeats_nothing(
    account: Account, monkeypatch: pytest.MonkeyPatch, module: Any, name: str, after_it: bool
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 10)
    content = people(50)
    undisturbed = make_account()
    waiting = queue(undisturbed, content)
    work(waiting)
    with tenant(undisturbed):
        expected = figures(ContactImport.objects.get(pk=waiting.pk))

    waiting = queue(account, content)
    real, calls = getattr(module, name), 0

    def deadly(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        dies = calls in _DEADLY_CALLS
        if dies and not after_it:
            raise Killed
        answer = real(*args, **kwargs)
        if dies:
            raise Killed
        return answer

    deaths = 0
    with monkeypatch.context() as patch:
        patch.setattr(module, name, deadly)
        while True:
            try:
                outcome = work(waiting)
                break
            except Killed:
                deaths += 1
                _forget_the_dead(waiting)
    assert deaths
    assert outcome == Job.Status.DONE
    with tenant(account):
        done = ContactImport.objects.get(pk=waiting.pk)
        assert verify_trail(account.id).whole
        chunks_noted = [
            entry.payload["changes"]["rows"] for entry in AuditEntry.objects.filter(action="contact.imported")
        ]
    assert figures(done) == expected
    assert contacts(account) == contacts(undisturbed)
    assert len(chunks_noted) == len(set(chunks_noted)) == 5
    assert [row.row for row in rejections(done)] == sorted({row.row for row in rejections(done)})


def _forget_the_dead(waiting: ContactImport) -> None:
    """Let the lease of the dead attempt run out at once."""
    connection.close()
    with tenant(waiting.account_id):
        Job.objects.filter(pk=waiting.job_id, status=Job.Status.RUNNING).update(
            heartbeat_at=timezone.now() - timedelta(hours=1)
        )


def test_a_killed_worker_process_is_resumed_by_another(account: Account, settings: Any) -> None:
    """A real process, a real SIGKILL in the middle."""
    count = 12_000
    rows = [[f"P {n}", f"p{n}@mail.example", f"07{700000000 + n}", f"ID-{n}", "Hull"] for n in range(count)]
    waiting = queue(account, a_csv(*rows))
    code = (
        "import sys, django; django.setup()\n"
        "from uuid import UUID\nfrom apps.accounts.jobs import running\nfrom apps.vault.contact_import import chunks\n"
        "chunks.CHUNK_ROWS = 1000\n"
        "print(running.run(UUID(sys.argv[1]), UUID(sys.argv[2])))"
    )
    url = settings.DATABASE_URL.rpartition("/")[0] + "/" + connection.settings_dict["NAME"]
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings.test",
        "DATABASE_URL": url,
        "UPLOAD_DIR": str(settings.UPLOAD_DIR),
        "SECRET_KEY": settings.SECRET_KEY,
        "VAULT_MASTER_KEY_URI": settings.VAULT_MASTER_KEY_URI,
        "REDIS_URL": settings.REDIS_URL,
        "AUDIT_ANCHOR_DIR": str(settings.AUDIT_ANCHOR_DIR),
    }
    command = [sys.executable, "-c", code, str(waiting.account_id), str(waiting.job_id)]
    worker = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    done = 0
    deadline = time.monotonic() + 60
    while done < 2000 and worker.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
        with tenant(account):
            done = ContactImport.objects.values_list("rows_done", flat=True).get(pk=waiting.pk)
    worker.send_signal(signal.SIGKILL)
    said = worker.communicate()[0].decode()
    assert 2000 <= done < count, said
    _forget_the_dead(waiting)
    assert work(waiting) == Job.Status.DONE
    with tenant(account):
        finished = ContactImport.objects.get(pk=waiting.pk)
        assert Contact.objects.count() == count
        assert verify_trail(account.id).whole
    assert figures(finished) == (count, 0, 0, 0)


def test_a_worker_that_was_thought_dead_writes_nothing_more(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 10)
    waiting = queue(account, people(50))
    real = chunks.work
    seen: list[int] = []

    def slow(*args: Any, **kwargs: Any) -> Any:
        seen.append(1)
        if len(seen) == 3:
            # While this attempt is inside its third chunk, another takes the job and finishes it.
            thread = threading.Thread(target=lambda: (_expire(waiting), work(waiting), connection.close()))
            thread.start()
            thread.join()
        return real(*args, **kwargs)

    monkeypatch.setattr(chunks, "work", slow)
    assert work(waiting) == "lease lost"
    with tenant(account):
        assert figures(ContactImport.objects.get(pk=waiting.pk))
        assert Job.objects.get(pk=waiting.job_id).status == Job.Status.DONE


def _expire(waiting: ContactImport) -> None:
    with tenant(waiting.account_id):
        Job.objects.filter(pk=waiting.job_id).update(heartbeat_at=timezone.now() - timedelta(hours=1))


def test_a_contact_made_meanwhile_is_found_and_merged(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = queue(
        account, a_csv(["Zoë", "zoe@mail.example", "", "HP-1", ""], ["Ben", "ben@mail.example", "", "", ""])
    )
    real, seen = writing.insert, []

    def overtaken(*args: Any, **kwargs: Any) -> Any:
        if not seen:
            seen.append(1)
            thread = threading.Thread(target=lambda: (_make(account), connection.close()))
            thread.start()
            thread.join()
        return real(*args, **kwargs)

    monkeypatch.setattr(writing, "insert", overtaken)
    assert work(waiting) == Job.Status.DONE
    with tenant(account):
        assert figures(ContactImport.objects.get(pk=waiting.pk)) == (1, 1, 0, 0)
        assert Contact.objects.with_identifier("HP-1").get().email == "zoe@mail.example"
        assert Contact.objects.count() == 2


def _make(account: Account) -> None:
    make_contact(account, name="Zoë", email="zoe@mail.example")


def test_a_contact_changed_meanwhile_is_not_overwritten_blindly(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = make_contact(account, name="Zoë", email="zoe@mail.example", custom_attributes={"city": "Hull"})
    waiting = queue(account, a_csv(["Zoë F", "zoe@mail.example", "", "", ""]))
    real, seen = writing.update, []

    def overtaken(*args: Any, **kwargs: Any) -> Any:
        if not seen:
            seen.append(1)
            thread = threading.Thread(target=lambda: (_give_plan(account, known.pk), connection.close()))
            thread.start()
            thread.join()
        return real(*args, **kwargs)

    monkeypatch.setattr(writing, "update", overtaken)
    assert work(waiting) == Job.Status.DONE
    with tenant(account):
        now = Contact.objects.get()
    assert (now.name, now.custom_attributes) == ("Zoë F", {"city": "Hull", "plan": "gold"})


def _give_plan(account: Account, contact_id: UUID) -> None:
    with tenant(account):
        contact = Contact.objects.get(pk=contact_id)
        contact.custom_attributes = {**contact.custom_attributes, "plan": "gold"}
        contact.save()


def test_two_imports_of_one_account_at_once_make_nobody_twice(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 50)
    first = queue(account, people(400))
    reverse = people(400).splitlines()
    second = queue(account, b"\n".join([reverse[0], *reversed(reverse[1:])]))
    outcomes: list[str] = []
    threads = [
        threading.Thread(target=lambda waiting=waiting: (outcomes.append(work(waiting)), connection.close()))
        for waiting in (first, second)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [Job.Status.DONE, Job.Status.DONE]
    with tenant(account):
        done = [figures(ContactImport.objects.get(pk=waiting.pk)) for waiting in (first, second)]
        assert Contact.objects.count() == sum(added for added, *_ in done)
        assert Contact.objects.count() == len({contact.identifier for contact in Contact.objects.all()})


def test_an_import_that_failed_goes_on_where_it_stopped(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 10)
    waiting = queue(account, people(50))
    real, calls = chunks.work, []

    def failing(*args: Any, **kwargs: Any) -> Any:
        calls.append(1)
        if len(calls) > 2:
            raise OSError("the disk is full")
        return real(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(chunks, "work", failing)
        with tenant(account):
            Job.objects.filter(pk=waiting.job_id).update(attempts=19)
        assert work(waiting) == Job.Status.FAILED
    with tenant(account):
        half = ContactImport.objects.get(pk=waiting.pk)
        assert half.rows_done == 20
        again = service.start_import(half, actor=owner_of(account), mapping={})
        assert again.job_id != waiting.job_id
    assert jobs.run(account.id, again.job_id) == Job.Status.DONE
    with tenant(account):
        assert figures(ContactImport.objects.get(pk=waiting.pk))
