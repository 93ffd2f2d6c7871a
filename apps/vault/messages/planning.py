"""From a query to what the table of words is asked.

Every leaf of the query becomes a ``Term``: numbers of which a message must have one (several while an index key is
rotated, or for a prefix). One part of the query *drives*: its messages are walked through, newest first, and the
other parts are asked of each. It is the part with the fewest messages, as far as they are worth counting.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from apps.vault.messages.hashing import WordHasher
from apps.vault.messages.query import And, Node, Or, Phrase, Prefix, QueryFault, Word
from apps.vault.messages.stop_words import stop_words
from apps.vault.messages.words import is_spaceless, pairs, stem

MOST_NUMBERS = 1_000
"""How many words one search may go through: what the prefixes of a query stand for counts."""
COUNTED_UP_TO = 1_000
"""Messages with a word are counted up to here, to find the rarest: beyond, all words are common."""


@dataclass(frozen=True)
class Term:
    """A message must have one of these numbers."""

    numbers: tuple[int, ...]


@dataclass(frozen=True)
class Span:
    """A message must have a number from ``low`` to ``high`` in one of these pairs: a prefix, not yet looked up."""

    bounds: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Every:
    """All of these."""

    children: tuple[Plan, ...]


@dataclass(frozen=True)
class Either:
    """Any of these."""

    children: tuple[Plan, ...]


Plan = Term | Span | Every | Either


def plan(tree: Node, hashers: list[WordHasher], language: str) -> Plan:
    """What the tree asks of the table of words, under each key."""
    match tree:
        case Word():
            return Term(_numbers(tree.stem, hashers))
        case Prefix():
            return Span(tuple(hasher.span(tree.start) for hasher in hashers))
        case Phrase():
            return _phrase(tree, hashers, language)
        case And():
            return _flat(Every, [plan(child, hashers, language) for child in tree.children])
        case Or():
            return _flat(Either, [plan(child, hashers, language) for child in tree.children])


class Planned(NamedTuple):
    """A plan, and what is asked of it first."""

    plan: Plan
    bounds: tuple[tuple[int, int], ...]
    """The ends of its prefixes, to be looked up."""
    single_numbers: list[int] | None


MOST_PLANS = 1_000


def remembered(tree: Node, hashers: list[WordHasher], language: str) -> Planned:
    """The plan of a tree that ``parse`` remembers too."""
    plans, key = hashers[0].plans, (id(tree), language)
    known: tuple[Node, Planned] | None = plans.get(key) if len(hashers) == 1 else None
    if known is not None and known[0] is tree:
        return known[1]
    made = plan(tree, hashers, language)
    bounds = tuple(dict.fromkeys(pair for span in spans(made) for pair in span.bounds))
    planned = Planned(made, bounds, single_numbers(made))
    if len(hashers) == 1:
        if len(plans) >= MOST_PLANS:
            plans.clear()
        plans[key] = tree, planned
    return planned


def _numbers(word: str, hashers: list[WordHasher]) -> tuple[int, ...]:
    return tuple(hasher.number(word) for hasher in hashers)


def _phrase(phrase: Phrase, hashers: list[WordHasher], language: str) -> Plan:
    stopped = stop_words(language)
    words = [stem(part, language) for part in phrase.parts if not is_spaceless(part) and part not in stopped]
    # The last letter of a run stands alone in the index only where the run ends: not to be asked for here.
    words += [pair for pair in pairs(phrase.parts) if len(pair) > 1]
    if words:
        return _flat(Every, [Term(_numbers(word, hashers)) for word in dict.fromkeys(words)])
    letters = dict.fromkeys(part for part in phrase.parts if is_spaceless(part))
    return _flat(Every, [Span(tuple(hasher.span(letter) for hasher in hashers)) for letter in letters])


def _flat(kind: type[Every] | type[Either], children: list[Plan]) -> Plan:
    """A node whose children are of other kinds than itself."""
    found: list[Plan] = []
    for child in children:
        found += child.children if isinstance(child, Every | Either) and isinstance(child, kind) else [child]
    return found[0] if len(found) == 1 else kind(tuple(found))


def spans(what: Plan) -> list[Span]:
    """The prefixes that must be looked up before it can be asked."""
    if isinstance(what, Every | Either):
        return [span for child in what.children for span in spans(child)]
    return [what] if isinstance(what, Span) else []


def looked_up(what: Plan, found: dict[tuple[int, int], list[int]]) -> Plan:
    """The plan with each prefix replaced by the numbers found for it."""
    match what:
        case Span():
            return Term(tuple(number for bounds in what.bounds for number in found.get(bounds, [])))
        case Every() | Either():
            return type(what)(tuple(looked_up(child, found) for child in what.children))
    return what


def require_few(what: Plan) -> None:
    """Raises QueryFault when the prefixes of the query stand for more words than one search may go through."""
    if len(numbers(what)) > MOST_NUMBERS:
        raise QueryFault("prefix_too_wide", "Too many words begin so. Write more letters before the asterisk.")


def numbers(what: Plan) -> set[int]:
    """All numbers it asks for."""
    if isinstance(what, Every | Either):
        return {number for child in what.children for number in numbers(child)}
    assert isinstance(what, Term)
    return set(what.numbers)


def single_numbers(what: Plan) -> list[int] | None:
    """The different numbers of a plan that asks for words alone, each under one key; None for every other plan."""
    children = what.children if isinstance(what, Every) else (what,)
    found = [child.numbers[0] for child in children if isinstance(child, Term) and len(child.numbers) == 1]
    return sorted(set(found)) if len(found) == len(children) else None


def worth_counting(what: Plan) -> list[int]:
    """Numbers whose messages should be counted: those that something else must stand beside."""
    return sorted(numbers(what)) if isinstance(what, Every) else []


def driver(what: Plan, counts: dict[int, int]) -> tuple[int, frozenset[int]]:
    """How many messages would be walked through at most, and the numbers that lead to all of them."""
    match what:
        case Every():
            return min((driver(child, counts) for child in what.children), key=lambda found: found[0])
        case Either():
            found = [driver(child, counts) for child in what.children]
            return sum(cost for cost, _ in found), frozenset(number for _, some in found for number in some)
    assert isinstance(what, Term)
    return sum(counts.get(number, COUNTED_UP_TO) for number in what.numbers), frozenset(what.numbers)


def asked_of_each(what: Plan, driving: frozenset[int]) -> Plan | None:
    """What must still be asked of a message that has one of the driving numbers. None: nothing."""
    match what:
        case Term():
            return None if set(what.numbers) >= driving else what
        case Either():
            return None if all(isinstance(child, Term) for child in what.children) else what
        case Every():
            left = [child for child in what.children if _still_asked(child, driving)]
            return _flat(Every, left) if left else None
    return what


def _still_asked(child: Plan, driving: frozenset[int]) -> bool:
    """A term, or an alternative of terms alone, holds already when it is what drives."""
    if isinstance(child, Either) and not all(isinstance(other, Term) for other in child.children):
        return True
    return not numbers(child) >= driving
