"""Which conversations the list shows, and the addresses that say so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, QueryDict

from apps.accounts.models import Membership
from apps.accounts.pages.door import account_of
from apps.accounts.pages.shell import address
from apps.accounts.roles import Role
from apps.chat.models import Conversation
from apps.chat.selectors import NOBODY, ConversationFilter
from apps.chat.templatetags.conversations import STATUSES

MINE, UNASSIGNED, ALL = "mine", "unassigned", "all"
ANY = "any"
Status = Conversation.Status
STATUS_CHOICES = (*((status.value, STATUSES[status][1]) for status in Status), (ANY, "Any status"))


@dataclass(frozen=True)
class Wanted:
    """What the reader asked for: a tab, a status (or ANY), the id of an inbox, the name of a label ("" for all)."""

    tab: str = MINE
    status: str = Status.OPEN.value
    inbox: str = ""
    label: str = ""
    tabs: tuple[str, ...] = (MINE, UNASSIGNED, ALL)

    @classmethod
    def of(cls, request: HttpRequest) -> Wanted:
        """From the address; what makes no sense is as usual. Viewers are never in charge, so nothing is theirs."""
        return cls._read(request, request.GET)

    @classmethod
    def behind(cls, request: HttpRequest) -> Wanted:
        """From the address of the page that a dialog or a menu lies over, so that what it changes leads back there."""
        page = request.headers.get("HX-Current-URL", "")
        return cls._read(request, QueryDict(page.partition("#")[0].partition("?")[2]) if page else request.GET)

    @classmethod
    def _read(cls, request: HttpRequest, given: QueryDict) -> Wanted:
        tabs = (UNASSIGNED, ALL) if member_of(request).role == Role.VIEWER else (MINE, UNASSIGNED, ALL)
        usual = ALL if MINE not in tabs else MINE
        return cls(
            tab=tab if (tab := given.get("tab", "")) in tabs else usual,
            status=status if (status := given.get("status", "")) in (*Status.values, ANY) else Status.OPEN.value,
            inbox=uuid_or_nothing(given.get("inbox", "")),
            label=given.get("label", "").strip()[:50],
            tabs=tabs,
        )

    def filter(self, tab: str | None, member: Membership) -> ConversationFilter:
        """For the selectors; ``tab`` None leaves out who is in charge."""
        in_charge: dict[str, UUID | str] = {MINE: member.id, UNASSIGNED: NOBODY}
        return ConversationFilter(
            inbox=UUID(self.inbox) if self.inbox else None,
            statuses=() if self.status == ANY else (self.status,),
            assignee=in_charge.get(tab or ALL),
            label=self.label,
        )

    def words(self, **changes: str) -> dict[str, str]:
        """The parts of the address that are not as usual, with ``changes``."""
        wanted = replace(self, **changes)  # type: ignore[arg-type]
        usual = Wanted()
        names = ("tab", "status", "inbox", "label")
        return {name: getattr(wanted, name) for name in names if getattr(wanted, name) != getattr(usual, name)}

    @property
    def is_narrowed(self) -> bool:
        """Whether anything but the tab is not as usual."""
        return bool(set(self.words()) - {"tab"})


def list_url(request: HttpRequest, wanted: Wanted, *, extra: Mapping[str, Any] | None = None, **changes: str) -> str:
    """The address of the list with ``changes``; ``extra`` are parts that are no filters (a cursor)."""
    base = address(account_of(request), "inbox")
    return _with(base, {**wanted.words(**changes), **(extra or {})})


def conversation_url(request: HttpRequest, conversation_id: UUID, wanted: Wanted) -> str:
    """The address of a conversation beside the list as it is."""
    base = address(account_of(request), "inbox_conversation", conversation_id=conversation_id)
    return _with(base, wanted.words())


def member_of(request: HttpRequest) -> Membership:
    """The membership through which the reader is here."""
    membership: Membership = request.membership  # type: ignore[attr-defined]
    return membership


def _with(base: str, words: Mapping[str, Any]) -> str:
    return f"{base}?{urlencode(words)}" if words else base


def uuid_or_nothing(text: str) -> str:
    """An id as it is written; "" for what is none."""
    try:
        return str(UUID(text))
    except ValueError:
        return ""
