"""Finding messages by their words, though no word lies in the database.

The words of the query, as keyed numbers, lead to the messages that may fit; these are decrypted and read, and only
those that do fit are hits. The work of one call is bounded whatever is asked and however much there is: it walks
through MOST_WALKED messages at most, and then returns what it has with the place to go on from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Q

from apps.vault.fields import open_column
from apps.vault.messages import asking, planning, quick
from apps.vault.messages.asking import Round
from apps.vault.messages.hashing import hashers
from apps.vault.messages.models import SealedMessage
from apps.vault.messages.planning import Plan
from apps.vault.messages.query import QueryFault, parse, reader
from apps.vault.messages.setting import Setting, account_in_scope, current_setting, words_of
from apps.vault.messages.words import DEFAULT_LANGUAGE

Look = Callable[[UUID, int, int], Round]

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


class Hit(NamedTuple):
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
    account_id = account_in_scope()
    limit = max(1, min(limit, MOST_PER_PAGE))
    language = _languages.get(account_id, DEFAULT_LANGUAGE)
    while True:
        found = _Search(account_id, model, conditions, query, language)
        page = found.page(before or asking.NEWEST, limit)
        if found.setting.language == language:
            return page
        # Another process changed it: the answer brought the language that holds.
        language = _remember(account_id, found.setting.language)


_languages: dict[UUID, str] = {}
"""The last language that each account was seen to have. Only a guess: every answer says which one holds."""
_MOST_LANGUAGES = 10_000


def _remember(account_id: UUID, language: str) -> str:
    if len(_languages) >= _MOST_LANGUAGES:
        _languages.clear()
    _languages[account_id] = language
    return language


class _Search:
    def __init__(
        self, account_id: UUID, model: type[SealedMessage], conditions: Q | None, query: str, language: str
    ) -> None:
        self.account_id, self.model, self.language = account_id, model, language
        self.words = f'"{words_of(model)._meta.db_table}"'
        self.table = f'"{model._meta.db_table}"'
        self.messages: Any = None
        if conditions is not None:
            self.messages = model.objects.filter(conditions, is_searchable=True)  # type: ignore[attr-defined]
        self._setting: Setting | None = None
        try:
            self.tree = parse(query, language)
            self.plan = self._planned()
            self.reader = reader(self.tree, language)
        except QueryFault:
            if self.setting.enabled:
                raise
        self.walked = self.read = 0

    @property
    def setting(self) -> Setting:
        """The account's; asked for when no answer brought it."""
        if self._setting is None:
            self._setting = current_setting()
        return self._setting

    def _planned(self) -> Plan:
        plan, bounds, self.single_numbers = planning.remembered(self.tree, hashers(self.account_id), self.language)
        if bounds:
            plan = planning.looked_up(plan, asking.expand(self.words, self.account_id, list(bounds)))
            planning.require_few(plan)
            self.single_numbers = planning.single_numbers(plan)
        return plan

    def page(self, before: UUID, limit: int) -> Page:
        """Up to ``limit`` hits below ``before``, and where to go on. Raises SearchIsOff."""
        hits: list[Hit] = []
        following: UUID | None = None
        if self._setting is None or self._setting.enabled:
            for looked, start in self._rounds(before, limit, hits):
                if looked.told:
                    self._setting = Setting.of(looked.setting)
                if not self.setting.enabled or self.setting.language != self.language:
                    break
                hits += self._fitting(looked.hits)
                following = start
                if len(hits) > limit:
                    following = hits[limit - 1].id
                    break
        if not self.setting.enabled:
            raise SearchIsOff("Word search is switched off for this account, so nothing is kept to find messages by.")
        return Page(hits[:limit], following, self.setting.building)

    def _rounds(self, before: UUID, limit: int, hits: list[Hit]) -> Iterator[tuple[Round, UUID | None]]:
        """Looks at the table, each with where to go on if it is the last one; until there is nothing more or enough."""
        look, step = self._way(before, limit)
        while look is not None:
            most = limit + 1 - len(hits)
            looked = look(before, step, most)
            self.walked += looked.walked
            if looked.full:
                before = looked.lowest or before  # some may not fit
            elif looked.ended or looked.last is None:
                yield looked, None
                return
            else:
                before = looked.last
            yield looked, before
            if self.walked >= MOST_WALKED or self.read >= MOST_READ:
                return
            step = min(step * _GROWTH, _LARGEST_STEP, max(step, self._most_step))

    def _way(self, before: UUID, limit: int) -> tuple[Look | None, int]:
        """How to look for this query, and how many messages to walk through at first."""
        plan, owner = self.plan, self.account_id
        self._most_step = _LARGEST_STEP
        wide = max(_FIRST_STEP, limit + 1)
        numbers = self.single_numbers
        if self.messages is None and numbers is not None:
            if len(numbers) == 1:
                return partial(self._newest, numbers[0]), limit + 1
            return partial(self._meeting, numbers), wide
        messages = self.messages
        if messages is None:
            messages = self.model.objects.filter(is_searchable=True)  # type: ignore[attr-defined]
        known = asking.few_messages(messages, before, FEW) if self.messages is not None else None
        counts = asking.count(self.words, owner, planning.worth_counting(plan), before)
        cost, driving = planning.driver(plan, counts)
        if not driving:
            return None, 0
        if known is not None and len(known) < cost:
            return partial(self._among, messages, known), len(known) + 1
        self._most_step = _MOST_LOOKED_UP // len(driving)
        return partial(self._walk, messages, sorted(driving), planning.asked_of_each(plan, driving)), wide

    def _newest(self, number: int, before: UUID, step: int, most: int) -> Round:
        return quick.newest(self.words, self.table, self.account_id, number, before, most)

    def _meeting(self, numbers: list[int], before: UUID, step: int, most: int) -> Round:
        return quick.meeting(self.words, self.table, self.account_id, numbers, before, step, most)

    def _among(self, messages: Any, known: list[UUID], before: UUID, step: int, most: int) -> Round:
        return asking.walk_through(self.words, self.account_id, messages, known, self.plan, before, most)

    def _walk(self, messages: Any, driving: list[int], rest: Plan | None, before: UUID, step: int, most: int) -> Round:
        return asking.walk(self.words, self.account_id, messages, driving, rest, before, step, most)

    def _fitting(self, rows: list[tuple[UUID, Any]]) -> list[Hit]:
        self.read += len(rows)
        fits = self.reader
        opened = open_column(self.model, self.account_id, "content", rows)
        return [Hit._make(row) for row in opened if fits(row[1])]
