"""Servers that speak OpenAI's protocol."""

from __future__ import annotations

import pytest

from tests.integrations.conformance import Conformance

pytestmark = pytest.mark.covers("I-04", "I-05")


class TestOpenAICompatible(Conformance):
    name = "openai_compatible"
    credentials = {"api_key": "sk-or-v1-4eC39HqLyjWDarjtT1zdp7dcwxyz"}
    asks = ("GET", "/models")
    identity = "localhost"
