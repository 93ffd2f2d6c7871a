"""The questions to the table of words, as SQL. Words are numbers here: see ``hashing``.

Raw SQL on owned tables, so wall one is written out: every look-up names the account of the scope. All look-ups are
``=`` or ranges on (account, word, message), in the order of the primary key, and end at a limit.
"""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from apps.vault.messages.planning import COUNTED_UP_TO, MOST_NUMBERS, Either, Every, Plan, Term
from apps.vault.models import MessageSearch
from apps.vault.prepared import fetch_prepared

NEWEST = UUID(int=(1 << 128) - 1)
"""Above every id."""


def expand(table: str, account_id: UUID, bounds: list[tuple[int, int]]) -> dict[tuple[int, int], list[int]]:
    """The distinct numbers that are in use between each pair of bounds, found by leaping from one to the next.

    At most one more than a search may go through.
    """
    if not bounds:
        return {}
    next_word = f"SELECT word FROM {table} WHERE account_id = %s AND word"  # noqa: S608
    rows = rows_of(
        f"SELECT span.low, span.high, found.word FROM unnest(%s::bigint[], %s::bigint[]) AS span(low, high) "  # noqa: S608
        f"CROSS JOIN LATERAL (WITH RECURSIVE step(word) AS ("
        f"({next_word} BETWEEN span.low AND span.high ORDER BY word LIMIT 1) UNION ALL "
        f"SELECT ({next_word} > step.word AND word <= span.high ORDER BY word LIMIT 1) FROM step "
        f"WHERE step.word IS NOT NULL) SELECT word FROM step WHERE word IS NOT NULL LIMIT {MOST_NUMBERS + 1}) AS found",
        [[low for low, _ in bounds], [high for _, high in bounds], account_id, account_id],
    )
    found: dict[tuple[int, int], list[int]] = {}
    for low, high, word in rows:
        found.setdefault((low, high), []).append(word)
    return found


def count(table: str, account_id: UUID, numbers: list[int], before: UUID) -> dict[int, int]:
    """How many messages have each word, up to COUNTED_UP_TO for all of one term together."""
    if not numbers:
        return {}
    most = max(1, COUNTED_UP_TO * 32 // max(32, len(numbers)))
    rows = rows_of(
        f"SELECT asked.word, (SELECT count(*) FROM (SELECT FROM {table} WHERE account_id = %s "  # noqa: S608
        f"AND word = asked.word AND message_id < %s LIMIT {most}) AS found) FROM unnest(%s::bigint[]) AS asked(word)",
        [account_id, before, numbers],
    )
    return {word: number if number < most else COUNTED_UP_TO for word, number in rows}


def few_messages(messages: Any, before: UUID, most: int) -> list[UUID] | None:
    """The ids of ``messages`` below ``before``, newest first, when they are at most ``most``; else None."""
    ids = list(messages.filter(pk__lt=before).order_by("-pk").values_list("pk", flat=True)[: most + 1])
    return ids if len(ids) <= most else None


class Round(NamedTuple):
    """What one look at the table brought, and how far it looked."""

    setting: str | None
    """The account's, as text (see ``SETTING``), so that it needs no question of its own."""
    told: bool
    """Whether ``setting`` was among what the answer held."""
    walked: int
    last: UUID | None
    """The lowest id that was looked at."""
    ended: bool
    """Whether there is nothing below."""
    hits: list[tuple[UUID, Any]]
    """Ids and sealed contents, newest first."""
    full: bool
    """Whether as many came as were asked for, so that there may be more among those walked through."""
    lowest: UUID | None = None
    """The last of those that came."""


_CHOSEN = MessageSearch._meta.db_table
SETTING = f"(SELECT enabled::text || ' ' || building::text || ' ' || language FROM {_CHOSEN} WHERE account_id = %s)"  # noqa: S608
"""The account's setting as "true false english"; NULL when it chose none. (``concat_ws`` would cost 18 µs more.)"""

_WALKED = "(SELECT count(*) FROM walked), (SELECT message_id FROM walked ORDER BY message_id LIMIT 1)"


def walk(
    table: str,
    account_id: UUID,
    messages: Any,
    driving: list[int],
    rest: Plan | None,
    before: UUID,
    step: int,
    most: int,
) -> Round:
    """Walk through the ``step`` newest messages below ``before`` with a driving word; of them the ``most`` newest hits.

    ``messages`` are those that may be found at all, ``rest`` is what must still be asked of each.
    """
    lookup = (
        f"SELECT message_id FROM {table} WHERE account_id = %s AND word = {{}} AND message_id < %s "  # noqa: S608
        f"ORDER BY message_id DESC LIMIT {int(step)}"
    )
    if len(driving) == 1:
        source, params = lookup.format("%s"), [account_id, driving[0], before]
    else:
        inner = lookup.format("asked.word")
        source = (
            f"SELECT DISTINCT found.message_id FROM unnest(%s::bigint[]) AS asked(word) "  # noqa: S608
            f"CROSS JOIN LATERAL ({inner}) AS found ORDER BY message_id DESC LIMIT {int(step)}"
        )
        params = [driving, account_id, before]
    return _walk(source, params, table, account_id, messages, rest, step, most)


def walk_through(
    table: str, account_id: UUID, messages: Any, ids: list[UUID], rest: Plan | None, before: UUID, most: int
) -> Round:
    """The same for messages that are known and few."""
    source = "SELECT message_id FROM unnest(%s::uuid[]) AS known(message_id) WHERE message_id < %s"
    return _walk(source, [ids, before], table, account_id, messages, rest, len(ids) + 1, most)


def _walk(
    source: str, params: list[Any], table: str, account_id: UUID, messages: Any, rest: Plan | None, step: int, most: int
) -> Round:
    inside, inside_params = messages.order_by().values_list("id", "content").query.sql_with_params()
    condition, condition_params = _condition(table, account_id, rest)
    rows = rows_of(
        f"WITH walked AS MATERIALIZED ({source}), "  # noqa: S608
        f"hits AS (SELECT walked.message_id, message.content FROM walked JOIN LATERAL ("
        f"SELECT * FROM ({inside}) AS found(id, content) WHERE found.id = walked.message_id OFFSET 0) AS message "
        f"ON true WHERE {condition} ORDER BY walked.message_id DESC LIMIT {int(most)}) "
        f"SELECT {SETTING}, {_WALKED}, hits.* FROM (SELECT) AS always LEFT JOIN hits ON true "
        "ORDER BY hits.message_id DESC",
        [*params, *inside_params, *condition_params, account_id],
    )
    setting, walked, last = rows[0][:3]
    hits = [(row[3], row[4]) for row in rows if row[3] is not None]
    return Round(setting, True, walked, last, walked < step, hits, len(hits) == most, hits[-1][0] if hits else None)


def _condition(table: str, account_id: UUID, what: Plan | None) -> tuple[str, list[Any]]:
    """``what`` as a condition on ``walked.message_id``. A sub-select with a limit stays a look-up for each row."""
    if what is None:
        return "true", []
    if isinstance(what, Term):
        if not what.numbers:
            return "false", []
        return (
            f"(SELECT true FROM {table} AS other WHERE other.account_id = %s AND other.word = ANY(%s::bigint[]) "  # noqa: S608
            "AND other.message_id = walked.message_id LIMIT 1)",
            [account_id, list(what.numbers)],
        )
    assert isinstance(what, Every | Either)
    parts = [_condition(table, account_id, child) for child in what.children]
    words = (" AND " if isinstance(what, Every) else " OR ").join(part for part, _ in parts)
    return f"({words})", [param for _, some in parts for param in some]


def rows_of(sql: str, params: list[Any], *, often: bool = False) -> list[tuple[Any, ...]]:
    """What a statement answers. ``often``: PostgreSQL may keep it prepared; its plan is good for all values."""
    if often and not connection.queries_logged:
        return fetch_prepared(sql, params)
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
