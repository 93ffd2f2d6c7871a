"""Long lists: 10,000 rows by default, 100,000 with SCALE=full, in memory that does not grow with the list."""

from __future__ import annotations

import os
import resource
import time

import pytest
from faker import Faker

from apps.accounts.tenancy.scope import tenant
from apps.vault.models import Contact
from tests.factories import make_account
from tests.vault.contact_import.importing import a_csv, figures, imported, rejections

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("V-11")]


def people(count: int) -> tuple[bytes, int]:
    """``count`` people as Faker invents them, and how many of the rows are broken."""
    fake = Faker(["en_GB", "de_DE", "fr_FR", "pl_PL"])
    Faker.seed(7)
    names = [fake.name() for _ in range(500)]
    cities = [fake.city() for _ in range(200)]
    rows, broken = [], 0
    for number in range(count):
        email = f"person.{number}@mail.example"
        if number % 997 == 5:
            email, broken = "person", broken + 1
        rows.append([names[number % 500], email, f"07{100000000 + number}", f"ID-{number}", cities[number % 200]])
    return a_csv(*rows), broken


@pytest.mark.parametrize(
    "count",
    [
        10_000,
        pytest.param(
            100_000,
            marks=[
                pytest.mark.full,
                pytest.mark.skipif(os.environ.get("SCALE") != "full", reason="runs with SCALE=full"),
            ],
        ),
    ],
)
def test_a_long_list_is_imported_and_a_second_run_adds_nobody(count: int) -> None:
    account = make_account()
    content, broken = people(count)
    imported(make_account(), a_csv(["Warm", "warm@mail.example", "", "", ""]))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    done = imported(account, content)
    seconds = time.perf_counter() - began
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(f"{count:,} rows in {seconds:.1f} s: {count / seconds:,.0f} a second; memory grew by {grown / 1024:.0f} MB")
    assert figures(done) == (count - broken, 0, 0, broken)
    assert len(rejections(done)) == broken
    assert grown < 200 * 1024, "memory must not grow with the list"
    again = imported(account, content)
    assert figures(again) == (0, 0, count - broken, broken)
    with tenant(account):
        assert Contact.objects.count() == count - broken
        assert Contact.objects.with_email(f"PERSON.{count - 1}@mail.example").get().identifier == f"ID-{count - 1}"
