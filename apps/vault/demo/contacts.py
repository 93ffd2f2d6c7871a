"""Contacts of the demo accounts: made up, but as people fill in forms."""

from __future__ import annotations

import random
import unicodedata
from datetime import timedelta
from typing import Any

from django.utils import timezone

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.demo.cast import Company
from apps.accounts.models import Account
from apps.vault.models import Contact

_LOCALES = ["en_GB", "en_GB", "en_IE", "de_DE", "fr_FR", "sv_SE", "pl_PL", "es_ES", "it_IT", "pt_PT", "en_IN"]
# Numbers that regulators keep free for fiction (Ofcom, ComReg), and how many follow.
_NUMBERS = {"GB": ["+442079460", "+441314960", "+441614960", "+441174960"], "IE": ["+35315550", "+442079460"]}
_MAILBOXES = ["mail.example", "post.example", "inbox.example", "studio.example"]


def add_contacts(account: Account, company: Company, actor: Actor, **_: Any) -> None:
    """Fill the account (in its scope) with ``company.contacts`` people, the same ones every time."""
    chance = random.Random(company.slug)  # noqa: S311 - the same people every time is the point
    contacts = [_contact(number, company, chance) for number in range(company.contacts)]
    Contact.objects.bulk_create(contacts)
    audit.record("contact_import.finished", actor=actor, label="Demo contacts", changes=_counts(len(contacts)))


def _counts(added: int) -> dict[str, int]:
    return {"rows": added, "added": added, "merged": 0, "unchanged": 0, "rejected": 0}


def _contact(number: int, company: Company, chance: random.Random) -> Contact:
    from faker import Faker  # slow to import, and no other process needs it

    locale = chance.choice(_LOCALES)
    fake = Faker(locale)
    fake.seed_instance(f"{company.slug}-{number}")
    first, last = fake.first_name(), fake.last_name()
    label, kind, _ = chance.choices(company.segments, [share for *_, share in company.segments])[0]
    attributes: dict[str, Any] = {"segment": label, "city": fake.city()}
    if company.slug == "harbour-pine" and kind == "customer":
        attributes["flat"] = f"{chance.randint(1, 48)} {chance.choice(['Harbour Street', 'Pine Court', 'Quay Road'])}"
    if kind == "partner":
        attributes["company"] = fake.company()
    days = int(chance.expovariate(1 / 40)) if chance.random() < 0.9 else chance.randint(120, 700)
    return Contact(
        name=f"{first} {last}",
        email=f"{_ascii(first)}.{_ascii(last)}{number}@{chance.choice(_MAILBOXES)}",
        phone=_phone(number, company) if chance.random() < 0.8 else None,
        identifier=f"{company.slug[:2].upper()}-{10_000 + number}" if kind != "lead" else None,
        custom_attributes=attributes,
        contact_type=kind,
        last_activity_at=timezone.now() - timedelta(days=days, minutes=chance.randint(0, 1440)),
    )


def _phone(number: int, company: Company) -> str:
    prefixes = _NUMBERS[company.region]
    return f"{prefixes[number % len(prefixes)]}{number:03d}"


def _ascii(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return "".join(letter for letter in plain if letter.isalpha()) or "contact"
