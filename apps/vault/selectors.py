"""Read queries of this floor: contacts as pages and the API show them.

Rows come as values, decrypted column by column in one loop: no model instances, no descriptors.
"""

from __future__ import annotations

import heapq
import unicodedata
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from django.core.exceptions import ValidationError

from apps.accounts.keyset import Page, Position, cut, newest_first
from apps.accounts.tenancy.scope import NoScope, current_account_id
from apps.vault import contact_cache
from apps.vault.fields import open_columns
from apps.vault.models import Contact
from apps.vault.models.contact import matches
from apps.vault.phones import NotAPhone, parse_phone
from apps.vault.recent_contacts import ORDER, recent_page

COLUMNS = (
    "id",
    "name",
    "email",
    "phone",
    "identifier",
    "contact_type",
    "custom_attributes",
    "last_activity_at",
    "created_at",
    "updated_at",
)
"""The columns of a contact's row, in this order."""

_SEALED = {1: "name", 2: "email", 3: "phone", 4: "identifier", 6: "custom_attributes"}
_ATTRIBUTES = COLUMNS.index("custom_attributes")
_AT = COLUMNS.index("last_activity_at")

MOST_BY_NAME = 50_000
"""How many contacts can be listed by name. The order of names is kept nowhere, because it would tell the names'
order to whoever holds the database; so every page decrypts all names (docs/security-model.md)."""

ContactRow = list[Any]


@dataclass(frozen=True)
class ContactSearch:
    """What to look for, exactly; several conditions narrow. ``q`` is any of e-mail, phone and identifier.

    ``region`` is the country of phone numbers without a country code.
    """

    email: str = ""
    phone: str = ""
    identifier: str = ""
    q: str = ""
    contact_type: str = ""
    region: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is looked for: all contacts."""
        return not (self.email or self.phone or self.identifier or self.q or self.contact_type)

    def apply(self, contacts: Any) -> Any:
        """``contacts`` narrowed to what is looked for."""
        if self.email:
            contacts = contacts.filter(matches("email", self.email))
        if self.phone:
            contacts = contacts.filter(matches("phone", self._e164(self.phone)))
        if self.identifier:
            contacts = contacts.filter(matches("identifier", self.identifier))
        if self.q:
            phone = matches("phone", self._e164(self.q))
            contacts = contacts.filter(matches("email", self.q) | matches("identifier", self.q) | phone)
        if self.contact_type:
            contacts = contacts.filter(contact_type=self.contact_type)
        return contacts

    def contact_id(self) -> UUID | None:
        """Somebody who fits, or None: for what refers to contacts by their id."""
        found: UUID | None = self.apply(Contact.objects.order_by()).values_list("id", flat=True).first()
        return found

    def _e164(self, text: str) -> str:
        try:
            return parse_phone(text, self.region).e164
        except NotAPhone:
            return ""


def contacts_by_recency(
    search: ContactSearch, position: Position | None, limit: int, *, as_json: bool = False
) -> Page[ContactRow]:
    """Contacts with the latest activity first. A position's key is ``(last_activity_at, id)``.

    ``as_json`` leaves the custom attributes as the JSON they are, for those who write JSON.
    """
    if search.is_empty:
        page = recent_page(_account_id(), COLUMNS, position, limit)
    else:
        rows = search.apply(Contact.objects).values_list(*COLUMNS)
        page = newest_first(rows, ORDER, position, limit, lambda row: (row[_AT], row[0]))
    return Page(_opened(page.rows, as_json=as_json), page.next, page.previous)


class NameKey(NamedTuple):
    """Where a contact stands in the order of names; those without a name come last."""

    nameless: bool
    folded: str
    id: UUID


def contacts_by_name(search: ContactSearch, position: Position | None, limit: int) -> Page[ContactRow]:
    """Contacts from A to Z, without regard to case and accents. A position's key is a NameKey.

    Raises ValidationError on ``ordering`` when more than MOST_BY_NAME contacts would have to be decrypted.
    """
    names = list(search.apply(Contact.objects).values_list("id", "name")[: MOST_BY_NAME + 1])
    if len(names) > MOST_BY_NAME:
        words = f"At most {MOST_BY_NAME:,} contacts can be listed by name. Narrow the list, or list by recency."
        raise ValidationError({"ordering": ValidationError(words, code="too_many")})
    keys = [_name_key(name, row_id) for row_id, name in open_columns(Contact, _account_id(), names, {1: "name"})]
    if position is None:
        found = heapq.nsmallest(limit + 1, keys)
    elif position.backwards:
        found = heapq.nlargest(limit + 1, [key for key in keys if key < position.key])
    else:
        found = heapq.nsmallest(limit + 1, [key for key in keys if key > position.key])
    page = cut(found, position, limit, tuple)
    rows = Contact.objects.filter(pk__in=[key.id for key in page.rows]).values_list(*COLUMNS)
    by_id = {row[0]: row for row in _opened(list(rows))}
    return Page([by_id[key.id] for key in page.rows if key.id in by_id], page.next, page.previous)


def contact(contact_id: UUID) -> ContactRow:
    """One contact, from the cache or the database. Raises Contact.DoesNotExist."""
    account_id = _account_id()
    row = contact_cache.get(account_id, contact_id)
    if row is None:
        row = Contact.objects.values_list(*COLUMNS).get(pk=contact_id)
        contact_cache.add(account_id, contact_id, row)
    return _opened([row])[0]


def _account_id() -> UUID:
    account_id = current_account_id()
    if account_id is None:
        raise NoScope("Contacts are read in the scope of their account.")
    return account_id


def _opened(rows: list[tuple[Any, ...]], *, as_json: bool = False) -> list[ContactRow]:
    return open_columns(Contact, _account_id(), rows, _SEALED, raw={_ATTRIBUTES} if as_json else ())


def _name_key(name: str | None, row_id: UUID) -> NameKey:
    if not name:
        return NameKey(True, "", row_id)
    letters = unicodedata.normalize("NFKD", name).casefold()
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    # Cut, so that a cursor stays short; names that agree so far stand in the order of their ids.
    return NameKey(False, plain[:60], row_id)
