"""The two commonest questions to the table of words, a word and several words, each as one prepared statement.

As in ``asking``, wall one is written out. An array of ids is looked up in the order of an index, many at a descent
(PostgreSQL 17 and later), where a join would descend once for each.
"""

from __future__ import annotations

from functools import cache
from uuid import UUID

from psycopg.types.numeric import Int8

from apps.vault.messages.asking import SETTING, Round, rows_of


def newest(words: str, messages: str, account_id: UUID, number: int, before: UUID, most: int) -> Round:
    """The ``most`` newest messages below ``before`` that have a word.

    Every word in the table has its message (see ``KeepWords``), so as many rows come as there are words.
    """
    rows = rows_of(
        _newest(words, messages), [account_id, account_id, account_id, number, before, Int8(most)], often=True
    )
    setting, last = (rows[0][0], rows[-1][1]) if rows else (None, None)
    found = [(row[1], row[2]) for row in rows if row[3]]
    return Round(setting, bool(rows), len(rows), last, len(rows) < most, found, len(rows) == most, last)


@cache
def _newest(words: str, messages: str) -> str:
    return (
        f"SELECT {SETTING}, id, content, is_searchable FROM {messages} WHERE account_id = %s "  # noqa: S608
        f"AND id = ANY(ARRAY(SELECT message_id FROM {words} WHERE account_id = %s AND word = %s AND message_id < %s "
        "ORDER BY message_id DESC LIMIT %s)) ORDER BY id DESC"
    )


def meeting(
    words: str, messages: str, account_id: UUID, numbers: list[int], before: UUID, step: int, most: int
) -> Round:
    """Of the ``step`` newest messages below ``before`` with the rarest of the words, the ``most`` newest with all.

    The rarest is the one whose messages run out; and if none do, the one whose ``step`` messages reach back furthest.
    """
    asked, others = f"{{{','.join(map(str, numbers))}}}", len(numbers) - 1
    params = [account_id, before, Int8(step), asked, account_id, account_id, account_id, asked, Int8(most)]
    rows = rows_of(_meeting(words, messages, others), params, often=True)
    setting, walked, last = rows[0][:3]
    hits = [row for row in rows if row[3] is not None]
    found = [(row[3], row[4]) for row in hits if row[5]]
    return Round(setting, True, walked, last, walked < step, found, len(hits) == most, hits[-1][3] if hits else None)


@cache
def _meeting(words: str, messages: str, others: int) -> str:
    left = "array_remove((SELECT %s)::text::bigint[], (SELECT word FROM rarest))"
    word, all_there = f"= ANY({left})", f"GROUP BY message_id HAVING count(*) = {others} "
    if others == 1:  # no message comes twice
        word, all_there = f"= ({left})[1]", ""
    # (SELECT %s) hides how many words there are: else a plan made for just these looks cheaper than the kept one.
    return (
        "WITH list AS MATERIALIZED (SELECT asked.word, ARRAY("  # noqa: S608
        f"SELECT message_id FROM {words} WHERE account_id = %s AND word = asked.word AND message_id < %s "
        "ORDER BY message_id DESC LIMIT %s) AS ids FROM unnest((SELECT %s)::text::bigint[]) AS asked(word)), "
        "rarest AS MATERIALIZED (SELECT word, ids, cardinality(ids) AS size, ids[cardinality(ids)] AS last "
        "FROM list ORDER BY 3, 4 LIMIT 1) "
        f"SELECT {SETTING}, size, last, message.* FROM rarest LEFT JOIN ("
        f"SELECT id, content, is_searchable FROM {messages} WHERE account_id = %s AND id = ANY(ARRAY("
        f"SELECT message_id FROM {words} WHERE account_id = %s "
        f"AND word {word} AND message_id = ANY((SELECT ids FROM rarest)::uuid[]) "
        f"{all_there}ORDER BY message_id DESC LIMIT %s)) OFFSET 0"
        ") AS message ON true ORDER BY message.id DESC"
    )
