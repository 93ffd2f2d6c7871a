"""OpenAI."""

from __future__ import annotations

import pytest

from tests.integrations.conformance import Conformance

pytestmark = pytest.mark.covers("I-04", "I-05")


class TestOpenAI(Conformance):
    name = "openai"
    credentials = {"api_key": "sk-proj-4eC39HqLyjWDarjtT1zdp7dcwxyz"}
    settings = {"organization_id": "org-9x7"}
    asks = ("GET", "/models")
    identity = ""
