"""Anthropic."""

from __future__ import annotations

import pytest

from tests.integrations.conformance import Conformance

pytestmark = pytest.mark.covers("I-04", "I-05")


class TestAnthropic(Conformance):
    name = "anthropic"
    credentials = {"api_key": "sk-ant-api03-4eC39HqLyjWDarjtT1zdp7dcwxyz"}
    asks = ("GET", "/models")
    identity = ""
