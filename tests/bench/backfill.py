"""P7: projects and indexes for accounts that have none, at an allowed rate, by processes that are killed meanwhile."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator

from django.conf import settings

from apps.accounts.actors import Actor
from apps.accounts.models import Account
from apps.accounts.tenancy.scope import platform, tenant
from apps.chat.models import IndexGeneration, Message
from apps.chat.services.conversations import lock_conversation, open_conversation
from apps.chat.services.messages import receive_message
from apps.integrations.models import AINativeProject, ZeroProject, ZeroVector
from tests.bench.measure import Figure
from tests.bench.processes import ROOT, environment, python
from tests.bench.world import FULL, World
from tests.factories import make_account, make_contact

ACCOUNTS = 1000 if FULL else 40
RATE = 20
"""Accounts a second that the operator allows; ``provision_accounts`` never goes faster."""
KILLS = 3
_SAID = ("My parcel has not arrived yet.", "I can't sign in any more.")


def p7(world: World) -> Iterator[Figure]:
    """``provision_accounts``, then ``reindex``: whatever they leave lost or twice."""
    accounts = [make_account(f"Waiting {number}", world.owner) for number in range(ACCOUNTS)]
    for account in accounts:
        _say(account)
    slugs = [word for account in accounts for word in ("--account", account.slug)]
    variables = environment(
        world.database_url,
        DJANGO_SETTINGS_MODULE="config.settings.local",
        # The key of the embedded server comes from it: with another one, what was known is revoked.
        SECRET_KEY=settings.SECRET_KEY,
        ZERODB_RATE_LIMITS="1",
        JOB_LEASE_SECONDS="3",
    )
    provisioning = _until_done(["provision_accounts", "--rate", str(RATE), *slugs], variables)
    one = ["--feature", "conversations"]
    indexing = _until_done(["reindex", *one, *slugs], variables, again=["reindex", "--continue", *one, *slugs])
    wrong = _wrong(accounts)
    yield Figure(
        "P7",
        f"projects and vectors lost or doubled in the backfill of {ACCOUNTS:,} accounts, {2 * KILLS} kills",
        wrong,
        wrong,
        "= 0",
        wrong == 0 and ACCOUNTS / provisioning <= RATE,
        unit="of them",
        parts={
            "accounts_per_s": round(ACCOUNTS / provisioning, 1),
            "allowed_per_s": RATE,
            "indexed_accounts_per_s": round(ACCOUNTS / indexing, 1),
        },
    )


def _say(account: Account) -> None:
    contact, actor = make_contact(account), Actor.system("bench")
    with tenant(account):
        conversation = open_conversation(actor=actor, contact=contact)
        for text in _SAID:
            receive_message(lock_conversation(conversation.pk), text, actor=actor)


def _until_done(arguments: list[str], variables: dict[str, str], *, again: list[str] | None = None) -> float:
    """Run the command, kill it KILLS times and run it again, until it is done. Seconds that it ran in all."""
    chance, spent = random.Random(20261121), 0.0
    for kill in range(KILLS + 1):
        command = [*python("django"), *(again if kill and again else arguments)]
        began = time.monotonic()
        process = subprocess.Popen(command, cwd=ROOT, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            longest = 5 + chance.uniform(0.05, 0.2) * ACCOUNTS / RATE if kill < KILLS else 3600
            _, said = process.communicate(timeout=longest)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            time.sleep(4)  # until the lease of what it worked on is over
        else:
            if process.returncode:
                raise RuntimeError(said.decode()[-2000:])
            if kill < KILLS:  # done before its time to be killed: the rest finds nothing to do
                return spent + time.monotonic() - began
        spent += time.monotonic() - began
    return spent


def _wrong(accounts: list[Account]) -> int:
    """How many projects and vectors are missing, or there more than once."""
    wrong, projects = 0, Counter[str]()
    for account in accounts:
        with tenant(account):
            row = AINativeProject.objects.filter(status=AINativeProject.Status.READY).first()
            generations = list(IndexGeneration.objects.all())
            messages = Counter(map(str, Message.objects.values_list("id", flat=True)))
        if row is None or len(generations) != 1:
            wrong += 1
            continue
        projects[row.project_id] += 1
        with platform("count the vectors of a backfill"):
            stored = ZeroVector.objects.filter(project__public_id=row.project_id)
            found = Counter(stored.values_list("external_id", flat=True))
        wrong += sum((found - messages).values()) + sum((messages - found).values())
    with platform("count the projects of a backfill"):
        alive = ZeroProject.objects.filter(implicit=False).exclude(status="DELETED")
        ours = alive.filter(metadata__strongroom_account_id__in=[str(account.id) for account in accounts])
        there = Counter(ours.values_list("public_id", flat=True))
    return wrong + sum((there - projects).values()) + sum((projects - there).values())
