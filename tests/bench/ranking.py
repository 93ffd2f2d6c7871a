"""S1: how well conversations are found by words, by meaning and by both, through the API.

``python -m tests.bench.ranking`` asks the same of the parts alone, in this process and without a database, in under a
minute: for whoever works on the ranking.
"""

from __future__ import annotations

import os
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING
from uuid import UUID

from tests.bench.judging import Asking, Quality, Yardstick, judge, read_yardstick

if TYPE_CHECKING:
    from apps.accounts.models import Account
    from tests.bench.measure import Figure
    from tests.bench.world import World

MODES = ("words", "meaning", "both")
MUST = 0.50


def s1(world: World) -> Iterator[Figure]:
    """nDCG@10 of both fused, each message as a conversation of its own."""
    from tests.bench.measure import Figure

    yardstick = read_yardstick()
    asking = Product(yardstick, world)
    found = {mode: judge(asking.by(mode), yardstick) for mode in MODES}
    tell(found)
    value, alone = found["both"]["all"].ndcg, max(found[mode]["all"].ndcg for mode in ("words", "meaning"))
    times = sorted(asking.seconds["both"])
    yield Figure(
        "S1",
        f"conversation search over {len(yardstick.texts):,} messages, {len(yardstick.queries)} queries: fused nDCG@10",
        value,
        alone,
        f"≥ {MUST}, above either alone",
        value >= MUST and value > alone,
        unit="nDCG",
        note="bound: the better of words and meaning alone",
        parts={f"{mode}_{kind}": round(one.ndcg, 3) for mode in MODES for kind, one in found[mode].items()}
        | {
            "p50_ms": round(1000 * statistics.median(times), 1),
            "p95_ms": round(1000 * times[int(0.95 * len(times))], 1),
        },
    )


class Product:
    """The product's API, in an account that holds the messages."""

    def __init__(self, yardstick: Yardstick, world: World) -> None:
        from tests.api_client import ApiClient
        from tests.factories import Role, make_account, make_api_key

        account = make_account("Support", world.owner)
        self.ids = say_all(account, yardstick.texts)
        self.api = ApiClient(key=make_api_key(account, Role.OWNER))
        self.seconds: dict[str, list[float]] = defaultdict(list)
        for mode in MODES:  # the model is loaded once in the life of a process
            self.by(mode)("warm up")
        self.seconds.clear()

    def by(self, mode: str) -> Asking:
        """Asking in this mode: the messages of the conversations found."""

        def ask(query: str) -> list[str]:
            began = time.perf_counter()
            answer = self.api.post("conversations/search", {"query": query, "mode": mode, "limit": 10})
            self.seconds[mode].append(time.perf_counter() - began)
            assert answer.status == 200, answer.content
            assert not answer.json["notices"], answer.json["notices"]
            return [self.ids[passage["message_id"]] for hit in answer.json["results"] for passage in hit["passages"]]

        return ask


def say_all(account: Account, texts: dict[str, str]) -> dict[str, str]:
    """Each text as a conversation, indexed. Returns our ids of the messages by theirs."""
    from django.utils import timezone

    from apps.accounts.actors import Actor
    from apps.accounts.jobs.running import run
    from apps.accounts.tenancy.scope import tenant
    from apps.chat.indexing import changes
    from apps.chat.indexing.reindexing import hurry, queue_indexing
    from apps.chat.models import Conversation, Inbox, Message
    from apps.vault.messages import fill_contents
    from tests.factories import make_contact
    from tests.working import work_off

    assert work_off(account, "project.provision") == ["done"]
    contact, now = make_contact(account), timezone.now()
    with tenant(account):
        inbox = Inbox.objects.create(name="Support")
        rows = [Conversation(inbox=inbox, contact=contact, last_activity_at=now) for _ in texts]
        messages = [
            Message(conversation=row, message_type="incoming", sender_type="contact", sender_id=contact.pk)
            for row in rows
        ]
        fill_contents(zip(messages, texts.values(), strict=True))
        Conversation.objects.bulk_create(rows, batch_size=500)
        Message.objects.bulk_create(messages, batch_size=500)
        changes.note([(message.pk, message.conversation_id) for message in messages])
        hurry()
        job = queue_indexing(Actor.system("bench"))
    assert run(account.id, job.id) == "done"
    return {str(message.pk): name for message, name in zip(messages, texts, strict=True)}


class Parts:
    """The ranking alone: the built-in model, the vault's words and the fusion, all in memory."""

    def __init__(self, yardstick: Yardstick) -> None:
        from apps.integrations.zerodb.embedding import DEFAULT_MODEL
        from apps.vault.messages.words import DEFAULT_LANGUAGE, indexed_words

        self.names = list(yardstick.texts)
        self.engine = DEFAULT_MODEL.engine
        self.vectors = self.engine.embed(list(yardstick.texts.values()))
        self.having: dict[str, list[int]] = defaultdict(list)
        for place, text in enumerate(yardstick.texts.values()):
            for word in indexed_words(text, DEFAULT_LANGUAGE):
                self.having[word].append(place)

    def words(self, query: str) -> list[str]:
        """By words alone."""
        return [self.names[hit.message_id.int] for hit in self._held(query)]

    def meaning(self, query: str) -> list[str]:
        """By meaning alone."""
        return [self.names[hit.message_id.int] for hit in self._meant(query)]

    def both(self, query: str) -> list[str]:
        """Fused."""
        from apps.chat.search.fusing import fuse

        return [self.names[hit.message_id.int] for hit in fuse(self._held(query), self._meant(query))]

    def _held(self, query: str):  # type: ignore[no-untyped-def]
        from apps.chat.search.weighing import weigh
        from apps.vault.messages.holding import asked_words
        from apps.vault.messages.words import DEFAULT_LANGUAGE

        asked = asked_words(query, DEFAULT_LANGUAGE)
        held: dict[UUID, list[str]] = defaultdict(list)
        for word in asked:
            for place in self.having.get(word, ()):
                held[UUID(int=place)].append(word)
        counts = {word: len(self.having.get(word, ())) for word in asked}
        return weigh(held, asked, counts, messages=len(self.names))[:200]

    def _meant(self, query: str):  # type: ignore[no-untyped-def]
        from apps.chat.search.fusing import COMPARED, Meant

        scores = self.vectors @ self.engine.embed([query])[0]
        best = (-scores).argsort(kind="stable")[:COMPARED]
        return [Meant(UUID(int=int(place)), float(scores[place]), self.vectors[place]) for place in best]


def tell(found: dict[str, dict[str, Quality]]) -> None:
    """The table of docs/performance.md."""
    kinds = list(next(iter(found.values())))
    print(f"\n| | recall@10 of its limit | precision@10 | {' | '.join(f'nDCG@10 {kind}' for kind in kinds)} |")
    print("|---|---|---|" + "---|" * len(kinds))
    for mode, of in found.items():
        ndcg = " | ".join(f"{of[kind].ndcg:.3f}" for kind in kinds)
        print(f"| {mode} | {of['all'].recall:.3f} | {of['all'].precision:.3f} | {ndcg} |")
    print(flush=True)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")
    import django

    django.setup()
    labelled = read_yardstick()
    parts = Parts(labelled)
    tell({mode: judge(getattr(parts, mode), labelled) for mode in MODES})
