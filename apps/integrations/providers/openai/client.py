"""Calls to OpenAI."""

from __future__ import annotations

import orjson

from apps.integrations.language_models.openai_protocol import OpenAIProtocolClient
from apps.integrations.outbound.errors import BadAnswer
from apps.integrations.providers.client import Tested


class Client(OpenAIProtocolClient):
    """OpenAI with one API key."""

    default_embedding_model = "text-embedding-3-small"

    def authentication(self) -> dict[str, str]:
        headers = {"Authorization": f"Bearer {self.credentials['api_key']}"}
        if self.settings["organization_id"]:
            headers["OpenAI-Organization"] = self.settings["organization_id"]
        return headers

    def test(self) -> Tested:
        """The list of models, which costs nothing. A header says whose key it is."""
        answer = self.call("GET", "models", repeatable=True)
        try:
            models = [str(model["id"]) for model in orjson.loads(answer.content)["data"]]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            raise BadAnswer(f"{self.provider.label}: the answer is not a list of models.") from None
        return Tested(identity=str(answer.headers.get("openai-organization", "")), facts={"models": models})
