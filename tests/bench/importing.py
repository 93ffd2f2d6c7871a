"""P1: taking in a list of contacts."""

from __future__ import annotations

import csv
import io
import itertools
import time
from collections.abc import Iterator
from typing import Any

from django.db import transaction

from apps.accounts.actors import Actor
from apps.accounts.jobs import running
from apps.accounts.models import Account, Job
from apps.accounts.tenancy.scope import tenant
from apps.vault.models import ContactImport
from apps.vault.services.contact_imports import import_contacts
from tests.bench.data import contact_values
from tests.bench.measure import Figure, at_least, turns
from tests.bench.twin.models import PlainContact
from tests.bench.world import FULL, World
from tests.factories import make_account

ROWS = 20_000
BLOCKS = 6 if FULL else 4
_HEADER = ["Name", "E-mail", "Phone", "Customer number", "Last activity", "plan", "seats", "city"]


def p1(world: World) -> Iterator[Figure]:
    """ABBA blocks as everywhere, but with the rows made between the timings and a fresh account for each list."""
    numbers = itertools.count(200_000, ROWS)
    ratio = turns(lambda: _ours(next(numbers)), lambda: _plain(next(numbers)), blocks=BLOCKS).inverted()
    figure = at_least("P1", "contacts/s, whole import of a CSV ÷ plaintext bulk_create", ratio, 1.5)
    figure.parts = {"imported_per_s": round(ROWS / ratio.one), "bulk_created_per_s": round(ROWS / ratio.other)}
    yield figure


def _ours(start: int) -> float:
    """The job: file decrypted, parsed, checked, matched, indexed, encrypted, written, audited."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_HEADER)
    for number in range(start, start + ROWS):
        values = contact_values(number)
        own = [
            values["name"],
            values["email"],
            values["phone"],
            f"crm-{number}",
            values["last_activity_at"].isoformat(),
        ]
        writer.writerow([*own, *values["custom_attributes"].values()])
    account = make_account()
    with tenant(account):
        waiting = import_contacts(actor=Actor.system("bench"), file_name="x.csv", content=[out.getvalue().encode()])
    assert waiting.account_id is not None
    assert waiting.job_id is not None
    began = time.perf_counter()
    assert running.run(waiting.account_id, waiting.job_id) == Job.Status.DONE
    seconds = time.perf_counter() - began
    with tenant(account):
        assert ContactImport.objects.get(pk=waiting.pk).added == ROWS
    return seconds


def _plain(start: int) -> float:
    account: Account = make_account()
    rows: list[dict[str, Any]] = [
        {**contact_values(number), "identifier": f"crm-{number}"} for number in range(start, start + ROWS)
    ]
    began = time.perf_counter()
    for first in range(0, ROWS, 4000):
        with transaction.atomic():
            PlainContact.objects.bulk_create(
                [PlainContact(company=account, **row) for row in rows[first : first + 4000]], batch_size=1000
            )
    return time.perf_counter() - began
