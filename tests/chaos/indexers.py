"""``python -m tests.chaos.indexers ACCOUNT ROUNDS SEED [POINT…]``: processes that talk, index, and are killed.

In every round people add and delete conversations, switch search off and on and begin a new index in processes of their
own, while a worker indexes; the worker is killed at a crash point or at some time, and so is one of the people. Then
others finish what was begun, and the index is compared with what it should be. Tells the faults of each round.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

POINTS = (
    "indexing.planned",
    "indexing.before_embed",
    "metering.after_reserve",
    "metering.before_settled",
    "metering.after_settle",
    "indexing.after_send",
    "indexing.marked",
    "indexing.after_delete",
    "indexing.cut_over",
)
MODELS = ("BAAI/bge-small-en-v1.5", "sentence-transformers/all-MiniLM-L6-v2")
SPOKEN = 30
"""More passages than the people of one round say."""
PATIENCE = 20.0
"""Seconds within which an index must have caught up."""


def main() -> None:
    """Set Django up and do what the arguments say."""
    import django

    django.setup()
    from django.conf import settings

    from apps.accounts.features import cache
    from apps.chat.indexing import changes

    settings.JOB_LEASE_SECONDS = 60
    changes.DEBOUNCE, cache.PROCESS_SECONDS = timedelta(0), 0.05
    account, number, seed, *points = sys.argv[1:]
    _share_model()
    print(json.dumps(rounds(UUID(account), int(number), random.Random(int(seed)), points or [*POINTS, ""])))


def rounds(account: UUID, number: int, chance: random.Random, points: list[str]) -> dict[str, object]:
    """Kill at each of ``points`` in turn; "" is at some time. Stops at the first round with a fault."""
    from django.db import connections

    from apps.accounts.tenancy.scope import tenant
    from apps.vault.models import AuditEntry
    from tests.chaos import index_truth
    from tests.chaos.processes import forget_crash

    killed, died_at = 0, set[str]()
    for turn in range(number):
        point = points[turn % len(points)]
        forget_crash(point)
        with tenant(account):
            before, paid = index_truth.passages(), index_truth.embedded()
            begun = AuditEntry.objects.filter(action="index.rebuild_started").count()
        # So that there is something to do at the point.
        needed = {"indexing.planned": _rebuild, "indexing.cut_over": _rebuild, "indexing.after_delete": _delete}
        for act in (_speak, needed.get(point, _speak), _delete):
            _in(account, lambda act=act: act(chance))
        connections.close_all()
        worker = _fork(lambda: _work(account, once=False), point)
        people = [_fork(lambda seed=seed: _live(account, seed), "") for seed in (chance.random(), chance.random())]
        time.sleep(chance.uniform(0, 0.4))
        dead = _end(worker, chance, wait=bool(point)) + _end(people[0], chance, wait=chance.random() < 0.7)
        killed += dead + _end(people[1], chance, wait=True)
        died_at |= {point} if _crashed(point) else set()
        wrong = _catch_up(account)
        with tenant(account):
            after = index_truth.passages()
            begun = AuditEntry.objects.filter(action="index.rebuild_started").count() - begun
        most = after + SPOKEN + begun * (before + after + SPOKEN) + 100 * dead
        wrong += index_truth.ledger_faults(account, at_least=paid, at_most=paid + most)
        if wrong:
            return {"faults": [f"round {turn} ({point or 'some time'}): {one}" for one in wrong], "killed": killed}
    return {"faults": [], "killed": killed, "died_at": sorted(died_at - {""}), "passages": after}


def _catch_up(account: UUID) -> list[str]:
    """What a worker and beat do after a restart, until the index is right or PATIENCE is over. What is wrong then."""
    from apps.accounts.models import Job
    from apps.accounts.tenancy.scope import tenant
    from tests.chaos import index_truth

    _in(account, lambda: _switch(account, on=True))
    deadline = time.monotonic() + PATIENCE
    while True:
        with tenant(account):  # the time of a lease goes by
            Job.objects.filter(status=Job.Status.RUNNING).update(heartbeat_at="2026-01-01T00:00Z")
        _work(account, once=True)
        wrong = index_truth.faults(account)
        if (not wrong and not index_truth.has_work(account)) or time.monotonic() > deadline:
            return wrong
        time.sleep(0.05)


def _work(account: UUID, *, once: bool) -> None:
    """Beat's sweep, and a worker that runs what is in line."""
    from django.utils import timezone

    from apps.accounts.jobs.running import run
    from apps.accounts.models import Job
    from apps.accounts.tenancy.scope import tenant
    from apps.chat.indexing.reindexing import KIND
    from apps.chat.indexing.sweeping import sweep

    for _ in range(1 if once else 1000):
        sweep()
        with tenant(account):
            jobs = Job.objects.filter(kind=KIND, status__in=[Job.Status.QUEUED, Job.Status.RUNNING])
            jobs.update(next_attempt_at=timezone.now())
            ids = list(jobs.values_list("id", flat=True))
        for job in ids:
            run(account, job)
        time.sleep(0 if once else 0.01)


# --- people


def _live(account: UUID, seed: float) -> None:
    chance = random.Random(seed)
    for _ in range(chance.randint(2, 5)):
        act = chance.choices([_speak, _delete, _erase, _rebuild, _toggle(account)], [5, 3, 1, 1, 1])[0]
        _in(account, lambda act=act: act(chance))
        time.sleep(chance.uniform(0, 0.05))


def _in(account: UUID, act: Callable[[], None]) -> None:
    """In a transaction, as a request; what it came to late for is left."""
    from django.core.exceptions import ObjectDoesNotExist
    from django.db import DatabaseError

    from apps.accounts.tenancy.scope import tenant

    try:
        with tenant(account):
            act()
    except ObjectDoesNotExist:
        return
    except DatabaseError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)


def _actor():
    from apps.accounts.actors import Actor

    return Actor.system("tests")


def _speak(chance: random.Random) -> None:
    from django.utils import timezone

    from apps.chat.models import Conversation
    from apps.chat.services.conversations import lock_conversation, open_conversation
    from apps.chat.services.messages import receive_message, write_note
    from apps.vault.models import Contact

    known = list(Conversation.objects.values_list("pk", flat=True))
    if known and chance.random() < 0.5:
        conversation = lock_conversation(chance.choice(known))
    else:
        address = f"{chance.random()}@mail.example"
        contact = Contact.objects.create(name="Somebody", email=address, last_activity_at=timezone.now())
        conversation = lock_conversation(open_conversation(actor=_actor(), contact=contact).pk)
    long = "We spoke of the weather and of nothing else at all. " * 15
    for _ in range(chance.randint(1, 2)):
        text = (long if chance.random() < 0.1 else "") + f"Parcel {chance.randint(0, 10**6)} is late."
        receive_message(conversation, text, actor=_actor())
    if chance.random() < 0.2:
        write_note(conversation, "A private word.", actor=_actor(), is_private=True)


def _delete(chance: random.Random) -> None:
    from apps.chat.models import Conversation
    from apps.chat.services.conversations import delete_conversation, lock_conversation

    if known := list(Conversation.objects.values_list("pk", flat=True)):
        delete_conversation(lock_conversation(chance.choice(known)), actor=_actor())


def _erase(chance: random.Random) -> None:
    from apps.vault.models import Contact
    from apps.vault.services.contacts import delete_contact

    if known := list(Contact.objects.all()):
        delete_contact(chance.choice(known), actor=_actor())


def _rebuild(chance: random.Random) -> None:
    from apps.chat.indexing.reindexing import reindex

    reindex(actor=_actor(), model=chance.choice(MODELS))


def _toggle(account: UUID) -> Callable[[random.Random], None]:
    return lambda chance: _switch(account, on=chance.random() < 0.5)


def _switch(account: UUID, *, on: bool) -> None:
    from apps.accounts.features.choosing import choose
    from apps.accounts.models import Account

    choose("semantic_search", on, account=Account.objects.get(pk=account), actor=_actor())


# --- processes


def _share_model() -> None:
    """Load the model once for all: on one thread it has none of its own that a fork would lose."""
    from apps.integrations.zerodb.embedding import DEFAULT_MODEL

    engine = DEFAULT_MODEL.engine
    engine._threads = 1
    engine.embed(["warm up"])
    loaded = engine._ready[1:]
    engine._load = lambda: loaded


def _fork(work: Callable[[], None], point: str) -> int:
    child = os.fork()
    if child:
        return child
    try:
        if point:
            os.environ["STRONGROOM_CRASH_AT"] = point
        work()
        os._exit(0)
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        os._exit(1)


def _end(child: int, chance: random.Random, *, wait: bool) -> int:
    """Wait for the process a while, then kill it. Returns whether it was killed, by us or by a crash point."""
    deadline = time.monotonic() + (10.0 if wait else chance.uniform(0, 0.2))
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status) == -signal.SIGKILL
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return 1


def _crashed(point: str) -> bool:
    from tests.chaos.processes import crashed

    return bool(point) and crashed(point)


if __name__ == "__main__":
    main()
