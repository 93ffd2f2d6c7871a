"""Finding messages by their words, though no word lies in the database.

The words of the query, as keyed numbers, lead to the messages that may fit; these are decrypted and read, and only
those that do fit are hits. The work of one call is bounded whatever is asked and however much there is: it walks
through MOST_WALKED messages at most, and then returns what it has with the place to go on from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q

from apps.vault.fields import open_columns
from apps.vault.messages import asking, planning
from apps.vault.messages.hashing import hashers
from apps.vault.messages.models import SealedMessage
from apps.vault.messages.query import Node, parse
from apps.vault.messages.setting import account_in_scope, current_setting, words_of
from apps.vault.messages.words import Reading

PAGE = 50
MOST_PER_PAGE = 200
MOST_WALKED = 20_000
MOST_READ = 2_000
FEW = 500
"""Up to so many messages that the conditions leave are walked through themselves, instead of the word's."""
_FIRST_STEP, _GROWTH, _LARGEST_STEP = 256, 4, 4_096
_MOST_LOOKED_UP = 100_000
"""Rows of the table of words in one step, over all words that drive."""


class SearchIsOff(RuntimeError):
    """The account has switched word search off: there are no words to look in."""


@dataclass(frozen=True)
class Hit:
    """A message that fits."""

    id: UUID
    content: str


@dataclass(frozen=True)
class Page:
    """Hits, newest first. ``next``: where to go on (``before`` of the next call); None: there are no more.

    A page may be short and still have a next one: then the search stopped because it had looked at enough.
    ``building``: the words of the account are being made, so not everything is found yet.
    """

    hits: list[Hit]
    next: UUID | None
    building: bool


def search(
    model: type[SealedMessage],
    query: str,
    *,
    before: UUID | None = None,
    limit: int = PAGE,
    conditions: Q | None = None,
) -> Page:
    """Messages of the account in scope that fit ``query`` (see ``query``) and ``conditions``, newest first.

    ``conditions`` narrow the messages by columns that have an index (of a conversation, ids, a period).
    Raises QueryFault, SearchIsOff, NoScope, Sealed, DecryptionFailed.
    """
    account_id, setting = account_in_scope(), current_setting()
    if not setting.enabled:
        raise SearchIsOff("Word search is switched off for this account, so nothing is kept to find messages by.")
    tree = parse(query, setting.language)
    messages: Any = model.objects.filter(is_searchable=True)  # type: ignore[attr-defined]
    messages = messages if conditions is None else messages.filter(conditions)
    found = _Search(account_id, model, messages, tree, setting.language, conditions is not None)
    limit = max(1, min(limit, MOST_PER_PAGE))
    hits, following = found.page(before or asking.NEWEST, limit)
    return Page(hits, following, setting.building)


class _Search:
    def __init__(
        self, account_id: UUID, model: type[SealedMessage], messages: Any, tree: Node, language: str, narrowed: bool
    ) -> None:
        self.account_id, self.model, self.messages, self.narrowed = account_id, model, messages, narrowed
        self.tree, self.language = tree, language
        self.table = f'"{words_of(model)._meta.db_table}"'
        plan = planning.plan(tree, hashers(account_id), language)
        bounds = [pair for span in planning.spans(plan) for pair in span.bounds]
        self.plan = planning.looked_up(plan, asking.expand(self.table, account_id, list(dict.fromkeys(bounds))))
        planning.require_few(self.plan)
        self.walked = self.read = 0

    def page(self, before: UUID, limit: int) -> tuple[list[Hit], UUID | None]:
        """Up to ``limit`` hits below ``before``, and where to go on."""
        hits: list[Hit] = []
        known = asking.few_messages(self.messages, before, FEW) if self.narrowed else None
        counts = asking.count(self.table, self.account_id, planning.worth_counting(self.plan), before)
        cost, driving = planning.driver(self.plan, counts)
        if known is not None and len(known) < cost:
            driving = frozenset()
        elif not driving:
            return [], None
        rest = self.plan if known is not None and not driving else planning.asked_of_each(self.plan, driving)
        step = limit + 1 if rest is None and not self.narrowed else max(_FIRST_STEP, limit + 1)
        while True:
            most = limit + 1 - len(hits)
            if driving:
                found = asking.walk(
                    self.table, self.account_id, self.messages, sorted(driving), rest, before, step, most
                )
            else:
                assert known is not None
                found = asking.walk_through(self.table, self.account_id, self.messages, known, rest, before, most)
            self.walked += found.walked
            hits += self._fitting(found.hits)
            if len(hits) > limit:
                return hits[:limit], hits[limit - 1].id
            if len(found.hits) == most:
                before = found.hits[-1][0]  # some did not fit: there may be more among those walked through
            elif found.ended or found.last is None:
                return hits, None
            else:
                before = found.last
            if self.walked >= MOST_WALKED or self.read >= MOST_READ:
                return hits, before
            step = min(step * _GROWTH, _LARGEST_STEP, max(step, _MOST_LOOKED_UP // max(1, len(driving))))

    def _fitting(self, rows: list[tuple[UUID, Any]]) -> list[Hit]:
        self.read += len(rows)
        opened = open_columns(self.model, self.account_id, rows, {1: "content"})  # type: ignore[arg-type]
        return [
            Hit(message_id, content)
            for message_id, content in opened
            if self.tree.fits(Reading(content, self.language))
        ]
