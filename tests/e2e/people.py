"""A customer's list of people, as it comes out of some other system."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from faker import Faker

BROKEN = (
    ("Row without a number", "fine1@people.example", "call the office", "X-1", "London"),
    ("Row without an address", "not an address", "+442079460001", "X-2", "Leeds"),
    ("Row with half an address", "half@", "", "X-3", "Bath"),
)


@dataclass(frozen=True)
class PeopleFile:
    """A CSV file and what is in it."""

    path: Path
    emails: list[str]
    broken: int


def write_people(path: Path, count: int) -> PeopleFile:
    """``count`` people with distinct addresses and a few broken rows between them; semicolons and Windows-1252."""
    fake = Faker(["en_GB", "de_DE", "fr_FR"])
    fake.seed_instance(2026)
    emails = []
    with path.open("w", encoding="cp1252", errors="replace", newline="") as file:
        rows = csv.writer(file, delimiter=";")
        rows.writerow(["Full name", "E-mail address", "Mobile", "Customer no.", "City"])
        for number in range(count):
            if number % (count // len(BROKEN)) == 7:
                rows.writerow(BROKEN[number // (count // len(BROKEN))])
            email = f"{fake.user_name()}.{number}@{fake.domain_word()}.example"
            emails.append(email)
            phone = f"+4420794{number:05d}" if number % 3 else ""
            rows.writerow([fake.name(), email, phone, f"C-{number:06d}", fake.city()])
    return PeopleFile(path, emails, len(BROKEN))
