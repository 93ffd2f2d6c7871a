"""SG1 and SG2: how soon canned replies are suggested, and how often the right one is among them, through the API.

100 labelled conversations and 100 canned replies, one of which is right for each (by its intent). What is asked is what
a member would see who opens the conversation before the team's last answer.

``python -m tests.bench.suggesting`` measures what is learnt, in this process and without a database: half of the
2,000 labelled messages come by, the right reply is accepted when it is among those offered, the others are ignored.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from apps.chat.suggestions import ranking

if TYPE_CHECKING:
    from apps.accounts.models import Account
    from tests.bench.measure import Figure
    from tests.bench.world import World

DATA = Path(__file__).resolve().parents[2] / "apps/chat/demo/data"
MOST_MS, MUST = 300, 0.6
AGAIN = 5


@dataclass(frozen=True)
class Labelled:
    """What is known: canned replies and questions (the customer's last messages, oldest first) with their intents."""

    replies: list[dict[str, str]]
    conversations: list[tuple[str, list[str]]]
    messages: list[tuple[str, str]]


def read_labelled() -> Labelled:
    """From the demo's data, or from the folder that ``SUPPORT`` names."""
    folder = Path(os.environ.get("SUPPORT", DATA))
    rows: dict[str, list[Any]] = {
        name: [json.loads(line) for line in (folder / f"{name}.jsonl").read_text().splitlines()]
        for name in ("canned", "conversations", "messages")
    }
    asked = [(row["intent"], _asked(row["turns"])) for row in rows["conversations"]]
    messages = [(row["intent"], row["text"]) for row in rows["messages"]]
    return Labelled(rows["canned"], [(intent, texts) for intent, texts in asked if texts], messages)


def _asked(turns: list[dict[str, str]]) -> list[str]:
    """What the customer said before the team's last answer."""
    answers = [place for place, turn in enumerate(turns) if turn["from"] != "customer"]
    until = answers[-1] if answers else len(turns)
    return [turn["text"] for turn in turns[:until] if turn["from"] == "customer"]


def sg1(world: World) -> Iterator[Figure]:
    """The time of an answer: for a new message, and for one that was looked at before."""
    from tests.bench.measure import Figure

    asking = _Product(world)
    new = sorted(asking.first)
    again = sorted(asking.ask(conversation)[1] for _ in range(AGAIN) for _, conversation in asking.conversations)
    p95 = new[int(0.95 * len(new))]
    yield Figure(
        "SG1",
        f"suggestions for a new message, {len(asking.labelled.replies)} canned replies, p95",
        p95,
        p95,
        f"≤ {MOST_MS}",
        p95 <= MOST_MS,
        unit="ms",
        parts={
            "p50_ms": round(statistics.median(new), 1),
            "cpu_p50_ms": round(statistics.median(asking.cpu), 1),
            "again_p50_ms": round(statistics.median(again), 1),
            "again_p95_ms": round(again[int(0.95 * len(again))], 1),
        },
    )
    yield from _sg2(asking)


def _sg2(asking: _Product) -> Iterator[Figure]:
    from tests.bench.measure import Figure

    found = asking.right
    among, first = sum(found[place] for place in (1, 2, 3)) / found["all"], found[1] / found["all"]
    yield Figure(
        "SG2",
        f"right canned reply among the three suggested, {found['all']} conversations, nothing learnt yet",
        among,
        among,
        f"≥ {MUST}",
        among >= MUST,
        unit="share",
        parts={"first": round(first, 3), "offered": round(found["offered"] / found["all"], 3)},
    )


class _Product:
    """The product's API, in an account with the labelled conversations."""

    def __init__(self, world: World) -> None:
        from tests.api_client import ApiClient
        from tests.factories import Role, make_account, make_api_key

        self.labelled = read_labelled()
        self.intents = {row["short_code"].replace("_", "-"): row["intent"] for row in self.labelled.replies}
        account = make_account("Suggestions", world.owner)
        self.api = ApiClient(key=make_api_key(account, Role.MEMBER))
        self.conversations = _fill(account, self.labelled)
        self.ask(self.conversations.pop(0)[1])  # the model is loaded once in the life of a process
        self.first: list[float] = []
        self.cpu: list[float] = []
        self.right: dict[Any, int] = {"all": 0, "offered": 0, 1: 0, 2: 0, 3: 0}
        for intent, conversation in self.conversations:
            began = time.process_time()
            codes, milliseconds = self.ask(conversation)
            self.cpu.append(1000 * (time.process_time() - began))
            self.first.append(milliseconds)
            self.right["all"] += 1
            self.right["offered"] += bool(codes)
            places = [place for place, code in enumerate(codes, start=1) if self.intents[code] == intent]
            if places:
                self.right[places[0]] += 1

    def ask(self, conversation: UUID) -> tuple[list[str], float]:
        """The codes suggested, best first, and how many milliseconds it took."""
        began = time.perf_counter()
        answer = self.api.get(f"conversations/{conversation}/suggestions")
        took = 1000 * (time.perf_counter() - began)
        assert answer.status == 200, answer.content
        assert answer.json["preparing"] == 0
        return [one["canned_response"]["short_code"] for one in answer.json["results"]], took


def _fill(account: Account, labelled: Labelled) -> list[tuple[str, UUID]]:
    """The canned replies, prepared, and the conversations with the intent of each."""
    from django.utils import timezone

    from apps.accounts.tenancy.scope import tenant
    from apps.chat.models import CannedResponse, Conversation, Inbox, Message
    from apps.chat.suggestions import profiles
    from apps.vault.messages import fill_contents
    from tests.factories import make_contact
    from tests.working import work_off

    assert work_off(account, "project.provision") == ["done"]
    contact, now = make_contact(account), timezone.now()
    with tenant(account):
        made = CannedResponse.objects.bulk_create(
            CannedResponse(short_code=row["short_code"].replace("_", "-"), content=row["content"])
            for row in labelled.replies
        )
        profiles.note_replies([row.pk for row in made], at_once=True)
        profiles.queue_preparing(profiles.ACTOR)
        inbox = Inbox.objects.create(name="Support")
        rows = [Conversation(inbox=inbox, contact=contact, last_activity_at=now) for _ in labelled.conversations]
        said = [
            (Message(conversation=row, message_type="incoming", sender_type="contact", sender_id=contact.pk), text)
            for row, (_, texts) in zip(rows, labelled.conversations, strict=True)
            for text in texts
        ]
        fill_contents(said)
        Conversation.objects.bulk_create(rows)
        Message.objects.bulk_create(message for message, _ in said)
    assert work_off(account, profiles.KIND) == ["done"]
    return [(intent, row.pk) for row, (intent, _) in zip(rows, labelled.conversations, strict=True)]


class Learning:
    """The ranking alone, in memory: the built-in model, and counts as the product keeps them."""

    def __init__(self, labelled: Labelled) -> None:
        from apps.integrations.zerodb.embedding import DEFAULT_MODEL

        self.embed = DEFAULT_MODEL.engine.embed
        texts = [ranking.reply_text(row["short_code"], row["content"]) for row in labelled.replies]
        self.replies = [ranking.Reply(UUID(int=n), vector) for n, vector in enumerate(self.embed(texts))]
        self.intents = [row["intent"] for row in labelled.replies]

    def come_by(self, intent: str, question: ranking.Vector) -> None:
        """One message: what was offered for it is accepted or ignored."""
        for one in ranking.suggest(question, self.replies):
            place = one.id.int
            reply = self.replies[place]
            accepted, ignored, learnt = reply.accepted, reply.ignored, reply.learnt
            if self.intents[place] == intent:
                learnt, accepted = ranking.learn(learnt, accepted, question), accepted + 1
            else:
                ignored += 1
            accepted, ignored = ranking.fade(accepted, ignored)
            self.replies[place] = replace(reply, accepted=accepted, ignored=ignored, learnt=learnt)

    def share_right(self, asked: list[tuple[str, ranking.Vector]]) -> tuple[float, float, float]:
        """First is right; right among three; something offered at the product's threshold."""
        first = among = offered = 0
        for intent, question in asked:
            found = [self.intents[one.id.int] == intent for one in ranking.suggest(question, self.replies, threshold=0)]
            first, among = first + found[0], among + any(found)
            offered += bool(ranking.suggest(question, self.replies))
        return first / len(asked), among / len(asked), offered / len(asked)


def main() -> None:
    """The table of docs/performance.md."""
    labelled = read_labelled()
    learning = Learning(labelled)
    random.Random(4).shuffle(labelled.messages)
    vectors = learning.embed([text for _, text in labelled.messages])
    messages = [(intent, vector) for (intent, _), vector in zip(labelled.messages, vectors, strict=True)]
    half = len(messages) // 2
    asked = learning.embed([ranking.question_text(texts) for _, texts in labelled.conversations])
    conversations = [(intent, vector) for (intent, _), vector in zip(labelled.conversations, asked, strict=True)]
    print("\n| after | messages: first | among three | offered | conversations: first | among three | offered |")
    print("|---|---|---|---|---|---|---|")
    for number, (intent, question) in enumerate([*messages[:half], ("", None)]):
        if number in {0, 300, 600, half}:
            shares = [*learning.share_right(messages[half:]), *learning.share_right(conversations)]
            print(f"| {number} | {' | '.join(f'{share:.2f}' for share in shares)} |", flush=True)
        if question is not None:
            learning.come_by(intent, question)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")
    import django

    django.setup()
    main()
