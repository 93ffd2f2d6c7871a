"""OpenAI."""

from __future__ import annotations

import orjson
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from apps.integrations.providers import client as clients
from tests.integrations.conformance import Conformance

pytestmark = pytest.mark.covers("I-04", "I-05")


class TestOpenAI(Conformance):
    name = "openai"
    credentials = {"api_key": "sk-proj-4eC39HqLyjWDarjtT1zdp7dcwxyz"}
    settings = {"organization_id": "org-9x7"}
    asks = ("GET", "/models")
    identity = ""

    def test_a_header_says_whose_key_it_is(self, httpserver: HTTPServer) -> None:
        body, headers = orjson.dumps(self.answer("test")), {"openai-organization": "acme-gmbh"}
        tested = self.tried(httpserver, lambda _: Response(body, headers=headers, mimetype="application/json"))
        assert isinstance(tested, clients.Tested)
        assert tested.identity == "acme-gmbh"
        assert tested.facts["models"]
