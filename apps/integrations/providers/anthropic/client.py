"""Calls to Anthropic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from apps.integrations.contracts.ai import ChatRequest
from apps.integrations.language_models.client import PLACEHOLDER, LanguageModelClient
from apps.integrations.outbound.errors import BadAnswer
from apps.integrations.outbound.lent import LentConnection
from apps.integrations.providers.anthropic.models import can_be_forced, takes_temperature, thinks
from apps.integrations.providers.client import Tested
from apps.integrations.providers.errors import (
    CredentialRefused,
    Missing,
    NotPermitted,
    Overloaded,
    ProviderError,
    QuotaUsedUp,
    RateLimited,
    Refused,
    Unavailable,
)

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

_NO_CREDIT = "credit_balance_too_low"
_TO_THINK = 12_288
"""Tokens on top of the answer's own, for models that think first: what they think counts as output."""
_MOST = 128_000
"""Tokens that these models write at most."""
# platform.claude.com/docs/en/api/errors: the type counts, since an error in the middle of an answer has no status.
_KINDS: dict[str, type[ProviderError]] = {
    "invalid_request_error": Refused,
    "authentication_error": CredentialRefused,
    "billing_error": QuotaUsedUp,
    _NO_CREDIT: QuotaUsedUp,
    "permission_error": NotPermitted,
    "not_found_error": Missing,
    "request_too_large": Refused,
    "rate_limit_error": RateLimited,
    "api_error": Unavailable,
    "timeout_error": Unavailable,
    "overloaded_error": Overloaded,
}


class Client(LanguageModelClient):
    """Anthropic with one API key."""

    own_headers = ("anthropic-beta",)
    kinds = _KINDS

    def authentication(self) -> dict[str, str]:
        return {"x-api-key": self.credentials["api_key"], "anthropic-version": "2023-06-01"}

    def test(self) -> Tested:
        """The list of models, which costs nothing. A header says whose key it is."""
        answer = self.call("GET", "models", repeatable=True, params={"limit": 1})
        try:
            models = orjson.loads(answer.content)["data"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            raise BadAnswer.about(self.provider.label, "the answer is not a list of models") from None
        organization = str(answer.headers.get("anthropic-organization-id", ""))
        return Tested(identity=organization, facts={"models": [str(model.get("id", "")) for model in models]})

    def read_error(self, body: Any) -> tuple[str, str]:
        error = body.get("error") if isinstance(body, dict) else None
        if not isinstance(error, dict):
            return "", ""
        code, words = str(error.get("type", "")), str(error.get("message", ""))
        return _NO_CREDIT if "credit balance is too low" in words else code, words

    def kind_of(self, status: int, code: str) -> type[ProviderError]:
        return Overloaded if status == 529 else super().kind_of(status, code)

    def tool_choice(self, request: ChatRequest) -> Any:
        """Models that refuse to be forced get "auto": they may then call another tool, or none."""
        if request.tool_choice == "none":
            return {"type": "none"}
        return request.tool_choice if can_be_forced(request.model) else "auto"

    @classmethod
    def longest_answer(cls, model: str, setting: int) -> int:
        return min(setting + _TO_THINK, _MOST) if thinks(model) else setting

    def chat_model(self, request: ChatRequest, connection: LentConnection) -> BaseChatModel:
        from apps.integrations.providers.anthropic.model import AnthropicModel

        host, path = self.sits_at()
        options: dict[str, Any] = {}
        if request.temperature is not None and takes_temperature(request.model):
            options["temperature"] = request.temperature
        options |= {
            "model_name": request.model,
            "anthropic_api_key": PLACEHOLDER,
            "anthropic_api_url": host + path.removesuffix("/v1"),  # the library adds it
            "max_tokens_to_sample": self.limit_of(request),
            "max_retries": 0,
            "lent": connection,
        }
        return AnthropicModel(**options)
