"""What the demo's customers and teams say to each other, from the texts in ``data/``.

``data/`` holds 100 intents of three companies, each with wordings of its question, a canned answer, a whole
conversation and something worth remembering. They were written for this product.
"""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"
CUSTOMER, TEAM, NOTE = "customer", "team", "note"

_GREETINGS = ("Hello {name},", "Hi {name},", "Dear {name},", "Good morning {name},")
_CLOSINGS = ("Best wishes,\n{me}", "Kind regards,\n{me}", "Thank you,\n{me}")
_THANKS = (
    "That's sorted it, thank you.",
    "Perfect, thanks for the quick reply.",
    "Thank you, that's all I needed to know.",
    "Great, much appreciated.",
    "Thanks. I'll come back to you if it happens again.",
    "Wonderful, thank you for your help.",
    "Ok, I'll do that. Thank you.",
)
_DOUBTS = (
    "Thanks, but that isn't quite it. Could somebody look at my case?",
    "I tried that already, and nothing has changed.",
    "How long will that take? I do need it this week.",
    "Sorry, I don't follow. What exactly should I do first?",
    "I still haven't heard anything. Is there any news?",
)
_SECOND = (
    "Thank you for trying that. A colleague who knows this best has it now, and I'll write to you by tomorrow.",
    "I'm sorry it isn't solved yet. I'm looking into it myself now and will come back to you today.",
    "Of course. I have asked for it to be done first thing tomorrow, and I'll tell you as soon as it is.",
)
_NOTES = (
    "Called them back, nobody answered. Trying again tomorrow.",
    "Same question as last month. We should put this on the help page.",
    "Checked with the team: this is the right answer, go ahead.",
    "Very friendly on the phone. No hurry, but let's not forget it.",
)


@dataclass(frozen=True)
class Turn:
    """One thing that is said: by CUSTOMER or TEAM, or a NOTE."""

    by: str
    text: str


@dataclass(frozen=True)
class Story:
    """A conversation without its times and people. ``is_settled``: whether it came to an end.

    ``fact``: what is worth remembering of its first message, "" when nothing is.
    """

    subject: str
    category: str
    turns: tuple[Turn, ...]
    is_settled: bool
    fact: str = ""


@dataclass(frozen=True)
class Intent:
    """What customers of a company ask again and again."""

    title: str
    category: str
    wordings: list[tuple[str, str]] = field(default_factory=list)
    scripts: list[list[dict[str, str]]] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)
    canned: list[tuple[str, str]] = field(default_factory=list)


@cache
def intents(company: str) -> list[Intent]:
    """Everything that is known of one company's customers."""
    found = {row["id"]: Intent(row["title"], row["category"]) for row in _rows("intents") if row["company"] == company}
    by_intent: dict[str, Intent] = defaultdict(lambda: Intent("", ""), found)
    for row in _rows("messages"):
        by_intent[row["intent"]].wordings.append((row["id"], row["text"]))
    for row in _rows("conversations"):
        by_intent[row["intent"]].scripts.append(row["turns"])
    for row in _rows("facts"):
        by_intent[row["intent"]].facts[row["message_id"]] = row["fact"]
    for row in _rows("canned"):
        by_intent[row["intent"]].canned.append((row["short_code"], row["content"]))
    return list(found.values())


def stories(company: str, each: int, chance: random.Random) -> Iterator[Story]:
    """Every whole conversation of a company, and ``each`` more for every intent."""
    for intent in intents(company):
        for script in intent.scripts:
            turns = tuple(Turn(CUSTOMER if turn["from"] == "customer" else TEAM, turn["text"]) for turn in script)
            yield Story(intent.title, intent.category, turns, is_settled=True)
        # Whoever tells something of themselves is always among them.
        telling = [pair for pair in intent.wordings if pair[0] in intent.facts]
        others = [pair for pair in intent.wordings if pair[0] not in intent.facts]
        for message_id, text in [*telling, *chance.sample(others, min(max(0, each - len(telling)), len(others)))]:
            yield _told(intent, text, intent.facts.get(message_id, ""), chance)


def signed(text: str, name: str, me: str, chance: random.Random) -> str:
    """An answer as people write it: some with a greeting and a name below, most without."""
    if chance.random() < 0.6:
        return text
    greeting, closing = chance.choice(_GREETINGS), chance.choice(_CLOSINGS)
    return f"{greeting.format(name=name)}\n\n{text}\n\n{closing.format(me=me)}"


def _told(intent: Intent, text: str, fact: str, chance: random.Random) -> Story:
    turns = [Turn(CUSTOMER, text)]
    if fact or chance.random() < 0.12:
        turns.append(Turn(NOTE, _sentence(fact) if fact else chance.choice(_NOTES)))
    answer = chance.choice(intent.canned)[1] if intent.canned else chance.choice(_SECOND)
    turns.append(Turn(TEAM, answer))
    is_settled = chance.random() < 0.75
    if not is_settled:
        turns += [Turn(CUSTOMER, chance.choice(_DOUBTS)), Turn(TEAM, chance.choice(_SECOND))]
        is_settled = chance.random() < 0.7
    if is_settled and chance.random() < 0.7:
        turns.append(Turn(CUSTOMER, chance.choice(_THANKS)))
    return Story(intent.title, intent.category, tuple(turns), is_settled, _sentence(fact) if fact else "")


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _rows(name: str) -> list[dict[str, Any]]:
    with (DATA / f"{name}.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
