"""B1: what row security costs a list query, in the database alone."""

from __future__ import annotations

import itertools
import json
import random
import re
from collections.abc import Iterator
from uuid import UUID, uuid4

from django.db import connection

from apps.accounts.tenancy.scope import ACCOUNT_WALL, tenant
from apps.vault.models import Contact
from apps.vault.selectors import COLUMNS
from tests import database
from tests.bench.bulk import NAME
from tests.bench.measure import Figure, Ratio, turns
from tests.bench.world import World

ACCOUNTS, EACH = 1000, 1000
_BYTES = "substr(decode(repeat(md5(n::text || account_id::text), 4), 'hex'), 1, {length})"
_LENGTHS = {"name": 45, "email": 62, "phone": 47, "custom_attributes": 82}
"""Bytes of a sealed value: 33 more than the plaintext."""


def b1(world: World) -> Iterator[Figure]:
    """Two copies of the contacts' table, one behind the product's policy; its list, literal filter and all, in both.

    The account changes with every query, as requests do; ``parts`` has the same with one account over and over,
    which lies in the processor's caches by then.
    """
    accounts = _make_copies(world)
    _check_plans(accounts[0])
    shuffled = itertools.cycle(random.Random(1).sample(accounts, k=len(accounts)))
    ratio = _compare(lambda: next(shuffled), blocks=400)
    repeated = _compare(lambda: accounts[0], blocks=200)
    what = (
        f"list query with the literal filter, row security on ÷ off, {ACCOUNTS * EACH:,} rows in {ACCOUNTS:,} accounts"
    )
    parts = {
        "on_us": round(ratio.one * 1e6, 1),
        "off_us": round(ratio.other * 1e6, 1),
        "one_account_repeated": round(repeated.value, 3),
        "one_account_on_us": round(repeated.one * 1e6, 1),
        "one_account_off_us": round(repeated.other * 1e6, 1),
    }
    met = ratio.value <= 1.05
    yield Figure("B1", what, ratio.value, ratio.upper95, "≤ 1.05", met, parts=parts, control=ratio.control)
    world.owner_sql("DROP TABLE bench_walled", "DROP TABLE bench_open")


def _compare(account: object, *, blocks: int) -> Ratio:
    return turns(
        lambda: _execution("bench_walled", account()),  # type: ignore[operator]
        lambda: _execution("bench_open", account()),  # type: ignore[operator]
        blocks=blocks,
    )


def _make_copies(world: World) -> list[UUID]:
    table, accounts = Contact._meta.db_table, [uuid4() for _ in range(ACCOUNTS)]
    policy = ACCOUNT_WALL.policy()
    sealed = ", ".join(_BYTES.format(length=length) for length in _LENGTHS.values())
    with database.owner_connection(NAME) as owner:
        owner.execute("CREATE TEMP TABLE ids (account_id uuid)")
        owner.cursor().executemany("INSERT INTO ids VALUES (%s)", [(account,) for account in accounts])
        for copy in ("bench_open", "bench_walled"):
            owner.execute(f"CREATE TABLE {copy} (LIKE {table} INCLUDING ALL)")
        # In the order of time, so that the accounts' rows lie among one another.
        owner.execute(
            f"INSERT INTO bench_open (id, account_id, created_at, updated_at, {', '.join(_LENGTHS)}, contact_type, "
            f"last_activity_at) SELECT gen_random_uuid(), account_id, now(), now(), {sealed}, 'lead', "
            "now() - random() * interval '200 days' FROM generate_series(1, %s) n, ids ORDER BY random()",
            [EACH],
        )
        owner.execute("INSERT INTO bench_walled SELECT * FROM bench_open")
    world.owner_sql(
        "ALTER TABLE bench_walled ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE bench_walled FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY owner_only ON bench_walled USING ({policy}) WITH CHECK ({policy})",
        "GRANT SELECT ON bench_open, bench_walled TO strongroom_app",
        "VACUUM ANALYZE bench_open",
        "VACUUM ANALYZE bench_walled",
    )
    return accounts


def _statement(table: str) -> str:
    return (
        f"SELECT {', '.join(COLUMNS)} FROM {table} WHERE account_id = %s "
        "ORDER BY last_activity_at DESC, id DESC LIMIT 51"
    )


def _explained(options: str, table: str, account_id: UUID) -> dict[str, object]:
    with tenant(account_id), connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN ({options}, FORMAT JSON) {_statement(table)}", [account_id])
        found = cursor.fetchone()[0]
    plan: dict[str, object] = (found if isinstance(found, list) else json.loads(found))[0]
    return plan


def _execution(table: str, account_id: UUID) -> float:
    """Seconds of execution, the rows written for the client included, without PostgreSQL's clock around each row."""
    # Sorting out buffers costs more with each node of the plan and is not part of executing it.
    plan = _explained("ANALYZE, TIMING OFF, BUFFERS OFF, SERIALIZE TEXT", table, account_id)
    return float(plan["Execution Time"]) / 1000  # type: ignore[arg-type]


def _check_plans(account_id: UUID) -> None:
    """Both go through the same index with the account as its condition, and neither sorts."""
    for table in ("bench_open", "bench_walled"):
        text = json.dumps(_explained("COSTS OFF", table, account_id))
        nodes = [node for node in re.findall(r'"Node Type": "([^"]+)"', text) if node not in {"Limit", "Result"}]
        condition = re.search(r'"Index Cond": "([^"]+)"', text)
        assert nodes == ["Index Scan"], text
        assert condition is not None, text
        assert str(account_id) in condition[1], text
