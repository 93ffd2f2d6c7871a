"""Ids that tell the order in which they were made."""

from __future__ import annotations

import time

import pytest

from apps.accounts import identifiers
from apps.accounts.identifiers import uuid7, uuid7s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """The clock of the generator, ``ahead`` of the real one by so many seconds."""
    now = {"ahead": 0.0}
    real = time.time_ns
    monkeypatch.setattr(identifiers, "_last", 0)
    monkeypatch.setattr(identifiers.time, "time_ns", lambda: real() + int(now["ahead"] * 1e9))
    return now


def test_each_is_greater_than_the_one_before(clock: dict[str, float]) -> None:
    made = [uuid7() for _ in range(2000)] + uuid7s(1000) + [uuid7()]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_they_stay_in_order_when_the_clock_steps_back_a_little(clock: dict[str, float]) -> None:
    before = uuid7()
    clock["ahead"] = -5
    assert before < uuid7() < uuid7()


def test_they_follow_a_clock_that_was_far_ahead_and_is_put_right(clock: dict[str, float]) -> None:
    clock["ahead"] = 86_400
    ahead = uuid7()
    clock["ahead"] = 0
    now = uuid7()
    assert abs((now.int >> 80) - time.time() * 1000) < 5_000
    assert now < uuid7() < ahead
