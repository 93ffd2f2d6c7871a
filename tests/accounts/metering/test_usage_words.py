"""Money and quantities as the pages write them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from apps.accounts.models import Limit
from apps.accounts.templatetags.usage_words import gigabytes, limited, money, used_of

pytestmark = pytest.mark.covers("P-08")


@pytest.mark.parametrize(
    ("value", "words"),
    [("0", "$0.00"), ("12.3", "$12.30"), ("0.01", "$0.01"), ("0.001", "$0.001"), ("0.00015", "$0.00015")],
)
def test_small_prices_carry_no_idle_noughts(value: str, words: str) -> None:
    assert money(Decimal(value)) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [("0", "0 MB"), ("0.000041", "under 1 MB"), ("0.25", "250 MB"), ("1", "1 GB"), ("1234.567", "1,234.57 GB")],
)
def test_memory_is_told_in_a_unit_that_says_something(value: str, words: str) -> None:
    assert gigabytes(Decimal(value)) == words


@pytest.mark.parametrize(("measure", "words"), [("quantity", "174 of 180 searches"), ("cost", "$174.00 of $180.00")])
def test_what_is_used_of_a_limit_names_the_unit_once(measure: str, words: str) -> None:
    limit = Limit(measure=measure, unit="searches", amount=Decimal(180))
    assert used_of(Decimal(174), limit) == words


@pytest.mark.parametrize(("unit", "words"), [("searches", "1 search"), ("input_tokens", "1 input token")])
def test_one_of_a_unit_is_named_in_the_singular(unit: str, words: str) -> None:
    assert limited(Decimal(1), Limit(measure="quantity", unit=unit)) == words
