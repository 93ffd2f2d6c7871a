"""B1: what row security costs a list query, in the database alone."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator

from django.db import connection

from apps.accounts.tenancy.scope import tenant
from tests.bench.measure import Figure, bounds
from tests.bench.world import World

_LIST = """EXPLAIN (ANALYZE, FORMAT JSON, TIMING OFF)
SELECT id, name, email, phone, contact_type, last_activity_at FROM {table}
WHERE company_id = %s ORDER BY last_activity_at DESC, id DESC LIMIT 51"""


def b1(world: World) -> Iterator[Figure]:
    """Two copies of one table, one of them behind the policy; the literal filter in both."""
    accounts, rows = world.walled_twins()
    ratios = []
    with connection.cursor() as cursor:

        def execution(table: str, account_id: object) -> float:
            cursor.execute(_LIST.format(table=table), [account_id])
            found = cursor.fetchone()[0]
            plan = found if isinstance(found, list) else json.loads(found)
            assert "Seq Scan" not in json.dumps(plan), plan
            return float(plan[0]["Execution Time"])

        for block in range(200):
            account_id = accounts[block % len(accounts)]
            with tenant(account_id):
                execution("twin_walled", account_id), execution("twin_open", account_id)
                first = execution("twin_walled", account_id)
                second = execution("twin_open", account_id) + execution("twin_open", account_id)
                third = execution("twin_walled", account_id)
            ratios.append((first + third) / second)
    value = statistics.median(ratios)
    what = f"list query with the literal filter, row security on ÷ off, {rows:,} rows in {len(accounts):,} accounts"
    yield Figure("B1", what, value, bounds(ratios)[1], "≤ 1.05", value <= 1.05)
