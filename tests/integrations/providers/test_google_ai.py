"""Google AI."""

from __future__ import annotations

import pytest

from tests.integrations.conformance import Conformance

pytestmark = pytest.mark.covers("I-04", "I-05")


class TestGoogleAI(Conformance):
    name = "google_ai"
    credentials = {"api_key": "AIzaSy4eC39HqLyjWDarjtT1zdp7dcwxyz"}
    asks = ("GET", "/models")
    identity = ""
