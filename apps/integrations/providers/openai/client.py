"""Calls to OpenAI."""

from __future__ import annotations

import re
from typing import Any

import orjson

from apps.integrations.contracts.ai import ChatRequest
from apps.integrations.language_models.openai_protocol import OpenAIProtocolClient
from apps.integrations.outbound.errors import BadAnswer
from apps.integrations.outbound.lent import LentConnection
from apps.integrations.providers.client import Tested

_GENERATION = re.compile(r"(?:ft:)?gpt-(\d+)")
_NO_TEMPERATURE_SINCE = 6
"""Since GPT-6 a temperature is refused unless the reasoning effort is "none", which we never ask for."""


class Client(OpenAIProtocolClient):
    """OpenAI with one API key."""

    default_embedding_model = "text-embedding-3-small"

    def authentication(self) -> dict[str, str]:
        headers = {"Authorization": f"Bearer {self.credentials['api_key']}"}
        if self.settings["organization_id"]:
            headers["OpenAI-Organization"] = self.settings["organization_id"]
        return headers

    def model_options(self, request: ChatRequest, connection: LentConnection) -> dict[str, Any]:
        """As the protocol has it, without what GPT-6 refuses.

        ``store``: the Responses API, by which LangChain sends tools to GPT-6, keeps conversations unless told not to.
        """
        options = super().model_options(request, connection)
        generation = _GENERATION.match(request.model)
        if generation and int(generation[1]) >= _NO_TEMPERATURE_SINCE:
            options.pop("temperature", None)
        return {**options, "store": False}

    def test(self) -> Tested:
        """The list of models, which costs nothing. A header says whose key it is."""
        answer = self.call("GET", "models", repeatable=True)
        try:
            models = [str(model["id"]) for model in orjson.loads(answer.content)["data"]]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            raise BadAnswer.about(self.provider.label, "the answer is not a list of models") from None
        return Tested(identity=str(answer.headers.get("openai-organization", "")), facts={"models": models})
