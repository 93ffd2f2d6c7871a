"""The sockets of this floor's pages."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from rest_framework import serializers

from apps.accounts.api.serializers import Input
from apps.accounts.identifiers import uuid7
from apps.accounts.live.consumer import LiveConsumer
from apps.accounts.live.hub import hub
from apps.accounts.models import Membership
from apps.accounts.permissions import allows, known
from apps.chat.presence import Company


class Here(Input):
    """Which conversation the page shows (null: none), and whether its reader is writing an answer."""

    conversation = serializers.UUIDField(allow_null=True)
    writing = serializers.BooleanField(default=False)


class InboxConsumer(LiveConsumer):
    """``/app/<slug>/live/``: tells inbox pages what to fetch anew, and who else is at the conversation that is open.

    Presence goes round as ids; names are looked up where they are shown.
    """

    action = known("conversations.view")
    kinds: ClassVar = {**LiveConsumer.kinds, "here": Here}

    def __init__(self) -> None:
        super().__init__()
        self._page = str(uuid7())
        self._at: UUID | None = None
        self._is_writing = False
        self._company = Company()
        self._names: dict[UUID, str] = {}

    async def on_here(self, conversation: UUID | None, writing: bool) -> None:
        """Say to the others where the page is."""
        writing = writing and allows(self.entry.actor, "conversations.reply")
        if self._at not in {None, conversation}:
            await self._go()
        asks = conversation != self._at
        self._at, self._is_writing = conversation, writing
        if conversation is not None:
            await self._post({"asks": asks})
            await self._tell_company()

    def heard(self, event: dict[str, Any]) -> None:
        """Somebody came, is still there, or went."""
        if event["kind"] != "presence" or event["page"] == self._page or event["conversation"] != str(self._at):
            return
        if event.get("gone"):
            is_news = self._company.forget(event["page"])
        else:
            is_news = self._company.note(event["page"], UUID(event["member"]), event["writing"])
        if event.get("asks"):
            self.later(self._post({}))
        if is_news:
            self.later(self._tell_company())

    async def left(self) -> None:
        """The others need not wait until it is forgotten."""
        await self._go()

    async def _go(self) -> None:
        self._company.clear()
        if self._at is not None:
            await self._post({"gone": True})
            self._at = None

    async def _post(self, more: dict[str, Any]) -> None:
        assert self.account_id is not None
        assert self.entry.membership is not None
        event = {
            "kind": "presence",
            "page": self._page,
            "conversation": str(self._at),
            "member": str(self.entry.membership.id),
            "writing": self._is_writing,
        }
        await hub().post(self.account_id, {**event, **more})

    async def _tell_company(self) -> None:
        assert self.entry.membership is not None
        here = {
            member: writing for member, writing in self._company.members().items() if member != self.entry.membership.id
        }
        if unknown := set(here) - set(self._names):
            self._names |= await self.in_scope(_names_of, unknown)
        members = [
            {"name": self._names[member], "writing": writing}
            for member, writing in here.items()
            if member in self._names
        ]
        self.tell({"type": "presence", "conversation": str(self._at), "members": members})


def _names_of(members: set[UUID]) -> dict[UUID, str]:
    found = Membership.objects.filter(pk__in=members).select_related("user")
    return {member.id: member.user.display_name for member in found}
