"""Stripe."""

from __future__ import annotations

import pytest

from tests.integrations.conformance import Conformance

pytestmark = pytest.mark.covers("I-04", "I-05")


class TestStripe(Conformance):
    name = "stripe"
    credentials = {"secret_key": "sk_test_4eC39HqLyjWDarjtT1zdp7dcwxyz"}
    asks = ("GET", "/balance")
    identity = "test mode"
