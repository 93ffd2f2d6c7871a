"""Calls to the Gemini API."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from apps.integrations.contracts.ai import ChatRequest, Embeddings, TokenUsage
from apps.integrations.language_models.client import PLACEHOLDER, LanguageModelClient
from apps.integrations.language_models.tokens import count
from apps.integrations.outbound.errors import BadAnswer, BadRequest
from apps.integrations.outbound.http import Answer
from apps.integrations.outbound.lent import LentConnection
from apps.integrations.providers.client import Tested
from apps.integrations.providers.errors import (
    CredentialRefused,
    NotPermitted,
    Overloaded,
    ProviderError,
    QuotaUsedUp,
    RateLimited,
)

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

_USED_UP = "QUOTA_OF_THE_DAY"
# ai.google.dev/gemini-api/docs/troubleshooting and the reasons of google.rpc.ErrorInfo.
_KINDS: dict[str, type[ProviderError]] = {
    "API_KEY_INVALID": CredentialRefused,
    "API_KEY_EXPIRED": CredentialRefused,
    "UNAUTHENTICATED": CredentialRefused,
    "PERMISSION_DENIED": NotPermitted,
    "SERVICE_DISABLED": NotPermitted,
    "API_KEY_SERVICE_BLOCKED": NotPermitted,
    "FAILED_PRECONDITION": NotPermitted,  # the free tier does not exist in the country, or billing is off
    "BILLING_DISABLED": QuotaUsedUp,
    _USED_UP: QuotaUsedUp,
    "RESOURCE_EXHAUSTED": RateLimited,
    "UNAVAILABLE": Overloaded,
}


class Client(LanguageModelClient):
    """The Gemini API with one key."""

    kinds = _KINDS
    texts_per_call = 100
    default_embedding_model = "gemini-embedding-001"

    def authentication(self) -> dict[str, str]:
        return {"x-goog-api-key": self.credentials["api_key"]}

    def test(self) -> Tested:
        """The list of models, which costs nothing. The service does not say whose key it is."""
        models = self.ask_for("GET", "models", params={"pageSize": 1}).get("models")
        if not isinstance(models, list):
            raise BadAnswer.about(self.provider.label, "the answer is not a list of models")
        return Tested(facts={"models": [str(model.get("name", "")).removeprefix("models/") for model in models]})

    def read_error(self, body: Any) -> tuple[str, str]:
        error = _error(body)
        details = list(_details(error))
        reason = next((str(detail["reason"]) for detail in details if detail.get("reason")), "")
        if any("PerDay" in str(violation.get("quotaId", "")) for violation in _violations(details)):
            reason = _USED_UP
        return reason or str(error.get("status", "")), str(error.get("message", ""))

    def wait_of(self, answer: Answer) -> float | None:
        """google.rpc.RetryInfo in the body, else the header."""
        try:
            details = _details(_error(orjson.loads(answer.content)))
        except orjson.JSONDecodeError:
            details = iter(())
        for detail in details:
            found = re.fullmatch(r"(\d+(?:\.\d+)?)s", str(detail.get("retryDelay", "")))
            if found:
                return float(found[1])
        return super().wait_of(answer)

    def chat_model(self, request: ChatRequest, connection: LentConnection) -> BaseChatModel:
        from apps.integrations.providers.google_ai.model import GoogleModel

        self._in_a_path(request.model)
        host, path = self.sits_at()
        before, _, version = path.rpartition("/")
        options: dict[str, Any] = {} if request.temperature is None else {"temperature": request.temperature}
        if request.max_tokens is not None:
            options["max_output_tokens"] = request.max_tokens
        options |= {
            "model": request.model,
            "google_api_key": PLACEHOLDER,
            "base_url": f"{host}{before}/",
            "api_version": version,
            "max_retries": 1,  # counted with the first try
            "lent": connection,
        }
        return GoogleModel(**options)

    def embed(self, texts: Sequence[str], *, model: str, dimensions: int | None = None) -> Embeddings:
        """One batch. The service does not say how many tokens it read. Raises OutboundError."""
        self._in_a_path(model)
        wanted = {} if dimensions is None else {"outputDimensionality": dimensions}
        requests = [{"model": f"models/{model}", "content": {"parts": [{"text": text}]}, **wanted} for text in texts]
        path = f"models/{model}:batchEmbedContents"
        answer = self.ask_for("POST", path, json={"requests": requests}, repeatable=True)
        try:
            vectors = [[float(number) for number in row["values"]] for row in answer["embeddings"]]
        except (KeyError, TypeError, ValueError):
            raise BadAnswer.about(self.provider.label, "the answer holds no vectors") from None
        if len(vectors) != len(texts) or len({len(vector) for vector in vectors}) > 1:
            raise BadAnswer.about(self.provider.label, "there is not one vector for each text")
        return Embeddings(vectors=vectors, model=model, usage=TokenUsage(input=sum(map(count, texts)), estimated=True))

    def _in_a_path(self, model: str) -> None:
        if not re.fullmatch(r"[\w.-]+", model) or not model.strip("."):
            raise BadRequest(f"{self.provider.label}: “{model[:80]}” is no model's name.")


def _error(body: Any) -> dict[str, Any]:
    if isinstance(body, list) and body:  # how the service writes errors of streams
        body = body[0]
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict) else {}


def _details(error: dict[str, Any]) -> Iterator[dict[str, Any]]:
    details = error.get("details")
    return (detail for detail in details if isinstance(detail, dict)) if isinstance(details, list) else iter(())


def _violations(details: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for detail in details:
        found = detail.get("violations")
        yield from (violation for violation in found or () if isinstance(violation, dict))
