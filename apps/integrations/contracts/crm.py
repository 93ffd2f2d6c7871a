"""People in a CRM."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Person:
    """Who is written to the CRM. ``attributes`` go by the CRM's own field names, as they are."""

    email: str
    name: str = ""
    phone: str = ""
    """E.164."""
    company: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def first_and_last_name(self) -> tuple[str, str]:
        """The name in two, as every CRM wants it; a single name is the last one."""
        first, _, last = self.name.strip().rpartition(" ")
        return first.strip(), last


@dataclass(frozen=True, kw_only=True)
class CrmContact:
    """A person as the CRM knows them. ``created`` is None when they were found, not written."""

    id: str
    email: str = ""
    name: str = ""
    phone: str = ""
    url: str = ""
    """Where a person sees it in the CRM."""
    created: bool | None = None


class Crm(Protocol):
    """What clients of the category offer."""

    def upsert_contact(self, person: Person) -> CrmContact:
        """Write the person: the one with this e-mail address is updated, or made. Raises OutboundError."""

    def find_contact(self, *, email: str) -> CrmContact | None:
        """The person with this e-mail address. Raises OutboundError."""
