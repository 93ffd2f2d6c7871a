"""Facts that a customer states, found by rules: what serves where no language model is connected. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

MOST_WORDS = 60
_SENTENCE = re.compile(r"(?<=[.!?…])\s+|\n+")
_AM = r"\b(I ?['’]?m|I am|we ?['’]?re|we are)"
_HAVE = r"\b(I|we)( ?['’]ve| have)?( got)?"
_RULES: tuple[tuple[str, int, re.Pattern[str]], ...] = tuple(
    (tag, importance, re.compile(pattern, re.IGNORECASE))
    for tag, importance, pattern in (
        (
            "health",
            5,
            r"\b(allergi\w+|asthma\w*|diabet\w+|pregnan\w+|wheelchair|disab\w+|deaf|blind|dyslexi\w+|autis\w+"
            r"|low vision|(hard of|poor) hearing|partially sighted)\b",
        ),
        (
            "contact",
            4,
            r"\b(call|phone|ring|text|e-?mail|write to|reach|contact|notify) (me|us)\b|\bbest time to\b"
            r"|\bdon['’]?t (call|ring|phone|deliver)\b",
        ),
        ("preference", 3, rf"{_HAVE}( ?['’]d| would)? (really )?(prefer|always|never|usually|rather|need)\b"),
        ("age", 2, rf"{_AM} \d{{1,3}}\b(?! (day|hour|minute|week|people|month))"),
        (
            "household",
            3,
            r"\b(my|our)( \w+)? (wife|husband|partner|sons?|daughters?|children|kids?|bab(y|ies)|toddler|mother|father"
            r"|parents|flatmates?|dogs?|cats?|family)\b|\b(my|our) \w+[- ]year[- ]old\b",
        ),
        (
            "home",
            3,
            rf"{_HAVE}( just)? (live|moved?|rent|relocat\w+)\b"
            rf"|{_AM} (now )?(back )?(moving|living|based) (to|in|on|at)\b"
            r"|\b(my|our) (new )?(address|farm|boat|narrowboat)\b",
        ),
        (
            "work",
            2,
            rf"{_HAVE} (work|run|own|teach|study|freelance)\b"
            rf"|{_AM} an? ([\w-]+ )?\w+(er|or|ist|ant|ian|nurse|student)\b"
            r"|\bmy (shift|job|employer|practice)\b|\b(been )?offered a job\b",
        ),
        (
            "company",
            2,
            r"\bour (company|team|school|business|charity|office|shop|studio|accountant|bookkeeper|clinic|firm)\b",
        ),
        ("absence", 2, rf"{_AM} (away|abroad|travelling|on holiday|on leave|out of office|back (on|in))\b"),
        (
            "circumstances",
            2,
            rf"{_HAVE} (don['’]?t|do not|can['’]?t) (drive|own|speak|use)\b|{_AM} (on|at) (a|an|\w+ pay)\b",
        ),
        ("language", 3, r"\b(my (first|native) language|I (don['’]?t|do not) speak|my English)\b"),
        ("long-standing", 2, r"\b(customers?|tenants?|members?|clients?|buying|with you)( from you)? (since|for) \b"),
    )
)
_FIRST_PERSON = re.compile(r"\b(I|we|me|us|my|our|im)\b|^please\b", re.IGNORECASE)


@dataclass(frozen=True)
class Stated:
    """A sentence that states something about who wrote it."""

    text: str
    importance: int
    tags: tuple[str, ...]


def facts_in(text: str) -> list[Stated]:
    """The sentences of ``text`` in which somebody states something of themselves that is worth remembering."""
    found = []
    for sentence in _SENTENCE.split(text):
        sentence = " ".join(sentence.split())
        if not _FIRST_PERSON.search(sentence) or len(sentence.split()) > MOST_WORDS:
            continue
        matched = [(tag, importance) for tag, importance, pattern in _RULES if pattern.search(sentence)]
        if matched:
            found.append(Stated(sentence, max(weight for _, weight in matched), tuple(tag for tag, _ in matched)))
    return found
