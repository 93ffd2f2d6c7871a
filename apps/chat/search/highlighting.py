"""Which words of a passage are those that somebody looked for: in any of their endings, by prefix, or letter by letter
in scripts without spaces. What was found by its meaning alone has none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from apps.vault.messages import current_setting
from apps.vault.messages.words import DEFAULT_LANGUAGE, analyse, chunks, is_spaceless, normal

_WORD = re.compile(r"\w+(?:[.'’@&+\-‐‑]\w+)*")
_ASKED = re.compile(r"[^\s\"“”„«»()]+")
_OPERATORS = frozenset({"AND", "OR"})
Span = tuple[int, int]
"""Beginning and end, in characters of the text."""


@dataclass(frozen=True)
class Asked:
    """What a query looks for: stems of words, beginnings, and runs of letters of scripts without spaces."""

    language: str
    stems: frozenset[str] = frozenset()
    starts: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()

    @classmethod
    def of(cls, query: str, language: str) -> Asked:
        """From the words of a query, whatever stands between them."""
        stems: set[str] = set()
        starts, runs = [], []
        for term in _ASKED.findall(query):
            for chunk in [] if term in _OPERATORS else chunks(normal(term)):
                if is_spaceless(chunk):
                    runs.append(chunk)
                elif term.endswith("*"):
                    starts.append(chunk)
                else:
                    stems.update(analyse(chunk, language).stems)
        return cls(language, frozenset(stems), tuple(starts), tuple(runs))

    def spans(self, text: str) -> list[Span]:
        """Where it stands in ``text``, in order; none overlaps another."""
        found = [match.span() for match in _WORD.finditer(text) if self._fits(match[0])]
        for run in self.runs:
            found += [match.span() for match in re.finditer(re.escape(run), text)]
        return _apart(found)

    def _fits(self, word: str) -> bool:
        for chunk in chunks(normal(word)):
            if chunk.startswith(self.starts or ("\0",)):
                return True
            if not self.stems.isdisjoint(analyse(chunk, self.language).stems):
                return True
        return False


def asked_in_account(query: str) -> Asked:
    """By the language of the account in scope."""
    return Asked.of(query, current_setting().language or DEFAULT_LANGUAGE)


def pieces(text: str, spans: list[Span]) -> Iterator[tuple[str, bool]]:
    """``text`` in pieces, each with whether it was looked for."""
    at = 0
    for start, end in spans:
        if start > at:
            yield text[at:start], False
        yield text[start:end], True
        at = end
    if at < len(text):
        yield text[at:], False


def _apart(spans: list[Span]) -> list[Span]:
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start < found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found
