"""What somebody looks for: a phrase in quotes, words, ``OR``, brackets, ``begin*``. Pure.

Words side by side must all be there (``AND`` may be written); ``OR`` binds less. A word is looked for in all its
endings, a phrase exactly as it stands but for case and accents. Stop words count inside of phrases alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from apps.vault.messages import words
from apps.vault.messages.stop_words import stop_words
from apps.vault.messages.words import Chunk, Reading, analyse, chunks, is_spaceless, normal, stem

LONGEST_QUERY = 500
MOST_LEAVES = 32
SHORTEST_PREFIX = 3


class QueryFault(ValueError):
    """The query can't be asked so. The text is for the person who wrote it; it never repeats their words."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code = code


@dataclass(frozen=True)
class Word:
    """A word, in any of its endings."""

    stem: str

    def fits(self, reading: Reading) -> bool:
        """Whether the text answers to it."""
        return reading.has(self.stem)


@dataclass(frozen=True)
class Prefix:
    """Any word that begins so."""

    start: str

    def fits(self, reading: Reading) -> bool:
        """Whether the text answers to it."""
        return reading.begins(self.start)


@dataclass(frozen=True)
class Phrase:
    """These words, side by side, as they stand. At least one of them is indexed."""

    parts: tuple[str, ...]

    def fits(self, reading: Reading) -> bool:
        """Whether the text answers to it."""
        return reading.says(self.parts)


@dataclass(frozen=True)
class And:
    """All of these."""

    children: tuple[Node, ...]

    def fits(self, reading: Reading) -> bool:
        """Whether the text answers to it."""
        return all(child.fits(reading) for child in self.children)


@dataclass(frozen=True)
class Or:
    """Any of these."""

    children: tuple[Node, ...]

    def fits(self, reading: Reading) -> bool:
        """Whether the text answers to it."""
        return any(child.fits(reading) for child in self.children)


Node = Word | Prefix | Phrase | And | Or

_QUOTES = '"“”„«»'
_LEFT_OUT = re.compile(r"(?:^|\s)(?:AND|OR)\s+NOT(?=\s|$)")
_TOKEN = re.compile(f"[{_QUOTES}]([^{_QUOTES}]*)(?:[{_QUOTES}]|$)|([()])|([^\\s(){_QUOTES}]+)")


@lru_cache(maxsize=1_000)
def parse(query: str, language: str) -> Node:
    """The tree of ``query``, remembered because people turn pages.

    Raises QueryFault: too long, nothing to look for, a prefix that is too short, ``AND NOT``.
    """
    if len(query) > LONGEST_QUERY:
        raise QueryFault("query_too_long", f"Use at most {LONGEST_QUERY} characters.")
    if _LEFT_OUT.search(query) and query != query.upper():  # in capitals throughout it is what somebody says
        raise QueryFault("operator_unknown", "AND NOT is not understood. Write only what the messages should say.")
    tree = _Parser(query, language).whole()
    if tree is None:
        raise QueryFault("nothing_to_find", "Write at least one word that is not in nearly every message.")
    if leaves(tree) > MOST_LEAVES:
        raise QueryFault("too_many_words", f"Use at most {MOST_LEAVES} words.")
    return tree


def reader(tree: Node, language: str) -> Callable[[str], bool]:
    """Tells of many texts, one after the other, whether they answer to the tree."""
    match tree:
        case Word():
            return words.reader(tree.stem, language)
        case And() if all(isinstance(child, Word) for child in tree.children):
            each = [reader(child, language) for child in tree.children]
            return lambda text: all(has(text) for has in each)
    return lambda text: tree.fits(words.Reading(text, language))


def leaves(tree: Node) -> int:
    """How many words, phrases and prefixes it asks for."""
    return sum(leaves(child) for child in tree.children) if isinstance(tree, And | Or) else 1


class _Parser:
    """or := and ("OR" and)* ; and := ("AND"? item)* ; item := "(" or ")" | "…" | word | word*"""

    def __init__(self, query: str, language: str) -> None:
        self.language = language
        self.tokens: list[tuple[str, str]] = list(_tokens(query))
        self.at = 0

    def whole(self) -> Node | None:
        found = []
        while self.at < len(self.tokens):
            found.append(self._or())
            self.at += self._next() == ("mark", ")")  # one that nothing opened
        return _joined(And, found)

    def _next(self) -> tuple[str, str] | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def _or(self) -> Node | None:
        found = [self._and()]
        while self._next() == ("mark", "OR"):
            self.at += 1
            found.append(self._and())
        return _joined(Or, found)

    def _and(self) -> Node | None:
        found: list[Node | None] = []
        while (token := self._next()) not in (None, ("mark", ")"), ("mark", "OR")):
            assert token is not None
            self.at += 1
            kind, text = token
            if token == ("mark", "("):
                found.append(self._or())
                self.at += self._next() == ("mark", ")")
            elif kind == "phrase":
                found.append(self._phrase(text))
            elif kind == "word":
                found.append(self._term(text))
        return _joined(And, found)

    def _phrase(self, text: str) -> Node | None:
        parts = tuple(part for chunk in chunks(normal(text)) for part in analyse(chunk, self.language).parts)
        if len(parts) == 1 and is_spaceless(parts[0]):
            return Prefix(parts[0])  # pairs of letters are indexed by their first too
        if not parts:
            return None
        if all(part in stop_words(self.language) for part in parts):
            fault = "A phrase needs at least one word that is not in nearly every message."
            raise QueryFault("only_stop_words", fault)
        return Phrase(parts)

    def _term(self, text: str) -> Node | None:
        text = normal(text)
        found = chunks(text)
        if not found:
            return None
        if text.endswith("*"):
            return self._prefix(found)
        if len(found) > 1 or is_spaceless(found[0][-1]) or is_spaceless(found[0]):
            return self._phrase(text)
        chunk = analyse(found[0], self.language)
        if not chunk.stems:
            return None
        asked = stem(_whole(found[0], chunk), self.language)
        return Word(asked) if asked in chunk.stems else self._phrase(text)

    def _prefix(self, found: list[str]) -> Node:
        """The last chunk is a beginning, what stands before it is a phrase."""
        chunk = analyse(found[-1], self.language)
        start = _whole(found[-1], chunk)
        if is_spaceless(start):
            return self._phrase(found[-1]) or Prefix(start)
        if len(start) < SHORTEST_PREFIX:
            fault = f"Write at least {SHORTEST_PREFIX} letters before the asterisk."
            raise QueryFault("prefix_too_short", fault)
        before = self._phrase(" ".join(found[:-1])) if len(found) > 1 else None
        return And((before, Prefix(start))) if before else Prefix(start)


def _whole(chunk: str, found: Chunk) -> str:
    """The one word that stands for a chunk: an address whole, another without ``www.`` or its hyphens."""
    return (found.wholes or found.parts)[0 if "@" in chunk else -1]


def _tokens(query: str) -> Iterator[tuple[str, str]]:
    for match in _TOKEN.finditer(query):
        phrase, mark, word = match.groups()
        if phrase is not None:
            yield "phrase", phrase
        elif mark or word == "OR":
            yield "mark", mark or word
        elif word != "AND":
            yield "word", word


def _joined(kind: Any, children: list[Node | None]) -> Node | None:
    """One node of those that ask for something, each once."""
    some = tuple(dict.fromkeys(child for child in children if child is not None))
    return kind(some) if len(some) > 1 else some[0] if some else None
