"""What the bench says of a ranking is what the textbooks mean by the words."""

from __future__ import annotations

import math

import pytest

from tests.bench.judging import Query, Yardstick, judge, quality, read_yardstick

pytestmark = pytest.mark.covers("P-06")

QUERY = Query("where is it", "late", "lexical")
YARDSTICK = Yardstick(
    {str(number): "" for number in range(40)},
    {str(number): "late" if number < 20 else "other" for number in range(40)},
    [QUERY, Query("refund", "other", "semantic")],
)


def ids(*numbers: int) -> list[str]:
    return [str(number) for number in numbers]


def test_ten_that_fit_are_as_good_as_it_gets() -> None:
    best = quality(ids(*range(10)), QUERY, YARDSTICK)
    assert (best.recall, best.precision, best.ndcg) == (1, 1, pytest.approx(1))


def test_only_the_first_ten_count() -> None:
    assert quality(ids(*range(20, 30), 0, 1), QUERY, YARDSTICK).ndcg == 0


def test_what_comes_first_counts_more() -> None:
    ideal = sum(1 / math.log2(rank + 1) for rank in range(1, 11))
    assert quality(ids(0, 20), QUERY, YARDSTICK).ndcg == pytest.approx(1 / ideal)
    assert quality(ids(20, 0), QUERY, YARDSTICK).ndcg == pytest.approx(1 / math.log2(3) / ideal)


def test_a_message_that_comes_twice_counts_once() -> None:
    assert quality(ids(0, 0, 0), QUERY, YARDSTICK).precision == pytest.approx(0.1)


def test_kinds_are_told_apart() -> None:
    found = judge(lambda query: ids(*range(10)), YARDSTICK)
    assert [found[kind].precision for kind in ("lexical", "semantic", "all")] == [1, 0, 0.5]


def test_the_labelled_queries_each_have_twenty_answers() -> None:
    yardstick = read_yardstick()
    assert len(yardstick.texts) == 2000
    assert len(yardstick.queries) == 320
    assert {yardstick.relevant(query) for query in yardstick.queries} == {20}
