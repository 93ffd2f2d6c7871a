"""Tokens as the ledger counts them: ``input_tokens`` of ``anthropic/claude-sonnet-4-6``."""

from __future__ import annotations

from apps.accounts.metering import Line
from apps.integrations.contracts.ai import ChatRequest, TokenUsage
from apps.integrations.language_models.tokens import ANSWER, count_request


def item_of(provider: str, model: str) -> str:
    """What prices go by; a model's name may be anything, the ledger takes 120 characters."""
    return f"{provider}/{model}"[:120]


def expected_of(provider: str, request: ChatRequest) -> tuple[Line, ...]:
    """What a request uses, at most as far as can be told."""
    item = item_of(provider, request.model)
    read, written = count_request(request), request.max_tokens or ANSWER
    return Line("input_tokens", read, item), Line("output_tokens", written, item)


def used_of(provider: str, model: str, usage: TokenUsage) -> list[Line]:
    """What was used. Tokens from a service's cache, and into it, have prices of their own."""
    counts = {
        "input_tokens": max(0, usage.input - usage.cached - usage.cache_written),
        "cached_input_tokens": usage.cached,
        "cache_write_tokens": usage.cache_written,
        "output_tokens": usage.output,
    }
    item = item_of(provider, model)
    return [Line(unit, quantity, item) for unit, quantity in counts.items() if quantity]
