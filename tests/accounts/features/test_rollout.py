"""Who is in a share of accounts: the same ones every time, and more of them when it grows."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.accounts.features.rollout import is_in_share, reason_against

pytestmark = pytest.mark.covers("A-11")
SOME = [uuid4() for _ in range(4000)]


@given(st.uuids(), st.integers(0, 100), st.integers(0, 100), st.text(min_size=1, max_size=80))
def test_a_greater_share_only_adds_accounts(account: UUID, one: int, other: int, name: str) -> None:
    less, more = sorted((one, other))
    assert is_in_share(name, account, more) or not is_in_share(name, account, less)
    assert not is_in_share(name, account, 0)
    assert is_in_share(name, account, 100)


@pytest.mark.parametrize("percent", [1, 10, 50, 90])
def test_about_so_many_accounts_are_in_it(percent: int) -> None:
    found = sum(is_in_share("semantic_search", account, percent) for account in SOME)
    # Five standard deviations of a binomial distribution: fails by chance once in a million runs.
    assert abs(found - len(SOME) * percent / 100) < 5 * (len(SOME) * percent / 100 * (1 - percent / 100)) ** 0.5


def test_the_first_with_one_feature_are_not_the_first_with_the_next() -> None:
    both = sum(is_in_share("one", account, 50) and is_in_share("other", account, 50) for account in SOME)
    assert 0.2 < both / len(SOME) < 0.3


def test_a_place_does_not_depend_on_the_process_or_its_secrets() -> None:
    account = UUID("01999999-9999-7999-8999-999999999999")
    places = [percent for percent in range(101) if is_in_share("agent_memory", account, percent)]
    assert places[0] == 31, "of this account for this feature, for ever: else raising a share would shuffle accounts"


@pytest.mark.parametrize(
    ("stage", "percent", "choice", "against"),
    [
        ("off", 0, None, "not_available"),
        ("off", 0, True, "not_available"),
        ("opt_in", 0, None, "not_switched_on"),
        ("opt_in", 0, True, ""),
        ("opt_in", 0, False, "switched_off"),
        ("percent", 0, None, "not_switched_on"),
        ("percent", 0, True, ""),
        ("percent", 100, None, ""),
        ("percent", 100, False, "switched_off"),
        ("on", 0, None, ""),
        ("on", 0, False, "switched_off"),
    ],
)
def test_the_rule_of_each_stage(stage: str, percent: int, choice: bool | None, against: str) -> None:
    assert reason_against("agent_memory", SOME[0], stage, percent, choice) == against
