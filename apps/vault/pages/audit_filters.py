"""Which entries of the trail a page shows: from the address, as criteria, and back into an address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.core.cache import cache
from django.http import HttpRequest
from django.utils import timezone

from apps.accounts.models import APIKey, Membership
from apps.accounts.pages.door import account_of
from apps.vault.audit.phrases import heading_of, short_of
from apps.vault.audit.selectors import Criteria, actions_seen
from apps.vault.selectors import ContactSearch

KINDS = (
    ("system", "Strongroom itself"),
    ("staff", "Support staff"),
    ("api_key", "Any API key"),
    ("anonymous", "Somebody not signed in"),
)
_ACTIONS_SECONDS = 60


@dataclass(frozen=True)
class Filters:
    """What was asked for, as text; ``since`` and ``until`` are days of the reader's calendar, both inclusive."""

    action: str = ""
    actor: str = ""
    entity: str = ""
    since: str = ""
    until: str = ""
    # What ``entity`` stands for when it is the e-mail, phone or identifier of a contact.
    found: str = ""

    @classmethod
    def of(cls, request: HttpRequest) -> Filters:
        """Read the address. In the account's scope."""
        # Without null characters, which PostgreSQL has no text for.
        wanted = {name: _plain(request.GET.get(name, "")) for name in ("action", "actor", "entity")}
        days = {"since": _day_text(request.GET.get("from", "")), "until": _day_text(request.GET.get("to", ""))}
        return cls(**wanted, **days, found=_resolved(wanted["entity"], account_of(request).default_region))

    @property
    def criteria(self) -> Criteria:
        """The same for the selectors."""
        return Criteria(
            entity=self.found,
            actor=self.actor,
            action=self.action,
            since=_midnight(self.since, 0),
            until=_midnight(self.until, 1),
        )

    @property
    def are_set(self) -> bool:
        return bool(self.given())

    def given(self) -> dict[str, str]:
        """What was asked for and is not empty, by its name in addresses."""
        named = {
            "action": self.action,
            "actor": self.actor,
            "entity": self.entity,
            "from": self.since,
            "to": self.until,
        }
        return {name: value for name, value in named.items() if value}

    def url(self, base: str, **more: Any) -> str:
        """``base`` with these filters and ``more``."""
        query = urlencode({**self.given(), **more})
        return f"{base}?{query}" if query else base

    def choices(self, account_id: UUID) -> dict[str, Any]:
        """What can be chosen: actions under their resources, and who acts here."""
        people = Membership.objects.select_related("user").order_by("user__name", "user__email")
        return {
            "actions": _action_groups(account_id, self.action),
            "people": [(str(place.user_id), place.user.display_name) for place in people],
            "keys": [(str(key.pk), key.name) for key in APIKey.objects.order_by("name")],
            "kinds": KINDS,
        }


def _action_groups(account_id: UUID, chosen: str) -> list[tuple[str, list[tuple[str, str]]]]:
    # Finding the different actions reads the whole index; a new kind of entry may show up a minute later.
    name = f"audit-actions:{account_id}"
    seen: list[str] = cache.get_or_set(name, lambda: actions_seen(account_id), _ACTIONS_SECONDS) or []
    groups: dict[str, list[tuple[str, str]]] = {}
    for action in sorted({*seen, *([chosen] if chosen and not chosen.endswith(".*") else [])}):
        resource = action.partition(".")[0]
        everything = (f"{resource}.*", f"{heading_of(resource)}: everything")
        groups.setdefault(heading_of(resource), [everything]).append((action, short_of(action)))
    return sorted(groups.items())


def _resolved(entity: str, region: str) -> str:
    """``entity`` as the selectors know it. A contact's e-mail, phone or identifier stands for the contact."""
    if not entity or _is_id(entity.rpartition(":")[2]):
        return entity
    found = ContactSearch(q=entity, region=region)
    contact_id = found.contact_id()
    return f"contact:{contact_id}" if contact_id else entity


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _plain(text: str) -> str:
    return text.replace("\0", "").strip()[:200]


def _day_text(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return ""


def _midnight(day: str, days_later: int) -> datetime | None:
    """The beginning of ``day``, or of a later one, in the reader's zone."""
    if not day:
        return None
    try:
        moment = datetime.combine(date.fromisoformat(day) + timedelta(days=days_later), time.min)
        return timezone.make_aware(moment).astimezone(timezone.get_default_timezone())
    except OverflowError:
        return None
