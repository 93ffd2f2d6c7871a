"""How the dashboard greets."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import time_machine
from django.utils import timezone

from apps.accounts.pages.dashboard import _greeting


@pytest.mark.parametrize(
    ("hour", "words"),
    [
        (0, "evening"),
        (3, "evening"),
        (4, "morning"),
        (11, "morning"),
        (12, "afternoon"),
        (17, "afternoon"),
        (18, "evening"),
    ],
)
def test_the_dashboard_greets_by_the_readers_clock(hour: int, words: str) -> None:
    with timezone.override(UTC), time_machine.travel(datetime(2026, 11, 22, hour, 20, tzinfo=UTC), tick=False):
        assert _greeting() == f"Good {words}"
