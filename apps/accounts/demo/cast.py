"""Who appears in the demo. The companies and their people are made up; their domains can't exist (RFC 2606)."""

from __future__ import annotations

from dataclasses import dataclass

from apps.accounts.roles import Role


@dataclass(frozen=True)
class Person:
    """One member of a demo account."""

    name: str
    role: Role

    def email(self, domain: str) -> str:
        """First name at the company."""
        return f"{self.name.split()[0].lower().replace('á', 'a')}@{domain}"


@dataclass(frozen=True)
class Company:
    """One demo account. ``segments`` are what it calls its contacts, with their shares."""

    name: str
    slug: str
    domain: str
    region: str
    people: tuple[Person, ...]
    segments: tuple[tuple[str, str, int], ...]
    contacts: int


COMPANIES = (
    Company(
        name="Harbour & Pine",
        slug="harbour-pine",
        domain="harbour-pine.example",
        region="GB",
        people=(
            Person("Maya Okafor", Role.OWNER),
            Person("Jonas Lindqvist", Role.ADMIN),
            Person("Priya Raman", Role.MEMBER),
            Person("Tomás Herrera", Role.VIEWER),
        ),
        segments=(("Renter", "customer", 70), ("Landlord", "partner", 12), ("Enquiry", "lead", 18)),
        contacts=320,
    ),
    Company(
        name="Acme Cloud",
        slug="acme-cloud",
        domain="acme-cloud.example",
        region="IE",
        people=(
            Person("Aoife Brennan", Role.OWNER),
            Person("Daniel Mbeki", Role.ADMIN),
            Person("Sofia Lindgren", Role.MEMBER),
            Person("Kenji Watanabe", Role.VIEWER),
        ),
        segments=(("Team plan", "customer", 55), ("Trial", "lead", 35), ("Reseller", "partner", 10)),
        contacts=260,
    ),
)

SUPER_ADMIN_EMAIL = "operator@strongroom.example"
