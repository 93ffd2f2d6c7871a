"""A language model on loopback, where all providers live for the test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from apps.integrations.outbound.breaker import close_all
from tests.integrations.language_models.asking import PATHS
from tests.stand_ins.language_models import Model, language_model


@pytest.fixture
def model(settings: Any) -> Iterator[Model]:
    close_all()
    with language_model() as running:
        settings.PROVIDER_URLS = {name: running.url(path) for name, path in PATHS.items()}
        settings.OUTBOUND_ALLOW = ["127.0.0.1"]
        yield running
    close_all()
