"""OpenAI's protocol, which half of the world's servers speak."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from apps.integrations.contracts.ai import ChatRequest, Embeddings, TokenUsage
from apps.integrations.language_models.client import PLACEHOLDER, LanguageModelClient
from apps.integrations.language_models.tokens import count
from apps.integrations.outbound.errors import BadAnswer
from apps.integrations.outbound.lent import LentConnection
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

# developers.openai.com/api/docs/guides/error-codes; codes first, since an error in the middle of an answer has no
# status. Numbers are what OpenRouter and llama.cpp write there.
KINDS: Mapping[str, type[ProviderError]] = {
    "insufficient_quota": QuotaUsedUp,
    "billing_hard_limit_reached": QuotaUsedUp,
    "billing_not_active": QuotaUsedUp,
    "invalid_api_key": CredentialRefused,
    "account_deactivated": CredentialRefused,
    "unsupported_country_region_territory": NotPermitted,
    "model_not_found": Missing,
    "rate_limit_exceeded": RateLimited,
    "context_length_exceeded": Refused,
    "invalid_request_error": Refused,
    "server_error": Unavailable,
    "server_is_overloaded": Overloaded,
    "slow_down": Overloaded,
    "401": CredentialRefused,
    "402": QuotaUsedUp,
    "403": NotPermitted,
    "404": Missing,
    "429": RateLimited,
}


class OpenAIProtocolClient(LanguageModelClient):
    """Chat completions and embeddings."""

    kinds = KINDS
    texts_per_call = 2048

    def chat_model(self, request: ChatRequest, connection: LentConnection) -> BaseChatModel:
        from apps.integrations.language_models.openai_model import OpenAIModel

        return OpenAIModel(**self.model_options(request, connection))

    def model_options(self, request: ChatRequest, connection: LentConnection) -> dict[str, Any]:
        """What the LangChain model is made with."""
        options: dict[str, Any] = {} if request.temperature is None else {"temperature": request.temperature}
        return {
            **options,
            "model_name": request.model,
            "openai_api_key": PLACEHOLDER,
            "openai_api_base": self.base_url(),
            "max_tokens": self.limit_of(request),
            "max_retries": 0,
            "stream_usage": True,
            "http_client": connection.client,
            "http_async_client": connection.asynchronous,
        }

    def embed(self, texts: Sequence[str], *, model: str, dimensions: int | None = None) -> Embeddings:
        """One batch. Raises OutboundError."""
        body: dict[str, Any] = {"model": model, "input": list(texts), "encoding_format": "float"}
        if dimensions is not None:
            body["dimensions"] = dimensions
        answer = self.ask_for("POST", "embeddings", json=body, repeatable=True)
        try:
            rows = sorted(answer["data"], key=lambda row: int(row["index"]))
            vectors = [[float(number) for number in row["embedding"]] for row in rows]
        except (KeyError, TypeError, ValueError):
            raise BadAnswer.about(self.provider.label, "the answer holds no vectors") from None
        if len(vectors) != len(texts) or len({len(vector) for vector in vectors}) > 1:
            raise BadAnswer.about(self.provider.label, "there is not one vector for each text")
        return Embeddings(vectors=vectors, model=str(answer.get("model") or model), usage=_usage(answer, texts))


def _usage(answer: Mapping[str, Any], texts: Sequence[str]) -> TokenUsage:
    said = answer.get("usage")
    tokens = said.get("prompt_tokens") or said.get("total_tokens") if isinstance(said, dict) else None
    if isinstance(tokens, int) and tokens > 0:
        return TokenUsage(input=tokens)
    return TokenUsage(input=sum(map(count, texts)), estimated=True)
