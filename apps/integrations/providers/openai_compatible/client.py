"""Calls to servers that speak OpenAI's protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from apps.integrations.contracts.ai import ChatRequest
from apps.integrations.language_models.openai_protocol import OpenAIProtocolClient
from apps.integrations.outbound.errors import BadAnswer
from apps.integrations.outbound.lent import LentConnection
from apps.integrations.providers.client import Tested

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel


class Client(OpenAIProtocolClient):
    """A server under the address of the settings, with or without a key."""

    address_setting = "base_url"

    def own_url(self) -> str:
        return str(self.settings["base_url"] or self.provider.base_url)

    def authentication(self) -> dict[str, str]:
        key = self.credentials.get("api_key", "")
        return {"Authorization": f"Bearer {key}"} if key else {}

    def test(self) -> Tested:
        """The list of models. OpenRouter shows that to everybody, so there the key is asked about itself."""
        host = urlsplit(self.base_url()).hostname or ""
        label = ""
        if host == "openrouter.ai" and self.credentials.get("api_key"):
            data = self.ask_for("GET", "key").get("data")
            label = str(data.get("label", "")) if isinstance(data, dict) else ""
        models = self.ask_for("GET", "models").get("data")
        if not isinstance(models, list):
            raise BadAnswer.about(self.provider.label, "the answer is not a list of models")
        names = [str(model.get("id", "")) for model in models if isinstance(model, dict)]
        return Tested(identity=label or host, facts={"models": names})

    def read_error(self, body: Any) -> tuple[str, str]:
        code, words = super().read_error(body)
        return ("", words) if code == words else (code, words)  # servers that write nothing but words

    def chat_model(self, request: ChatRequest, connection: LentConnection) -> BaseChatModel:
        from apps.integrations.language_models.openai_model import CompatibleModel

        return CompatibleModel(**self.model_options(request, connection))
