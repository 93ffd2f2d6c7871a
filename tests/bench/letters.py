"""Messages for the bench of word search: the same texts sealed with their words, and in plaintext with a tsvector."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from itertools import accumulate, repeat
from pathlib import Path
from typing import Any

from apps.accounts.identifiers import uuid7s
from apps.accounts.models import Account
from apps.accounts.tenancy.scope import ACCOUNT_WALL, tenant
from apps.integrations.zerodb import embedding
from apps.vault.messages import fill_contents
from apps.vault.messages.stop_words import stop_words
from tests.bench.bulk import insert
from tests.bench.world import World
from tests.factories import make_account
from tests.vault.messages.letters.models import Letter

ACCOUNTS, EACH, WORDS = 10, 20_000, 8_001
PLAIN = "bench_plain_letter"
BY_TIME = f"{PLAIN}_by_time"
INDEX_BY_TIME = f"CREATE INDEX {BY_TIME} ON {PLAIN} (company_id, created_at DESC)"
_VOCABULARY = Path(embedding.__file__).parent / "minilm" / "tokenizer.json"
_LETTER = Letter._meta.db_table
_COLUMNS = "id account_id created_at updated_at content fingerprint is_searchable words folder"
_TYPES = "uuid uuid timestamptz timestamptz bytea bytea bool int8[] varchar"


class Texts:
    """Texts of 12 to 28 real words in random order, the word of rank r with a weight of 1/r (Zipf)."""

    def __init__(self) -> None:
        vocabulary = json.loads(_VOCABULARY.read_text())["model"]["vocab"]
        stopped = stop_words("english")
        words = [
            word for word in vocabulary if word.isascii() and word.isalpha() and len(word) > 2 and word not in stopped
        ]
        self._source = random.Random(1)
        self.words: list[str] = self._source.sample(words, WORDS)
        self._weights = list(accumulate(1 / rank for rank in range(1, WORDS + 1)))

    def make(self, count: int) -> list[str]:
        """``count`` texts."""
        choices, length = self._source.choices, self._source.randint
        return [" ".join(choices(self.words, cum_weights=self._weights, k=length(12, 28))) for _ in range(count)]


def fill(world: World, texts: Texts) -> list[Account]:
    """The accounts, in whose names the same messages lie in both tables, among one another."""
    accounts = [make_account(f"Letters {number}", world.owner) for number in range(ACCOUNTS)]
    world.owner_sql(
        f"CREATE TABLE {PLAIN} (id uuid PRIMARY KEY, company_id uuid NOT NULL, created_at timestamptz NOT NULL, "
        "content text NOT NULL, search tsvector GENERATED ALWAYS AS (to_tsvector('english', content)) STORED)",
        f"GRANT ALL ON {PLAIN} TO CURRENT_USER, strongroom_app",
    )
    for _ in range(EACH // 1000):
        for account in accounts:
            _add(account, texts.make(1000))
    world.owner_sql(
        f"CREATE INDEX ON {PLAIN} USING gin (search)",
        INDEX_BY_TIME,
        f"VACUUM ANALYZE {PLAIN}",
        f"VACUUM ANALYZE {_LETTER}",
        f"VACUUM ANALYZE {_LETTER}word",
    )
    return accounts


def _add(account: Account, texts: list[str]) -> None:
    now, ids = datetime.now(UTC), uuid7s(len(texts))
    with tenant(account):
        letters = [Letter(id=key, account_id=account.id) for key in ids]
        fill_contents(zip(letters, texts, strict=True))
        sealed = [
            [
                letter.pk,
                account.id,
                now,
                now,
                bytes(_field("content").seal(letter, text)),
                _field("fingerprint").index(account.id, text),
                True,
                letter.words,
                "in",
            ]
            for letter, text in zip(letters, texts, strict=True)
        ]
    insert(_LETTER, _COLUMNS, sealed, ACCOUNT_WALL, account.id, _TYPES)
    times = (now + timedelta(microseconds=number) for number in range(len(ids)))
    plain = [list(row) for row in zip(ids, repeat(account.id), times, texts, strict=False)]
    insert(PLAIN, "id company_id created_at content", plain, ACCOUNT_WALL, account.id)


def _field(name: str) -> Any:
    return Letter._meta.get_field(name)
