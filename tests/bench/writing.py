"""A2: creating contacts."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from django.db import transaction

from apps.accounts.tenancy.scope import tenant
from apps.vault.models import Contact
from tests.bench.data import contact_values
from tests.bench.measure import Figure, at_most, compare
from tests.bench.twin.models import PlainContact
from tests.bench.world import World


def a2(world: World) -> Iterator[Figure]:
    numbers = itertools.count(50_000_000)

    def ours() -> None:
        number = next(numbers)
        with tenant(world.account.id):
            Contact.objects.create(**contact_values(number), identifier=f"crm-{number}")

    def plain() -> None:
        number = next(numbers)
        with transaction.atomic():
            PlainContact.objects.create(company=world.account, **contact_values(number), identifier=f"crm-{number}")

    ratio = compare(ours, plain, times=6)
    yield at_most("A2", "create a contact, encrypted with 3 blind indexes ÷ plaintext", ratio, 1.30)
