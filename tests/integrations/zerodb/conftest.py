"""A server that is not ours, and a client that does not wait for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from apps.integrations.outbound import breaker, http
from apps.integrations.zerodb.client import resting
from tests.stand_ins import zerodb


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Faults are repeated at once, and earlier tests' faults are forgotten."""
    breaker.close_all()
    resting.forget_all()
    monkeypatch.setattr(http.time, "sleep", lambda _: None)
    yield
    breaker.close_all()
    resting.forget_all()


@pytest.fixture
def elsewhere(settings: Any, no_waiting: None) -> Iterator[zerodb.StandIn]:
    """A server that is not ours, as the settings name it."""
    with zerodb.running() as stand_in:
        settings.ZERODB_API_URL, settings.ZERODB_MASTER_API_KEY = stand_in.url, zerodb.MASTER_KEY
        yield stand_in
